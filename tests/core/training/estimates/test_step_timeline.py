"""Computed steps: what is sent, held and idle, against the papers' formulas."""

from __future__ import annotations

from itertools import pairwise

import pytest

from core.training.estimates.communication import Link, data_parallel
from core.training.estimates.pipeline import bubble
from core.training.estimates.step_timeline import (
    STATES,
    STRATEGIES,
    StepTimeline,
    parts_of,
    step_timeline,
)
from core.transformer.config import ModelConfig
from core.transformer.parameters import parameter_count

MODEL = ModelConfig(vocab_size=1536, block_size=128, n_layer=8, n_head=8, n_embd=128)
LINK = Link(bandwidth=1e9, latency=1e-5)


def made(strategy: str, **changes: object) -> StepTimeline:
    given = {"batch_size": 16, "speed": 8e10, "link": LINK, **changes}
    return step_timeline(strategy, MODEL, **given)  # type: ignore[arg-type]


def test_the_parts_are_the_whole_model() -> None:
    for changes in ({}, {"tie_weights": False}, {"norm_placement": "post"}, {"bias": False}):
        model = ModelConfig(
            **{
                "vocab_size": 50,
                "block_size": 16,
                "n_layer": 3,
                "n_head": 2,
                "n_embd": 8,
                **changes,
            }
        )  # type: ignore[arg-type]
        assert sum(part.weights for part in parts_of(model)) == parameter_count(model)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_streams_do_one_thing_at_a_time(strategy: str) -> None:
    step = made(strategy)
    for device in range(4):
        for exchanges in (False, True):
            mine = [o for o in step.operations if o.device == device and o.is_exchange == exchanges]
            mine.sort(key=lambda operation: operation.start)
            assert all(one.end <= two.start + 1e-12 for one, two in pairwise(mine))
    assert 0 <= step.idle_share < 1


@pytest.mark.parametrize(
    ("strategy", "stage"), [("ddp", 0), ("zero1", 1), ("zero2", 2), ("zero3", 3)]
)
def test_data_parallel_devices_send_what_the_formula_says(strategy: str, stage: int) -> None:
    size = 4.0 * parameter_count(MODEL)
    assert made(strategy).sent() == pytest.approx(data_parallel(size, size, stage, 4).bytes)


def test_who_holds_what() -> None:
    size = parameter_count(MODEL)
    held = {strategy: made(strategy).held_bytes(1) / size for strategy in STRATEGIES}
    assert held["ddp"] == 16  # fp32 with Adam: 4 + 4 + 8
    assert held["zero1"] == pytest.approx(8 + 8 / 4)
    assert held["zero2"] == pytest.approx(4 + 12 / 4)
    assert held["zero3"] == held["tensor"] == pytest.approx(16 / 4)
    for strategy in STRATEGIES:
        step = made(strategy)
        for part in range(len(step.parts)):
            for state in STATES:
                mine = [h for h in step.shards if h.part == part and h.state == state]
                assert sum(h.end - h.begin for h in mine) >= 1 - 1e-12
    whole = sum(made("pipeline").held_bytes(device) for device in range(4))
    assert whole == pytest.approx(16 * size)


def test_the_bubble_is_the_formula_s() -> None:
    step = made("pipeline", micro_batches=8, link=Link(bandwidth=1e15))
    passes = [o for o in step.operations if o.kind in ("forward", "backward")]
    end = max(o.end for o in passes)
    busy = sum(o.end - o.start for o in passes if o.device == 2)
    assert (end - busy) / busy == pytest.approx(bubble(4, 8))
    assert made("pipeline", micro_batches=32).idle_share < step.idle_share
    slower = made("pipeline", link=Link(bandwidth=1e7))
    assert slower.idle_share > step.idle_share
    size = 4 * 16 * MODEL.block_size * MODEL.n_embd  # of the whole batch, in fp32
    sent = [step.sent(device) for device in range(4)]
    assert sent == pytest.approx([size, 2 * size, 2 * size, size])


def test_gradients_go_while_backward_computes() -> None:
    step = made("ddp")
    mine = [o for o in step.operations if o.device == 0]
    back = [o for o in mine if o.kind == "backward"]
    sums = [o for o in mine if o.kind == "all-reduce"]
    assert sums[0].start < back[-1].start and len(sums) == len(step.parts)
    optimizer = next(o for o in mine if o.kind == "optimizer")
    assert optimizer.start >= max(o.end for o in sums)


@pytest.mark.parametrize(
    ("strategy", "changes", "remedy"),
    [
        ("zero9", {}, "use ddp or zero1"),
        ("ddp", {"devices": 1}, "use at least 2"),
        ("tensor", {"devices": 3}, "3 devices cannot share 8 heads evenly"),
        ("pipeline", {"devices": 9}, "a pipeline of 9 devices .*; use 8 devices at most"),
    ],
)
def test_what_cannot_be_is_refused(strategy: str, changes: dict[str, object], remedy: str) -> None:
    with pytest.raises(ValueError, match=remedy):
        made(strategy, **changes)
