"""A step across ranks as a Trace: who waits, who sends how much, measured or estimated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.marked_line import marked_line
from core.substitution import arithmetic
from core.trace import source
from core.training.estimates.communication import Link
from core.training.estimates.step_timeline import STRATEGIES, step_timeline
from core.training.lane_trace import (
    LaneTrace,
    RunLanes,
    estimated_trace,
    measured_trace,
    sent_bytes,
)
from core.training.lanes import lanes_of
from core.training.runs import create_run
from core.training.writer import RunWriter
from core.transformer.config import ModelConfig
from tests.core.training.small import small_config
from tests.core.training.test_lanes import spans

QUICK = spans(
    ("forward", 0.0, 0.4, 0),
    ("backward", 0.4, 1.0, 0),
    ("all-reduce", 0.5, 0.9, 800),
    ("all-reduce", 0.6, 1.0, 400),
    ("optimizer", 1.0, 1.1, 0),
)
SLOW = spans(
    ("forward", 0.0, 0.7, 0),
    ("backward", 0.7, 1.0, 0),
    ("all-reduce", 0.8, 0.9, 800),
    ("all-reduce", 0.9, 1.0, 400),
    ("optimizer", 1.0, 1.1, 0),
)
MODEL = ModelConfig(vocab_size=1536, block_size=128, n_layer=8, n_head=8, n_embd=128)


def two_ranks(folder: Path, steps: int = 1) -> Path:
    """A folder as two ranks leave it."""
    run = create_run(folder / "run", small_config(folder, ranks=2))
    for rank, mine in enumerate((QUICK, SLOW)):
        writer = RunWriter(run, 0, rank, ranks=2)
        for step in range(1, steps + 1):
            mine = mine.copy()
            mine["step"] = step
            writer.spans(mine)
            memory = (rank + 1) * 10**8 + step
            told = {"step": step, "loss": 1.0, "tokens": 96, "seconds": 1.1, "memory": memory}
            writer.step(told)
        writer.event("end", steps, {"reason": "failed", "message": "rank 1 of 2 was killed"})
        writer.close()
    return run


def estimated(strategy: str, devices: int = 4) -> LaneTrace:
    link = Link(bandwidth=1e9, latency=1e-5)
    return estimated_trace(step_timeline(strategy, MODEL, 16, devices, speed=8e10, link=link))


def test_what_ranks_do_together_is_one_step(tmp_path: Path) -> None:
    lanes = measured_trace(lanes_of([QUICK, SLOW]), small_config(tmp_path, ranks=2), 1)
    names = ("forward", "backward", "all-reduce 1", "all-reduce 2", "optimizer")
    assert lanes.labels == names
    assert lanes.bars["place"].tolist() == [0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4]
    assert [step.lane for step in lanes.trace] == [
        *("compute", "compute", "exchange", "exchange", "compute"),
    ]
    first = lanes.trace[2]
    assert (first.start, first.end) == (0.5, 0.9) and first.code.endswith("_add_up#all_reduce")
    assert first.title.startswith("All-reduce 1: the ranks add up their gradients")
    assert first.title.endswith("; rank 0 waits 300 ms for rank 1")
    assert (
        lanes.of(2)["ready"].tolist() == [0.8, 0.8] and lanes.of(2)["bytes"].tolist() == [800] * 2
    )
    assert lanes.straggler == 1 and lanes.seconds == pytest.approx(1.1) and lanes.sent == 1200
    # Backward goes on beside the first bucket, and has nothing left to do beside the last.
    assert lanes.waited.tolist() == pytest.approx([0.3, 0.0])
    assert lanes.computing.tolist() == pytest.approx([0.8, 1.1])
    assert lanes.busy.tolist() == pytest.approx([0.8 / 1.1, 1.0])
    backward = lanes.by_rank(1)
    assert backward["rank"].tolist() == [0, 1] and backward["start (s)"].tolist() == [0.4, 0.7]
    assert backward["waited (s)"].tolist() == pytest.approx([0.3, 0.0])
    assert backward["took (s)"].tolist() == pytest.approx([0.3, 0.3])
    assert {(shard.begin, shard.end) for shard in lanes.shards} == {(0.0, 1.0)}
    for step in lanes.trace:
        assert source(step.code).marked >= 0


def test_what_one_rank_does_not_know_is_not_told(tmp_path: Path) -> None:
    records = [{"memory": 5.0, "cpu": 1.0, "gpu": 0.5}, {"memory": 6.0, "cpu": 2.0, "gpu": np.nan}]
    lanes = measured_trace(lanes_of([QUICK, SLOW]), small_config(tmp_path, ranks=2), 1, records)
    assert (lanes.memory.tolist(), lanes.cores.tolist(), lanes.gpu.tolist()) == ([5, 6], [1, 2], [])


def test_a_wait_in_a_phase_is_no_computation(tmp_path: Path) -> None:
    waits = spans(("clip", 0.0, 1.0, 0), ("sum", 0.0, 1.0, 8))
    comes = spans(("forward", 0.0, 0.75, 0), ("clip", 0.75, 1.0, 0), ("sum", 0.75, 1.0, 8))
    ranks = lanes_of([waits, comes])
    lanes = measured_trace(ranks, small_config(tmp_path, ranks=2), 1)
    assert lanes.computing.tolist() == pytest.approx([0.25, 1.0])
    assert lanes.computing.tolist() == pytest.approx([lane.computing for lane in ranks])


def test_exchanges_of_a_kind_are_numbered_by_their_starts(tmp_path: Path) -> None:
    """Spans are written as they end, which may be in another order."""
    mine = spans(
        ("forward", 0.0, 1.0, 0),
        ("all-gather", 0.4, 0.5, 8),
        ("all-gather", 0.1, 0.6, 16),
        ("reduce-scatter", 0.8, 0.9, 8),
    )
    lanes = measured_trace(lanes_of([mine, mine]), small_config(tmp_path, ranks=2), 1)
    assert lanes.labels == ("forward", "all-gather 1", "all-gather 2", "reduce-scatter")
    assert lanes.of(1)["bytes"].tolist() == [16, 16] and lanes.of(1)["start"].tolist() == [0.1, 0.1]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("devices", [2, 4, 8])
def test_every_step_of_an_estimate_is_a_line_with_its_numbers(strategy: str, devices: int) -> None:
    lanes = estimated(strategy, devices)
    assert lanes.estimated and lanes.ranks == devices and lanes.labels[-1]
    starts = [step.start for step in lanes.trace]
    assert starts == sorted(starts)
    for place, step in enumerate(lanes.trace):
        bars, line = lanes.of(place), marked_line(step.code)
        bars = bars[bars["end"] > bars["ready"]]  # a device that is done before the others waits
        assert 1 <= len(bars) == len(set(bars["rank"].tolist())) <= devices
        assert (step.start, step.end) == (bars["ready"].min(), bars["end"].max())
        made = arithmetic(step).value
        assert made == pytest.approx(float(step.value(line.made)))
        if step.lane == "compute" or line.made == "seconds":
            assert made == pytest.approx(bars["end"][0] - bars["ready"][0])
        else:
            assert made == pytest.approx(bars["bytes"][0])


def test_an_estimate_tells_what_its_timeline_does() -> None:
    link = Link(bandwidth=1e9)
    step = step_timeline("pipeline", MODEL, 16, 4, speed=8e10, link=link)
    lanes = estimated_trace(step)
    assert lanes.seconds == step.seconds
    assert 1 - lanes.busy.mean() == pytest.approx(step.idle_share)
    assert lanes.computing.tolist() == pytest.approx([step.busy(device) for device in range(4)])
    assert (lanes.computing + lanes.waited).tolist() == pytest.approx([step.seconds] * 4)
    assert lanes.sent == pytest.approx(max(step.sent(device) for device in range(4)))
    back = [one for one in step.operations if one.kind == "send back"]
    assert {one.device for one in back} == {1, 2, 3}  # the first stage has nobody before it


def test_a_part_with_a_number_has_no_article() -> None:
    titles = [step.title.partition(":")[0] for step in estimated("zero3").trace]
    assert {"Forward of block 0", "Forward of the head"} <= set(titles)


def test_a_rank_sends_as_a_ring_does() -> None:
    assert sent_bytes("all-reduce", 100, 4) == 150 and sent_bytes("sum", 8, 2) == 8
    assert sent_bytes("reduce-scatter", 100, 4) == 75
    assert sent_bytes("all-gather", 25, 4) == 75  # it gives its part of 100
    assert sent_bytes("forward", 0, 4) == 0


def test_a_run_s_steps_are_read_one_by_one(tmp_path: Path) -> None:
    run = RunLanes(two_ranks(tmp_path, steps=3))
    newest, first = run.read(), run.read(1)
    assert (newest.number, first.number, run.read(99).number) == (3, 1, 3)
    assert newest.memory.tolist() == [10**8 + 3, 2 * 10**8 + 3]
    assert first.memory.tolist() == [10**8 + 1, 2 * 10**8 + 1] and newest.ranks == 2


def test_a_run_without_spans_has_ranks_and_no_step(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path, ranks=2))
    assert RunLanes(folder).read().ranks == 0
    writers = [RunWriter(folder, 0, rank, ranks=2) for rank in (0, 1)]
    lanes = RunLanes(folder).read()
    assert (lanes.ranks, lanes.number, len(lanes.trace), lanes.seconds) == (2, 0, 0, 0.0)
    assert lanes.busy.tolist() == [0.0, 0.0] and len(lanes.parts)
    for writer in writers:
        writer.close()
