"""Lanes: who waited for whom, clocks that differ, attempts that were given up, a large folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.files import append_line
from core.training import records
from core.training.lanes import LaneReader, ahead, lanes_of, straggler
from core.training.phases import PHASES
from core.training.records import Clock
from core.training.runs import create_run
from core.training.spans import KINDS, SPAN_DTYPE, Spans
from core.training.writer import RunWriter
from tests.core.training.small import finish, small_config

REDUCE, BACKWARD = KINDS.index("all-reduce"), KINDS.index("backward")


def spans(*rows: tuple[str, float, float, int], step: int = 1, attempt: int = 1) -> np.ndarray:
    counted: dict[str, int] = {}
    made = []
    for kind, start, end, size in rows:
        counted[kind] = counted.get(kind, -1) + 1
        made.append((attempt, step, KINDS.index(kind), counted[kind], start, end, size))
    return np.array(made, SPAN_DTYPE)


def test_an_exchange_begins_with_the_last_rank() -> None:
    quick = spans(("backward", 10.0, 12.0, 0), ("all-reduce", 11.0, 13.5, 8))
    slow = spans(("backward", 10.5, 13.2, 0), ("all-reduce", 13.0, 13.5, 8))
    lanes = lanes_of([quick, slow])
    assert [lane.waited for lane in lanes] == [2.0, 0.0]
    assert [lane.exchanged for lane in lanes] == pytest.approx([0.5, 0.5])
    assert lanes[0].phases["start"].tolist() == [0.0] and lanes[1].phases["start"].tolist() == [0.5]
    assert straggler(lanes) == 1 and straggler(lanes_of([quick, quick])) is None
    assert [lane.bytes for lane in lanes] == [8, 8] and lanes[0].end == 3.5


def test_waits_that_overlap_count_once_and_the_last_bucket_ends_what_is_beside_it() -> None:
    quick = spans(
        ("backward", 0.0, 2.0, 0),
        ("all-reduce", 0.0, 3.0, 8),
        ("all-reduce", 1.0, 4.0, 8),
        ("sum", 4.0, 5.0, 8),
    )
    slow = spans(
        ("backward", 0.0, 3.0, 0),
        ("all-reduce", 2.5, 3.0, 8),
        ("all-reduce", 3.5, 4.0, 8),
        ("sum", 4.5, 5.0, 8),
    )
    first, second = lanes_of([quick, slow])
    # From the start of the last bucket on nothing is left to compute.
    assert first.waits.tolist() == [[1.0, 3.5], [4.0, 4.5]] and len(second.waits) == 0
    assert first.waited == 3.0 and first.exchanged == 1.5
    assert (first.computing, second.computing) == (1.0, 3.0)


def test_a_gather_inside_a_phase_holds_it_up() -> None:
    quick = spans(("forward", 0.0, 4.0, 0), ("all-gather", 0.0, 2.5, 8), ("all-gather", 3, 4, 8))
    slow = spans(("forward", 0.0, 4.0, 0), ("all-gather", 2.0, 2.5, 8), ("all-gather", 3.5, 4, 8))
    first, second = lanes_of([quick, slow])
    assert first.pieces(first.phases[0]) == [(0.0, 2.0, 3.0), (3.0, 3.5, 4.0)]
    assert second.pieces(second.phases[0]) == [(0.0, 0.0, 4.0)]
    assert (first.computing, second.computing) == (1.5, 4.0)


def test_a_run_that_goes_on_with_fewer_ranks_is_followed(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    for attempt, ranks in ((1, 3), (2, 1)):
        for rank in range(ranks):
            writer = RunWriter(folder, 2 * attempt - 2, rank, ranks=ranks)
            for step in range(2 * attempt - 1, 2 * attempt + 1):
                writer.spans(spans(("backward", step, step + 0.5, 0), step=step, attempt=attempt))
            writer.close()
    reader = LaneReader(folder)
    assert reader.ranks == 1 and reader.last_step == 4
    assert [len(lane.phases) for lane in reader.step(4)] == [1]


def test_every_step_has_all_its_phases_also_the_last(tmp_path: Path) -> None:
    quiet = {"sample_every": 0, "probe_every": 0, "evaluate_every": 0}
    run = finish(small_config(tmp_path, steps=2, **quiet), tmp_path / "run")
    for step in (1, 2):
        (lane,) = LaneReader(run.folder).step(step)
        assert [KINDS[kind] for kind in lane.phases["kind"]] == list(PHASES)


def test_clocks_of_two_machines_are_set_by_one() -> None:
    mine = spans(("backward", 10.0, 12.0, 0))
    lanes = lanes_of([mine, spans(("backward", 110.0, 112.0, 0))], [0.0, 100.0])
    assert lanes[1].phases["start"].tolist() == lanes[0].phases["start"].tolist() == [0.0]


def test_spans_of_a_step_in_the_newest_attempt(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    for attempt, begun in ((1, 0), (2, 2)):
        with_ranks = [RunWriter(folder, begun, rank, ranks=2) for rank in (0, 1)]
        for rank, writer in enumerate(with_ranks):
            looks = [1000.0 + 50 * rank, 1001.0 + 50 * rank, 1002.0 + (90 if rank else 0)]
            writer.event("clock", begun, {"now": looks, "host": f"machine{rank}"})
            for step in range(begun + 1, begun + 4):
                start = 100.0 * attempt + step + 50 * rank
                writer.spans(spans(("backward", start, start + 0.5, 0), step=step, attempt=attempt))
            writer.close()
    reader = LaneReader(folder)
    assert reader.ranks == 2 and reader.last_step == 5
    for step in (1, 3, 5):
        lanes = reader.step(step)
        assert [len(lane.phases) for lane in lanes] == [1, 1]
        assert [float(lane.phases["start"][0]) for lane in lanes] == [0.0, 0.0]  # one clock
    RunWriter(folder, 4, ranks=2).close()  # it begins again after step 4
    reader.refresh()
    assert reader.last_step == 4 and len(reader.step(4)[0].phases) == 1
    assert [len(lane.phases) for lane in reader.step(9)] == [0, 0]
    totals = reader.totals(1, 2)
    assert totals[:, BACKWARD].tolist() == pytest.approx([1.0, 1.0])


def test_a_clock_that_drifts_is_compared_again(tmp_path: Path) -> None:
    """What counts is the last comparison before a step that both ranks have told of."""
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    drift = {0: 0.0, 10: 2.0, 20: 5.0}
    with_ranks = [RunWriter(folder, 0, rank, ranks=2) for rank in (0, 1)]
    for rank, writer in enumerate(with_ranks):
        for step, seconds in drift.items():
            if rank == 0 or step < 20:
                looks = [step + rank * seconds] * 3
                writer.event("clock", step, {"now": looks, "host": f"machine{rank}"})
        for step in (10, 11, 21):
            writer.spans(spans(("backward", step, step + 0.5, 0), step=step))
        writer.close()
    starts = [
        [float(lane.phases["start"][0]) for lane in LaneReader(folder).step(step)]
        for step in (10, 11, 21)
    ]
    assert starts == [[0.0, 0.0], [2.0, 0.0], [2.0, 0.0]]


def test_ranks_of_one_machine_have_one_clock() -> None:
    """However late one of them woke up after the barrier."""
    first = Clock(event="clock", attempt=1, step=0, time=0.0, now=(1.0, 2.0), host="one")
    assert ahead(replace(first, now=(1.3, 2.4)), first) == 0.0
    assert ahead(replace(first, now=(8.0, 9.0), host="two"), first) == 7.0
    assert ahead(None, first) == ahead(first, None) == 0.0


def test_a_torn_last_span_waits_for_its_end(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    writer = RunWriter(folder)
    writer.spans(spans(("backward", 1.0, 2.0, 0)))
    writer.close()
    path = records.spans_file(folder)
    path.write_bytes(path.read_bytes() + b"abc")
    assert LaneReader(folder).last_step == 1
    RunWriter(folder, 1).close()  # cut off
    assert path.stat().st_size == SPAN_DTYPE.itemsize
    damaged = spans(("backward", np.nan, 2.0, 0), ("clip", 2.0, 3.0, 0), step=2, attempt=2)
    damaged["kind"][1] = 1000
    path.write_bytes(path.read_bytes() + damaged.tobytes())
    append_line(records.events_file(folder), {"event": "clock", "attempt": 1, "now": "late"})
    assert len(LaneReader(folder).step(2)[0].phases) == 0


def test_spans_are_kept_in_the_order_in_which_they_end_and_counted() -> None:
    log = Spans()
    log.step = 3
    for _ in range(2):
        start = log.mark()
        log.add("forward", start, log.mark())
    log.add("all-reduce", log.mark(), log.mark(), 64)
    taken = log.take(attempt=2)
    assert taken["index"].tolist() == [0, 1, 0] and taken["step"].tolist() == [3, 3, 3]
    assert taken["bytes"].tolist() == [0, 0, 64] and set(taken["attempt"]) == {2}
    assert (taken["end"] >= taken["start"]).all() and not len(log.take(2))
    log.step = 4
    log.add("forward", log.mark(), log.mark())
    assert log.take(2)["index"].tolist() == [0]
