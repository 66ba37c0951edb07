"""Scaling efficiency: how much of N ranks' speed becomes tokens."""

from __future__ import annotations

import numpy as np


def scaling_efficiency(together: float, ranks: int, alone: float) -> float:
    """The speed of N ranks as a share of N times the speed of one.

        E(N) = v(N) / (N v(1))        v in tokens a second

    1 is a speed that doubles with the ranks. Goyal et al. 2017 ("Accurate, Large Minibatch SGD",
    abstract) reach 0.9 from 8 to 256 GPUs. What is compared computes the same: model, precision,
    and, for weak scaling, sequences of each rank; for strong scaling those of all ranks together.
    More than 1 is possible where what each rank holds begins to fit into a cache.

    Raises ValueError for no ranks, and for a speed that is none.
    """
    if ranks < 1 or not together > 0 or not alone > 0:
        raise ValueError(
            "scaling efficiency compares two speeds; give tokens a second of both, and the ranks"
        )
    return together / (ranks * alone)


def efficiency_bound(computing: np.ndarray) -> float | None:
    """What the scaling efficiency hardly exceeds, from one run of several ranks alone:

        compute / (compute + communication + idle), the mean over the ranks of a step

    computing  the share of the step in which each rank computes, (ranks,): `LaneTrace.busy`

    One rank by itself would be rid of the last two, and would compute no slower: nobody shares its
    memory with it. None where nothing is known of the step.
    """
    return float(computing.mean()) if computing.any() else None
