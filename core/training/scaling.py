"""Scaling efficiency: how much of N ranks' speed becomes tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.training.lanes import Lane


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


def computing_shares(lanes: Sequence[Lane]) -> np.ndarray:
    """The share of a step in which each rank computes; the rest is communication, of which it does
    nothing else beside, and idle time. (ranks,)
    """
    seconds = max((lane.end for lane in lanes), default=0.0)
    computing = np.array([lane.computing for lane in lanes])
    return np.clip(computing / seconds, 0.0, 1.0) if seconds else computing


def efficiency_bound(lanes: Sequence[Lane]) -> float | None:
    """What the scaling efficiency cannot exceed, from one run of several ranks alone:

        compute / (compute + communication + idle), the mean over the ranks of a step

    One rank by itself would be rid of the last two, and would compute no slower: nobody shares its
    caches and memory with it. None where nothing is known of the step.
    """
    shares = computing_shares(lanes)
    return float(shares.mean()) if shares.any() else None
