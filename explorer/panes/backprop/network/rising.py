"""How far the loss of the batches has risen since learning began with this setup: steps that make
it many times larger are too large, whatever becomes of it later. Knows no Qt.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Any

ENOUGH = 32  # points whose loss is told: of fewer it is chance
FAR = 3.0  # times the loss at first, or that of guessing
LEARNED = 0.25  # of the same: who came below that has learned in spite of it


class Rise:
    """`first` and `peak` are losses of batches, with the penalty; nan before there are any."""

    def __init__(self) -> None:
        self.first = self.peak = math.nan
        self._latest: deque[float] = deque(maxlen=1)

    def take(self, cost: float, points: int) -> None:
        """The loss of the next step's batch of so many points; of small ones the mean of a few."""
        count = max(1, math.ceil(ENOUGH / max(1, points)))
        if count != self._latest.maxlen:
            self._latest = deque(maxlen=count)
        self._latest.append(cost)
        if len(self._latest) < count or not math.isfinite(cost):
            return
        mean = sum(self._latest) / count
        if math.isnan(self.first):
            self.first = mean
        self.peak = mean if math.isnan(self.peak) else max(self.peak, mean)

    def overshot(self, loss: float, guessing: float) -> float:
        """How high it rose where its steps were too large for it to have learned, and the loss is
        `loss` now; else nan. `guessing` is the loss of knowing nothing, infinite where there is
        none.
        """
        base = self.first if math.isinf(guessing) else max(self.first, guessing)
        return self.peak if self.peak > FAR * base and loss > LEARNED * base else math.nan

    def state(self) -> list[float] | None:
        """For JSON; None before there are any."""
        return None if math.isnan(self.peak) else [self.first, self.peak]

    def recall(self, saved: Any) -> None:
        """What `state` gave; what does not fit is left out."""
        fits = isinstance(saved, list) and len(saved) == 2
        if fits and all(type(one) is float and math.isfinite(one) for one in saved):
            self.first, self.peak = saved
