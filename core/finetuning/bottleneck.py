"""Bottleneck adapters: a small network after each sublayer learns, the rest of the model is frozen.

The output h of attention or MLP passes through a narrowing layer, a nonlinearity and a widening
layer, and the result is added to it:

    h + up(gelu(down(h)))

That is 2 m C + m + C numbers each, m the width of the narrow layer. Unlike LoRA it cannot be
merged: with a nonlinearity inside, it is not a matrix.

Source: "Parameter-Efficient Transfer Learning for NLP" (Houlsby et al. 2019, section 2.1), which
also trains the norms; here they are frozen.

Letters in shapes: C width of the residual stream, m width of the bottleneck.
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

SUBLAYERS = ("c_proj",)  # the last matrix of each sublayer


class Bottleneck(nn.Module):
    """The last matrix of a sublayer, followed by the small network. Its numbers are fp32.

    base   W, b: frozen
    scale  factor of the change: 0 adds nothing, 1 the learned change
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
        """Draws down from U(-1/sqrt(C), 1/sqrt(C)) and sets up = 0: at first nothing changes.

        The paper draws both from a narrow normal distribution, which changes almost nothing.
        """
        bound = 1 / math.sqrt(self.down.size(1))
        drawn = torch.empty(self.down.shape).uniform_(-bound, bound, generator=generator)
        self.down.copy_(drawn)
        for zero in (self.down_bias, self.up, self.up_bias):
            zero.zero_()

    @property
    def weight(self) -> Tensor:
        """W, which multiplies the concatenated heads or the hidden activations."""
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
        """Returns the changed output of the sublayer: x (..., in) -> (..., C)."""
        written = self.base(x)  # (..., C)
        return written + self.scale * self.change(written).to(written.dtype)

    def change(self, written: Tensor) -> Tensor:
        """Returns up(gelu(down(h))), h (..., C) -> (..., C), in fp32."""
        h = full_precision(written)
        narrow = h @ self.down.mT + self.down_bias  # (..., m)
        activated = F.gelu(narrow)  # (..., m)
        return activated @ self.up.mT + self.up_bias  # (..., C)


class Bottlenecks:
    """The bottlenecks that `add_bottlenecks` added to a model.

    scale    factor of their changes: 0 adds nothing, 1 the learned change
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
        """Removes the bottlenecks, which restores the model."""
        for name, one in zip(self._names, self.modules, strict=True):
            replace_module(self._model, name, one.base)


def add_bottlenecks(
    model: Model, width: int, *, generator: torch.Generator | None = None
) -> Bottlenecks:
    """Adds a bottleneck of the given width after each attention and MLP; freezes the rest.

    generator  random source; None: torch's own
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
