"""Losses and update ratios by step, for the plots.

The engine's thread appends to the curves while the GUI thread reads them. No Qt here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from explorer.panes.backprop.network.keyframe import Keyframe

MOST_ENTRIES = 4000


@dataclass
class Curves:
    """The curves; all lists have an entry for each of `steps`."""

    steps: list[int] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    test: list[float] = field(default_factory=list)
    ratios: list[tuple[float, ...]] = field(default_factory=list)

    def take(self, keyframe: Keyframe) -> None:
        ratios = tuple(layer.ratio for layer in keyframe.layers)
        if self.steps and self.steps[-1] == keyframe.step:  # in place: the lists never shrink
            self.train[-1], self.test[-1] = keyframe.train_loss, keyframe.test_loss
            self.ratios[-1] = ratios
            return
        self.ratios.append(ratios)
        self.test.append(keyframe.test_loss)
        self.train.append(keyframe.train_loss)
        self.steps.append(keyframe.step)

    def thinned(self) -> Curves:
        """Returns the curves with half their entries if there are too many."""
        if len(self.steps) <= MOST_ENTRIES:
            return self
        lists = (self.steps, self.train, self.test, self.ratios)
        places = places_of(self.steps, MOST_ENTRIES // 2)
        return Curves(*([one[place] for place in places] for one in lists))  # type: ignore[arg-type]

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[tuple[float, ...]]]:
        """Returns copies of equal length: the other thread may be appending."""
        count = len(self.steps)
        return (
            np.array(self.steps[:count], dtype=np.float64),
            np.array(self.train[:count]),
            np.array(self.test[:count]),
            self.ratios[:count],
        )


def places_of(steps: Sequence[int], count: int) -> list[int]:
    """Returns the indices of about `count` of the increasing `steps`: the first, the last, and
    between them steps at distances that grow as the root of the step. All if there are fewer.
    """
    if len(steps) <= count:
        return list(range(len(steps)))
    marks = steps[0] + (steps[-1] - steps[0]) * np.linspace(0, 1, count) ** 2
    return np.unique(np.searchsorted(steps, marks - 1e-9)).tolist()
