"""The bubble that the formula says is the one that a played schedule has."""

from itertools import pairwise

import pytest

from core.training.estimates.pipeline import (
    Work,
    bubble,
    schedule,
    timeline,
)

CASES = [
    ("gpipe", 4, 8, 1), ("1f1b", 4, 8, 1), ("gpipe", 3, 2, 1), ("1f1b", 3, 2, 1), ("1f1b", 1, 4, 1),
    ("interleaved", 4, 8, 1), ("interleaved", 4, 8, 2), ("interleaved", 2, 6, 3),
    ("interleaved", 8, 16, 4),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "stages", "micro_batches", "chunks"), CASES)
@pytest.mark.parametrize("backward", [1.0, 2.0, 3.0])
def test_a_played_schedule_is_idle_as_long_as_the_formula_says(
    kind: str, stages: int, micro_batches: int, chunks: int, backward: float
) -> None:
    spans = timeline(schedule(kind, stages, micro_batches, chunks), 1.0, backward)
    working = micro_batches * (1.0 + backward)
    idle = max(span.end for span in spans) - working
    assert idle / working == pytest.approx(bubble(stages, micro_batches, chunks))


def test_the_bubble_of_four_stages_and_eight_micro_batches() -> None:
    assert bubble(4, 8) == 0.375
    assert bubble(4, 8) / (1 + bubble(4, 8)) == pytest.approx(0.273, abs=5e-4)
    assert bubble(4, 8, chunks=2) == 0.375 / 2


@pytest.mark.parametrize(("kind", "stages", "micro_batches", "chunks"), CASES)
def test_every_stage_does_every_pass_once(
    kind: str, stages: int, micro_batches: int, chunks: int
) -> None:
    everything = {
        Work(backward, number, chunk)
        for backward in (False, True)
        for number in range(micro_batches)
        for chunk in range(chunks)
    }
    for works in schedule(kind, stages, micro_batches, chunks):
        assert len(works) == len(everything) and set(works) == everything


@pytest.mark.parametrize(("kind", "most"), [("gpipe", 8), ("1f1b", 4)])
def test_the_first_stage_holds_so_many_micro_batches(kind: str, most: int) -> None:
    held, largest = 0, 0
    for work in schedule(kind, 4, 8)[0]:
        held += -1 if work.backward else 1
        largest = max(largest, held)
    assert largest == most


def test_no_stage_does_two_things_at_once() -> None:
    spans = timeline(schedule("interleaved", 4, 8, 2))
    for stage in range(4):
        own = [span for span in spans if span.stage == stage]
        assert all(before.end <= after.start for before, after in pairwise(own))


@pytest.mark.parametrize(
    ("call", "remedy"),
    [
        (lambda: schedule("1b1f", 2, 2), "gpipe or 1f1b or interleaved"),
        (lambda: schedule("gpipe", 2, 2, 2), "use 'interleaved'"),
        (lambda: schedule("interleaved", 4, 6, 2), "use 8"),
        (lambda: bubble(0, 4), "at least one stage"),
        (lambda: timeline([[Work(True, 0, 0)]]), "wait for one another"),
    ],
)
def test_what_cannot_be_says_the_remedy(call, remedy) -> None:
    with pytest.raises(ValueError, match=remedy):
        call()
