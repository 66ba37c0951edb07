"""Loss scaling: gradients too small for 16 bits are computed many times larger, then divided again.

fp16 has no number between 0 and 2^-24, and many gradients are smaller: they would become 0, and
their weights would never learn. The backward pass is linear, so multiplying the loss by a scale s
multiplies every gradient by s and lifts them into the range; before the optimizer sees them they
are divided by s, in fp32. Too large a scale overflows instead: some gradient becomes infinite or
NaN, and the step is skipped. So the best scale is the largest one that does not overflow, and it is
found by trying: halved when a step overflows, doubled after many steps that did not.

Micikevicius et al. 2018 (Mixed Precision Training), section 3.2; the numbers are those of
torch.amp.GradScaler, which has no floor.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from core.fields import quoted
from core.numbers import format_number, format_power

if TYPE_CHECKING:
    from torch import Tensor

FLOOR = 1.0  # a loss that is not scaled at all
PATIENCE = 3  # steps in a row that may overflow there
LARGEST = float(np.finfo(np.float32).max)  # the loss that is scaled is a number of fp32


def scale_text(scale: float) -> str:
    """ "2\u00b9\u2070 = 1,024"; a scale that is no power of two as it is."""
    exponent = math.log2(scale)
    if scale <= FLOOR or not exponent.is_integer():
        return format_number(scale)
    return f"{format_power(round(exponent))} = {scale:,.0f}"


class LossScaler:
    """The loss scale, and how it follows what the steps' gradients did.

    loss_scale       what the loss is multiplied by; now, and at first
    growth_factor    after `growth_interval` applied steps in a row it grows by this
    backoff_factor   after a skipped step it shrinks by this, but never below `FLOOR`
    growth_interval  see growth_factor
    good_steps       applied steps since it last changed
    floor_skips      steps in a row that were skipped at the floor

    A step goes: `scale` the loss of each micro-batch, all by one scale; `unscale` the gradients
    once they are added up; apply or skip the step; tell which to `stepped`. Raises ValueError, with
    the remedy, for numbers that cannot be.
    """

    def __init__(
        self,
        loss_scale: float = 65536.0,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
    ) -> None:
        if not FLOOR <= loss_scale <= LARGEST:
            raise ValueError(f"a loss scale of {loss_scale} cannot be; 65536 is usual")
        if not (growth_factor >= 1.0 and 0.0 < backoff_factor < 1.0 and growth_interval >= 1):
            raise ValueError(
                f"a loss scale that grows by {growth_factor} every {growth_interval} steps and "
                f"shrinks by {backoff_factor} cannot be; 2, 2000 and 0.5 are usual"
            )
        self.loss_scale = float(loss_scale)
        self.growth_factor = growth_factor
        self.backoff_factor = backoff_factor
        self.growth_interval = growth_interval
        self.good_steps = 0
        self.floor_skips = 0

    def scale(self, loss: Tensor) -> Tensor:
        """The number that the backward pass starts from."""
        scale = self.loss_scale
        scaled = loss * scale  # step: scale
        return scaled

    def unscale(self, gradients: Iterable[Tensor]) -> bool:
        """Divides the gradients by the scale, in place, and tells whether all are finite.

        Each rank passes its own part of a gradient that is split over ranks.
        """
        import torch

        scale = self.loss_scale
        finite = []
        for gradient in gradients:
            gradient.div_(scale)  # step: unscale
            finite.append(gradient.isfinite().all())
        # Checked all together: on a GPU each check waits for what was computed before it.
        return not finite or bool(torch.stack(finite).all())

    @property
    def is_exhausted(self) -> bool:
        """Whether an overflow can no longer be the scale's fault: the next one is an error."""
        return self.loss_scale <= FLOOR and self.floor_skips >= PATIENCE - 1

    def stepped(self, applied: bool) -> None:
        """Learns whether a step was applied, or skipped because of an overflow."""
        if applied:
            before = self.good_steps
            good_steps = before + 1  # step: count
            self.good_steps, self.floor_skips = good_steps, 0
            if good_steps == self.growth_interval:
                self._grow()
        else:
            self.floor_skips += self.loss_scale <= FLOOR
            self._shrink()

    def _grow(self) -> None:
        scale, factor = self.loss_scale, self.growth_factor
        grown = scale * factor  # step: grow
        if grown <= LARGEST:
            self.loss_scale = grown
        self.good_steps = 0

    def _shrink(self) -> None:
        scale, factor = self.loss_scale, self.backoff_factor
        shrunk = scale * factor  # step: shrink
        self.loss_scale = max(shrunk, FLOOR)
        self.good_steps = 0

    def state(self) -> dict[str, float]:
        """Everything that goes on after a checkpoint."""
        return {
            "loss_scale": self.loss_scale,
            "good_steps": float(self.good_steps),
            "floor_skips": float(self.floor_skips),
        }

    def restore(self, state: Mapping[str, float]) -> None:
        """Goes on from what `state` gave. A run that did not scale its loss left nothing: then the
        scale stays as it is.

        Raises ValueError for anything else.
        """
        if not state:
            return
        known = self.state().keys()
        if state.keys() != known or not all(map(math.isfinite, state.values())):
            raise ValueError(
                f"the checkpoint remembers {quoted(dict(state))} of its loss scale, where "
                f"{', '.join(known)} are wanted; go on from another checkpoint"
            )
        if not FLOOR <= state["loss_scale"] <= LARGEST:
            raise ValueError(
                f"the checkpoint's loss scale {state['loss_scale']} cannot be; go on from another "
                "checkpoint"
            )
        self.loss_scale = state["loss_scale"]
        self.good_steps = int(state["good_steps"])
        self.floor_skips = int(state["floor_skips"])
