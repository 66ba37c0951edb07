"""One pass of a model over a text, forward and backward, recorded at one matrix.

Letters in shapes: T tokens read, in and out: input and output width of the matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from core.finetuning.wrapped_modules import replace_module
from core.inference.activations import check_ids, looking_at, to_array
from core.inference.indices import check_position
from core.trace import Value
from core.transformer.gpt import GPT
from core.transformer.precision import full_precision


class Pass(NamedTuple):
    """Tokens read and predicted, ids and next_ids (T,); at the matrix x (T, in) and dL/d(output)
    (T, all); and the mean loss L.
    """

    ids: np.ndarray
    next_ids: np.ndarray
    x: Tensor
    gradient: Tensor
    loss: float

    def about(self, position: int) -> dict[str, Any]:
        """Returns the `about` of a Trace that follows the token at a position; negative values
        count from the end. Raises ValueError for a position out of range.
        """
        position = check_position(position, len(self.ids))
        texts = {"ids": self.ids, "next_ids": self.next_ids}
        return {"position": position, **texts, "loss": self.loss}


class _Recorded(nn.Module):
    """Records a module's last input, x (1, T, in), and output, (1, T, out)."""

    x: Tensor
    output: Tensor

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        self.x, self.output = x, self.module(x)
        if torch.is_grad_enabled():
            self.output.requires_grad_()
        return self.output


def pass_through(model: GPT, module: nn.Module, ids: Sequence[int] | np.ndarray) -> Pass:
    """Runs the model over a text, ids (T + 1,): it reads the first T and predicts the last T;
    records the pass at one of its modules.

    Raises ValueError, with a remedy, for invalid ids.
    """
    given = np.asarray(ids).reshape(-1)
    if given.size < 2:
        raise ValueError("a single token has none to predict; give a text of two tokens or more")
    batch, next_ids = check_ids(model, given[:-1]), check_ids(model, given[1:])
    name = next(name for name, one in model.named_modules() if one is module)
    recorded = _Recorded(module)
    replace_module(model, name, recorded)
    try:
        with looking_at(model), torch.enable_grad():
            total, count = model.loss(batch, next_ids)
            loss = total / count
            (gradient,) = torch.autograd.grad(loss, recorded.output)
    finally:
        replace_module(model, name, module)
    return Pass(
        batch[0].cpu().numpy(),
        next_ids[0].cpu().numpy(),
        full_precision(recorded.x.detach()[0]),
        full_precision(gradient[0]),
        float(loss.detach()),
    )


def value_of(made: Any) -> Value:
    """Returns a Tensor or a number as an array, for a step; a function is wrapped, called later."""
    if callable(made):
        return lambda: _array(made()).copy()  # merging writes into W
    return _array(made) if isinstance(made, Tensor) else np.asarray(made)


@torch.no_grad()
def _array(made: Tensor) -> np.ndarray:
    return to_array(made)
