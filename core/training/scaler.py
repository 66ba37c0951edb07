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

FLOOR = 1.0  # the loss is not scaled
PATIENCE = 3  # consecutive steps that may overflow at the floor
LARGEST = float(np.finfo(np.float32).max)  # the scaled loss is a number in fp32


def scale_text(scale: float) -> str:
    """ "2\u00b9\u2070 = 1,024"; a scale that is no power of two as it is."""
    exponent = math.log2(scale)
    if scale <= FLOOR or not exponent.is_integer():
        return format_number(scale)
    return f"{format_power(round(exponent))} = {scale:,.0f}"


class LossScaler:
    """The loss scale, and how it adapts to the steps' gradients.

    loss_scale       factor of the loss; at first the initial one, then the current one
    growth_factor    multiplies the scale after `growth_interval` consecutive applied steps
    backoff_factor   multiplies the scale after a skipped step, but never below `FLOOR`
    growth_interval  see growth_factor
    good_steps       applied steps since the scale last changed
    floor_skips      consecutive steps skipped at the floor

    In each step: `scale` the loss of each micro-batch, all by the same scale; `unscale` the summed
    gradients; apply or skip the step; call `stepped`. Raises ValueError, with a remedy, for numbers
    out of range.
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
        """Returns the loss times the scale, from which the backward pass starts."""
        scale = self.loss_scale
        scaled = loss * scale  # step: scale
        return scaled

    def unscale(self, gradients: Iterable[Tensor]) -> bool:
        """Divides the gradients by the scale, in place, and returns whether all are finite.

        Each rank passes its own shard of a sharded gradient.
        """
        import torch

        scale = self.loss_scale
        finite = []
        for gradient in gradients:
            gradient.div_(scale)  # step: unscale
            finite.append(gradient.isfinite().all())
        # Checked all together: on a GPU each check waits for the computations before it.
        return not finite or bool(torch.stack(finite).all())

    @property
    def is_exhausted(self) -> bool:
        """Whether an overflow can no longer be caused by the scale: the next one is an error."""
        return self.loss_scale <= FLOOR and self.floor_skips >= PATIENCE - 1

    def stepped(self, applied: bool) -> None:
        """Adapts the scale to an applied step, or to one skipped because of an overflow."""
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
        """Returns the state that a checkpoint saves."""
        return {
            "loss_scale": self.loss_scale,
            "good_steps": float(self.good_steps),
            "floor_skips": float(self.floor_skips),
        }

    def restore(self, state: Mapping[str, float]) -> None:
        """Restores the result of `state`. A run that did not scale its loss saved nothing: then the
        scale is unchanged.

        Raises ValueError for any other state.
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
