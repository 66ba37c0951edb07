"""Bottleneck adapters: a small network after each sublayer, and nothing else of the model learns.

What attention or MLP makes goes through a narrow layer, a nonlinearity and a layer that widens it
again, and what comes out is added:

    h + up(gelu(down(h)))

That is 2 m C + m + C numbers for each, m the width of the narrow layer. Unlike LoRA it cannot be
merged: with a nonlinearity inside it is no matrix.

Source: "Parameter-Efficient Transfer Learning for NLP" (Houlsby et al. 2019, section 2.1), which
lets the norms learn as well; here they stay.

Letters in shapes: C width of the residual stream, m of the bottleneck.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.finetuning.numerical_safety import checked_scale
from core.finetuning.targets import find_targets
from core.finetuning.wrapped_modules import replace_module
from core.transformer.architectures import Model
from core.transformer.precision import full_precision

SUBLAYERS = ("c_proj",)  # what each of them ends with


class Bottleneck(nn.Module):
    """The last matrix of a sublayer, and the small network behind it. Its numbers are fp32.

    base   W, b: frozen
    scale  how much of the change is added: 0 nothing, 1 what was learned
    """

    def __init__(self, base: nn.Linear, width: int) -> None:
        super().__init__()
        C, device = base.weight.size(0), base.weight.device
        self.base = base
        self.down = nn.Parameter(torch.empty(width, C, device=device))
        self.down_bias = nn.Parameter(torch.zeros(width, device=device))
        self.up = nn.Parameter(torch.zeros(C, width, device=device))
        self.up_bias = nn.Parameter(torch.zeros(C, device=device))
        self.scale = 1.0

    @torch.no_grad()
    def initialize(self, generator: torch.Generator | None = None) -> None:
        """down from U(-1/sqrt(C), 1/sqrt(C)), up = 0: at first nothing is changed at all.

        The paper draws both from a narrow normal distribution, which changes next to nothing.
        """
        bound = 1 / math.sqrt(self.down.size(1))
        drawn = torch.empty(self.down.shape).uniform_(-bound, bound, generator=generator)
        self.down.copy_(drawn)
        for zero in (self.down_bias, self.up, self.up_bias):
            zero.zero_()

    @property
    def weight(self) -> Tensor:
        """W, which the sublayer's heads or hidden numbers are multiplied by."""
        return self.base.weight

    @property
    def bias(self) -> Tensor | None:
        return self.base.bias

    @property
    def in_features(self) -> int:
        return self.base.in_features

    @property
    def out_features(self) -> int:
        return self.base.out_features

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in) -> (..., C)."""
        written = self.base(x)  # (..., C)
        return written + self.scale * self.change(written).to(written.dtype)

    def change(self, written: Tensor) -> Tensor:
        """up(gelu(down(h))), h (..., C) -> (..., C), in fp32."""
        h = full_precision(written)
        narrow = h @ self.down.mT + self.down_bias  # (..., m)
        activated = F.gelu(narrow)  # (..., m)
        return activated @ self.up.mT + self.up_bias  # (..., C)


class Bottlenecks:
    """What `add_bottlenecks` laid over a model.

    scale    how much of the changes is added: 0 nothing, 1 what was learned
    modules  one for each sublayer, in the model's order
    """

    def __init__(self, model: Model, modules: dict[str, Bottleneck]) -> None:
        self.modules = list(modules.values())
        self._model = model
        self._names = list(modules)

    @property
    def scale(self) -> float:
        return self.modules[0].scale

    @scale.setter
    def scale(self, scale: float) -> None:
        scale = checked_scale(scale)
        for one in self.modules:
            one.scale = scale

    def remove(self) -> None:
        """Takes them off: the model is what it was before."""
        for name, one in zip(self._names, self.modules, strict=True):
            replace_module(self._model, name, one.base)


def add_bottlenecks(
    model: Model, width: int, *, generator: torch.Generator | None = None
) -> Bottlenecks:
    """A bottleneck of so many numbers after each attention and MLP; all else is frozen.

    generator  what is drawn from; None: torch's own
    """
    model.requires_grad_(False)
    added = {}
    for target in find_targets(model, SUBLAYERS):
        base = model.get_submodule(target.module)
        bottleneck = Bottleneck(base, width).train(base.training)  # type: ignore[arg-type]
        bottleneck.initialize(generator)
        replace_module(model, target.module, bottleneck)
        added[target.module] = bottleneck
    return Bottlenecks(model, added)
