"""A task vector: the difference that training made to a model's own numbers.

    vector = learned - base
    model  = base + scale * vector

At scale 0 it is the base, at 1 the tuned model, and otherwise a model that learned less or more of
the task. A LoRA adapter has such a scale built in; this gives one to the model's own numbers, all
of them or a few. Source: "Editing Models with Task Arithmetic" (Ilharco et al. 2023, section 2).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from core.finetuning.numerical_safety import checked_scale


class TaskVector:
    """What some parameters learn from now on, at a scale: their current values are the base.

    The base is stored, and once the scale changes, the learned values, too: these parameters then
    take three times the memory.
    """

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self._parameters = parameters
        self._base = _copies(parameters)
        self._learned: list[Tensor] = []
        self._scale = 1.0

    @property
    def scale(self) -> float:
        """Factor of the learned change that is added to the base: 0 none of it, 1 all of it."""
        return self._scale

    @scale.setter
    @torch.no_grad()
    def scale(self, scale: float) -> None:
        scale = checked_scale(scale)
        if self._scale == 1:  # at scale 1 they may have learned more since
            self._learned = _copies(self._parameters)
        ends = zip(self._parameters, self._base, self._learned, strict=True)
        for parameter, base, learned in ends:
            if scale == 1:  # exact, while base + (learned - base) may round
                parameter.copy_(learned)
            else:
                vector = learned - base
                parameter.copy_(base + scale * vector)
        self._scale = scale


def _copies(parameters: Sequence[nn.Parameter]) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in parameters]
