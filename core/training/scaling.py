"""Scaling efficiency: the speed of N ranks relative to N times that of one."""

from __future__ import annotations

import numpy as np


def efficiency_bound(computing: np.ndarray) -> float | None:
    """Returns an approximate bound on scaling efficiency, from a single run on several ranks.

        E(N) = v(N) / (N v(1))        v in tokens a second
        compute / (compute + communication + idle), the mean over the ranks of a step

    E is 1 if the speed doubles with the ranks. Goyal et al. 2017 ("Accurate, Large Minibatch SGD",
    abstract) reach 0.9 from 8 to 256 GPUs.

    computing  the share of the step in which each rank computes, (ranks,): `LaneTrace.busy`

    A single rank has no communication or idle time, and computes no slower: no other rank shares
    its memory. None if nothing is known of the step.
    """
    return float(computing.mean()) if computing.any() else None
