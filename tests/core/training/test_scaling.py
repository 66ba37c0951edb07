"""Scaling efficiency: what one run alone says of it."""

from __future__ import annotations

import numpy as np

from core.training.lanes import lanes_of
from core.training.scaling import efficiency_bound
from tests.core.training.test_lanes import spans


def test_a_rank_that_waits_for_another_bounds_the_efficiency() -> None:
    """Of a step of 4 seconds the quick rank waits one beside nothing, and the slow one never."""
    quick = spans(("forward", 0.0, 2.0, 0), ("backward", 2.0, 3.0, 0), ("sum", 3.0, 4.0, 8))
    slow = spans(("forward", 0.0, 2.0, 0), ("backward", 2.0, 4.0, 0), ("sum", 4.0, 4.0, 8))
    clip = spans(("clip", 3.0, 4.0, 0))  # in which the sum was waited for
    shares = _shares(np.concatenate([quick, clip]), slow)
    assert shares.tolist() == [0.75, 1.0] and efficiency_bound(shares) == 0.875


def test_an_exchange_beside_backward_is_no_loss() -> None:
    last = ("all-reduce", 3.5, 4.0, 8)
    one = spans(("backward", 0.0, 4.0, 0), ("all-reduce", 1.0, 3.5, 8), last)
    other = spans(("backward", 0.0, 4.0, 0), ("all-reduce", 3.0, 3.5, 8), last)
    assert efficiency_bound(_shares(one, other)) == 1.0


def test_a_rank_that_waits_for_its_last_bucket_computes_no_more() -> None:
    one = spans(("backward", 0.0, 4.0, 0), ("all-reduce", 1.0, 4.0, 8))
    other = spans(("backward", 0.0, 4.0, 0), ("all-reduce", 3.0, 4.0, 8))
    assert _shares(one, other).tolist() == [0.5, 1.0]
    assert efficiency_bound(np.zeros(0)) is None and efficiency_bound(np.zeros(2)) is None


def _shares(*ranks: np.ndarray) -> np.ndarray:
    lanes = lanes_of(ranks)
    return np.array([lane.computing for lane in lanes]) / max(lane.end for lane in lanes)
