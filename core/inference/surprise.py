"""How much a text surprises a model: each token's, and the perplexity of the whole.

Letters in shapes: T tokens, V pieces in the vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from core.inference.activations import check_ids, looking_at
from core.inference.context import Context
from core.transformer.gpt import GPT


def surprises(model: GPT, ids: Sequence[int] | np.ndarray) -> np.ndarray:
    """(T,) float64, in nats: -ln of the probability that each token had before it came. The first
    one's is NaN, for nothing was read before it. Raises ValueError as `check_ids`.
    """
    batch = check_ids(model, ids)
    with looking_at(model):
        logits = model(batch)[0, :-1].double()  # (T - 1, V)
    came = batch[0, 1:, None]
    found = logits.logsumexp(-1) - logits.gather(-1, came)[:, 0]
    return np.concatenate([[np.nan], found.cpu().numpy()])


def perplexity(surprises: np.ndarray) -> float:
    """As unsure as among so many equally likely tokens: e^mean, over the tokens that have a
    surprise (Jelinek et al. 1977). NaN where none has.
    """
    known = surprises[np.isfinite(surprises)]
    return float(np.exp(known.mean())) if len(known) else float("nan")


def surprise_of(logits: np.ndarray, token: int) -> float:
    """In nats, of a token that came after these logits (V,)."""
    scores = torch.from_numpy(np.asarray(logits, np.float64))
    return float(scores.logsumexp(-1) - scores[token])


class MeasuredContext:
    """A Context that also knows how much each token of the text surprised the model. A token that
    is appended costs nothing more: what was expected in its place is known from before.
    """

    def __init__(self, model: GPT) -> None:
        self.context = Context(model)
        self._ids: list[int] = []
        self._logits: Tensor | None = None
        self._surprises: np.ndarray | None = np.zeros(0)  # None: not measured yet

    def read(self, ids: Sequence[int] | np.ndarray) -> Tensor:
        """Logits (V,) of the token after `ids`, as those of a Context, and with its errors."""
        logits = self.context.read(ids)
        *before, last = wanted = [int(one) for one in ids]
        if before == self._ids and self._logits is not None and self._surprises is not None:
            surprise = surprise_of(self._logits.numpy(), last)
            self._surprises = np.append(self._surprises, surprise)
        elif wanted != self._ids:
            self._surprises = None
        self._ids, self._logits = wanted, logits
        return logits

    @property
    def surprises(self) -> np.ndarray:
        """(T,) nats, of the text that was read last."""
        if self._surprises is None:
            self._surprises = surprises(self.context.model, self._ids)
        return self._surprises
