"""What is plotted against the step: the engine makes it longer while the window reads it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from explorer.panes.backprop.network.moment import Moment
from explorer.panes.backprop.network.thinning import places_of

MOST_ENTRIES = 4000
MOST_KEPT = 300  # by a session


@dataclass
class Curves:
    """What is plotted against the step; the lists grow together."""

    steps: list[int] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    ratios: list[tuple[float, ...]] = field(default_factory=list)

    def take(self, moment: Moment) -> None:
        ratios = tuple(layer.ratio for layer in moment.layers)
        if self.steps and self.steps[-1] == moment.step:  # in place: the lists never get shorter
            self.train[-1], self.test[-1] = moment.train_loss, moment.test_loss
            self.ratios[-1] = ratios
            return
        self.ratios.append(ratios)
        self.test.append(moment.test_loss)
        self.train.append(moment.train_loss)
        self.steps.append(moment.step)

    def thinned(self) -> Curves:
        """With half the entries, once there are too many."""
        return self if len(self.steps) <= MOST_ENTRIES else self._few(MOST_ENTRIES // 2)

    def _few(self, count: int) -> Curves:
        lists = (self.steps, self.train, self.test, self.ratios)
        places = places_of(self.steps, count)
        return Curves(*([one[place] for place in places] for one in lists))  # type: ignore[arg-type]

    def state(self) -> dict[str, Any]:
        """For JSON: a part of the entries, to four digits."""
        few = self._few(MOST_KEPT)
        return {
            "steps": few.steps,
            "train": [_written(one) for one in few.train],
            "test": [_written(one) for one in few.test],
            "ratios": [[_written(one) for one in row] for row in few.ratios],
        }

    @classmethod
    def kept(cls, saved: Any, end: int) -> Curves:
        """What `state` gave of the steps up to `end`; empty where that does not fit."""
        try:
            steps = [int(step) for step in saved["steps"]]
            train, test = ([_read(one) for one in saved[name]] for name in ("train", "test"))
            ratios = [tuple(_read(one) for one in row) for row in saved["ratios"]]
        except (KeyError, TypeError, ValueError):
            return cls()
        grows = all(0 <= before < after for before, after in pairwise(steps))
        if not (len(steps) == len(train) == len(test) == len(ratios)) or not grows:
            return cls()
        count = sum(step <= end for step in steps)
        return cls(steps[:count], train[:count], test[:count], ratios[:count])

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[tuple[float, ...]]]:
        """As they are now, all of one length: the other thread may be adding."""
        count = len(self.steps)
        return (
            np.array(self.steps[:count], dtype=np.float64),
            np.array(self.train[:count]),
            np.array(self.test[:count]),
            self.ratios[:count],
        )


def _written(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _read(value: Any) -> float:
    return math.nan if value is None else float(value)
