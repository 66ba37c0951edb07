"""Bytes on a ring, counted by a ring that is played, and the ZeRO paper's volumes."""

import numpy as np
import pytest

from core.training.estimates.communication import (
    Link,
    all_gather,
    all_reduce,
    data_parallel,
    reduce_scatter,
)


@pytest.mark.parametrize(
    ("ranks", "factor"), [(1, 0), (2, 1.0), (4, 1.5), (8, 1.75), (64, 1.96875)]
)
def test_a_ring_all_reduce_sends_hardly_more_for_many_ranks(ranks: int, factor: float) -> None:
    found = all_reduce(1e6, ranks)
    assert found.bytes == factor * 1e6
    assert found.steps == 2 * (ranks - 1)


def played_ring(ranks: int) -> tuple[np.ndarray, list[int], int]:
    """All-reduces numbers: what each rank ends with, what each has sent, and the steps."""
    values = np.random.default_rng(0).integers(0, 100, (ranks, ranks))  # rank, chunk
    held, sent, steps = values.copy(), [0] * ranks, 0
    for phase in range(2):
        for step in range(ranks - 1):
            chunks = [(rank - step + phase) % ranks for rank in range(ranks)]
            moved = [held[rank, chunk] for rank, chunk in enumerate(chunks)]
            for rank, chunk in enumerate(chunks):
                right = (rank + 1) % ranks
                if phase == 0:
                    held[right, chunk] += moved[rank]
                else:
                    held[right, chunk] = moved[rank]
                sent[rank] += 1
            steps += 1
    assert (held == values.sum(axis=0)).all()
    return held, sent, steps


@pytest.mark.parametrize("ranks", [2, 3, 4, 8])
def test_a_played_ring_sends_what_the_formula_says(ranks: int) -> None:
    _, sent, steps = played_ring(ranks)
    found = all_reduce(ranks, ranks)  # as many chunks of one byte
    assert set(sent) == {found.bytes}
    assert steps == found.steps


def test_time_is_latency_and_bandwidth() -> None:
    link = Link(bandwidth=1e9, latency=1e-5)
    assert all_gather(4e9, 4).seconds(link) == pytest.approx(3e-5 + 3.0)
    assert reduce_scatter(4e9, 4).seconds(link) == pytest.approx(3e-5 + 3.0)
    assert all_reduce(4e9, 4).seconds(link) == pytest.approx(6e-5 + 6.0)


@pytest.mark.parametrize(("stage", "volumes"), [(0, 2), (1, 2), (2, 2), (3, 3)])
def test_zero_sends_two_or_three_times_the_parameters(stage: int, volumes: int) -> None:
    """Rajbhandari et al. 2020, section 7, where N is large."""
    found = data_parallel(1.0, 1.0, stage, 1_000_000)
    assert found.bytes == pytest.approx(volumes, rel=1e-5)
    assert data_parallel(1.0, 1.0, stage, 1).bytes == 0
    eight = data_parallel(1.0, 1.0, stage, 1_000_000, 8)
    assert eight.bytes == pytest.approx({0: 2, 1: 2, 2: 9, 3: 24}[stage], rel=1e-5)


def test_another_stage_says_which_there_are() -> None:
    with pytest.raises(ValueError, match="0 .none., 1, 2 or 3"):
        data_parallel(1.0, 1.0, 4, 2)
    with pytest.raises(ValueError, match="at least 1"):
        all_reduce(1.0, 0)
