"""Which of many steps are kept: close together where learning begins, ever further apart. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def places_of(steps: Sequence[int], count: int) -> list[int]:
    """Places of about `count` of `steps`, which grow: the first and the last, and between them
    steps whose distance grows like the root of the step. All where there are no more.
    """
    if len(steps) <= count:
        return list(range(len(steps)))
    marks = steps[0] + (steps[-1] - steps[0]) * np.linspace(0, 1, count) ** 2
    return np.unique(np.searchsorted(steps, marks - 1e-9)).tolist()
