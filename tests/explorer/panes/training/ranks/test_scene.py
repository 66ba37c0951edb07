"""Where bars stand, which events the track has, and what is said of them."""

from __future__ import annotations

import pytest

from core.training.estimates.step_timeline import STRATEGIES
from core.training.lanes import lanes_of, straggler
from explorer.panes.training.ranks import text
from explorer.panes.training.ranks.compute import DEVICES, computed
from explorer.panes.training.ranks.inspector import inspection
from explorer.panes.training.ranks.scene import Scene, held_by, measured_scene
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


def measured() -> Scene:
    lanes = lanes_of([QUICK, SLOW])
    return measured_scene(lanes, straggler(lanes))


def test_what_ranks_do_together_is_one_event() -> None:
    scene = measured()
    labels = [event.label for event in scene.events]
    assert labels == ["forward", "backward", "all-reduce 1", "all-reduce 2", "optimizer"]
    assert all(len(event.bars) == 2 for event in scene.events)
    assert [bar.event for bar in scene.events[2].bars] == [2, 2]
    first = scene.events[2]
    assert first.waited == pytest.approx(0.3) and (first.first, first.last) == (0, 1)
    assert first.bytes == 800 and scene.seconds == pytest.approx(1.1)
    assert scene.straggler == 1
    assert text.headline(scene, "ddp") == "Rank 0 waits 400 ms of 1.10 s for rank 1"
    title = text.event_title(first, scene)
    assert title.startswith("All-reduce 1: gradients are added up over the ranks")
    assert title.endswith("; rank 0 waits 300 ms for rank 1")


def test_the_cursor_goes_through_the_events_in_time() -> None:
    scene = measured()
    times = [scene.time_at(position / 4) for position in range(4 * len(scene.events))]
    assert times == sorted(times) and times[0] == 0.0
    assert scene.event_at(0.65) == 3 and scene.event_at(-1.0) == 0
    assert Scene(0, (), 0.0, False).time_at(3.5) == 0.0


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("devices", DEVICES)
def test_every_strategy_is_computed_for_the_example(strategy: str, devices: int) -> None:
    found = computed(strategy, devices, None)
    assert found.scene is not None and found.scene.computed and not found.error
    assert text.headline(found.scene, strategy).startswith("Computed, not measured: ")
    assert all(len(event.bars) <= devices for event in found.scene.events)
    for event in found.scene.events:
        shown = inspection(event, found.scene, strategy)
        assert shown.title == text.event_title(event, found.scene, strategy)
        assert len(shown.rows) == len(event.bars) and "rank" in shown.table
        assert event.kind not in shown.title.partition(": ")[2]  # said in words


def test_what_does_not_fit_a_run_s_model_is_said(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from tests.core.training.small import small_config

    found = computed("pipeline", 4, small_config(tmp_path))
    assert found.scene is None and "2 layers make no pipeline of 4 stages" in found.error


def test_a_run_s_ranks_hold_all_or_their_part() -> None:
    step = computed("ddp", 2, None)
    assert step.scene is not None
    whole = held_by("ddp", step.scene.parts, 2)
    assert {(held.begin, held.end) for held in whole} == {(0.0, 1.0)}
    parts = held_by("fsdp2", step.scene.parts, 2)
    assert {(held.begin, held.end) for held in parts} == {(0.0, 0.5), (0.5, 1.0)}
