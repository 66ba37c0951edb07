"""A task vector: how far a model's own numbers moved while they learned, and in which direction.

    vector = learned - base
    model  = base + scale * vector

At scale 0 it is the base, at 1 the tuned model, between them and beyond a model that has learned
less or more of the task. LoRA's adapter has such a scale by itself; this gives one to the model's
own numbers, all of them or a few. Source: "Editing Models with Task Arithmetic" (Ilharco et al.
2023, section 2).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.finetuning.numerical_safety import checked_scale


class TaskVector:
    """What some parameters of a model learn from now on, at a scale: what they are now is the base.

    The base is kept, and what was learned, too, once the scale is changed: the model then takes
    three times the memory of these parameters.
    """

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self._parameters = parameters
        self._base = _copies(parameters)
        self._learned: list[Tensor] = []
        self._scale = 1.0

    @property
    def scale(self) -> float:
        """How much of what was learned is added to the base: 0 nothing, 1 all of it."""
        return self._scale

    @scale.setter
    @torch.no_grad()
    def scale(self, scale: float) -> None:
        scale = checked_scale(scale)
        if self._scale == 1:  # as long as it is, they go on learning
            self._learned = _copies(self._parameters)
        ends = zip(self._parameters, self._base, self._learned, strict=True)
        for parameter, base, learned in ends:
            if scale == 1:  # base + (learned - base) may round
                parameter.copy_(learned)
            else:
                vector = learned - base
                parameter.copy_(base + scale * vector)
        self._scale = scale


def _copies(parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in parameters]
