"""Scaling efficiency: how much of N ranks' speed becomes tokens."""

from __future__ import annotations

import numpy as np


def efficiency_bound(computing: np.ndarray) -> float | None:
    """What the scaling efficiency hardly exceeds, from one run of several ranks alone.

        E(N) = v(N) / (N v(1))        v in tokens a second
        compute / (compute + communication + idle), the mean over the ranks of a step

    E is 1 where the speed doubles with the ranks. Goyal et al. 2017 ("Accurate, Large Minibatch
    SGD", abstract) reach 0.9 from 8 to 256 GPUs.

    computing  the share of the step in which each rank computes, (ranks,): `LaneTrace.busy`

    One rank by itself would be rid of the last two, and would compute no slower: nobody shares its
    memory with it. None where nothing is known of the step.
    """
    return float(computing.mean()) if computing.any() else None
