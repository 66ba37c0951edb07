"""What is said of a race: who is down or lowest, who is lost, and what limits SGD's rate."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.optimizers import compute, text
from explorer.panes.backprop.optimizers.compute import DOWN
from explorer.panes.backprop.optimizers.draft import TYPED, OptimizersDraft
from explorer.panes.backprop.optimizers.inspector import of_update
from explorer.panes.backprop.optimizers.text import headline, lost, step_title
from tests.explorer.panes.backprop.optimizers.races import NAMES, race, typed


def test_the_pane_says_what_its_race_is(mode, change):
    for one in (
        typed("x + y", ("sgd", "adam", "adamw"), 60),
        typed("-x**2 - y**2", ("sgd", "momentum"), 2000),
        OptimizersDraft(surface="ravine", racers=("sgd", "momentum"), steps=200),
        OptimizersDraft(racers=()),
    ):
        change(one)
        recording, player = mode.recording, mode.player
        for step in (0, 20, one.steps):
            player.seek(step)
            mode.tell()
            assert mode.headline == headline(recording, step) == headline(race(one), step)
            assert player.track.title(step) == step_title(recording, step)
            assert mode.view.map.accessibleDescription() == text.described(recording, step)
            gone, notice = recording.lost(step), mode.view.notice
            assert notice.isHidden() != bool(gone)
            assert not gone or notice.message == lost(gone)
        assert player.track.marks == text.marks(recording)
        assert len(mode.view.map.trails()) == len(one.racers)
        if not recording.descent > 0:  # without a bottom the plot has the heights themselves
            for lane in recording.lanes:
                shown = mode.view.loss.displayed()[lane.title][: lane.lost_at, 1]
                np.testing.assert_array_equal(shown, lane.heights[: lane.lost_at])


def test_who_is_down_has_come_nearly_all_the_way_and_stays():
    recording = race(OptimizersDraft(surface="ravine", racers=("sgd", "momentum"), steps=200))
    assert recording.bottom == 0 and recording.descent == 38.5
    assert set(recording.arrivals) == {"sgd", "momentum"}
    for name, step in recording.arrivals.items():
        heights = recording.lane(name).heights
        assert (heights[step:] <= DOWN * 38.5).all() and heights[step - 1] > DOWN * 38.5
        assert text.marks(recording)[step].startswith(recording.lane(name).title)
    first = min(recording.arrivals, key=recording.arrivals.get)
    told = headline(recording, 200)
    at = recording.arrivals[first]
    assert told.startswith(f"Step 200 of 200: {recording.title(first)} ")
    assert f"for good, at step {at}" in told
    one = typed("x**2 + y**2", ("sgd",), 10, start=(1.0, 1.0))
    assert race(one.with_setting("sgd", "learning_rate", 0.5)).arrivals == {"sgd": 1}
    assert race(one.with_setting("sgd", "learning_rate", 0.05)).arrivals == {}


def test_who_was_down_for_a_while_only_is_not_told_to_stay():
    recording = race(OptimizersDraft(surface="beale", racers=("adam",), steps=200))
    (lane,), at = recording.lanes, recording.arrivals["adam"]
    limit = recording.bottom + DOWN * recording.descent
    passed = int(np.flatnonzero(lane.heights <= limit)[0])
    assert passed < at - 1 and "lowest" in headline(recording, passed)
    assert f"for good, at step {at}" in headline(recording, at)


def test_with_noise_nobody_is_told_to_be_down():
    """All wander about the minimum: who is near it at the last step is chance."""
    for steps in (60, 150):
        recording = race(OptimizersDraft(surface="bowl", racers=tuple(OPTIMIZERS), steps=steps))
        assert recording.arrivals == {} and text.marks(recording) == {}
        averages = {lane.name: lane.heights[-20:].mean() for lane in recording.lanes}
        (first,) = recording.leaders(steps)
        assert first.name == min(averages, key=averages.get)
        assert f"{first.title} is lowest" in headline(recording, steps)
        assert "averaged over 20 steps" in headline(recording, steps)
    assert "averaged over 6 steps" in headline(recording, 5)


@pytest.mark.parametrize("formula", ["x + y", "-x**2 - y**2", "x*y", "x**2", "abs(x) + abs(y)"])
def test_where_no_minimum_is_known_nobody_is_down(formula):
    recording = race(typed(formula, ("sgd", "adam", "adamw"), 60))
    assert np.isnan(recording.bottom) and recording.arrivals == {}
    (first, *_) = recording.leaders(60)
    assert first.title in headline(recording, 60) and "lowest, at" in headline(recording, 60)


def test_below_every_known_minimum_there_is_no_bottom():
    recording = race(typed("x**3 - 3*x + y**2", ("sgd",), 200, start=(-2.5, 1.0)))
    assert recording.places.minima and np.isnan(recording.bottom)


def test_at_the_end_a_minimum_that_is_not_the_lowest_and_a_saddle_are_told():
    valleys = race(typed("x**4 - 3*x**2 + x + y**2", ("adagrad", "adam"), 300, start=(1.6, 0.5)))
    assert len(valleys.places.minima) == 2
    assert [valleys.place(lane, 300) for lane in valleys.lanes] == ["minimum", "minimum"]
    assert "only in a local minimum" in headline(valleys, 300)
    assert "minimum" not in headline(valleys, 299)
    saddle = race(typed("x**2 - y**2 + y**4/4", ("sgd",), 200, start=(1.0, 0.0)))
    assert saddle.place(saddle.lanes[0], 200) == "saddle"
    assert "close to a saddle" in headline(saddle, 200)
    lowest = race(typed("x**4 - 3*x**2 + x + y**2", ("adam",), 300, start=(-1.6, 0.5)))
    assert lowest.place(lowest.lanes[0], 300) == ""


def test_nobody_moves_where_there_is_no_slope():
    for formula, start in (("5", None), ("x**2 + y**2", (0.0, 0.0))):
        recording = race(typed(formula, start=start))
        assert recording.stands_still and "slope at the start is 0" in headline(recording, 20)
    # Weight decay moves them, and all stay as high.
    decaying = typed("5", ("sgd", "momentum", "adam"))
    for name in decaying.racers:
        decaying = decaying.with_setting(name, "weight_decay", 0.5)
    recording = race(decaying)
    assert not recording.stands_still and len(recording.leaders(20)) == 3


def test_who_is_equally_low_is_told_together():
    recording = race(OptimizersDraft(racers=("sgd", "adam", "adamw"), steps=50))
    assert [lane.name for lane in recording.leaders(30)] == ["adam", "adamw"]
    assert "Adam and AdamW are lowest, at" in headline(recording, 30)
    many = race(OptimizersDraft(surface="ravine", racers=tuple(OPTIMIZERS)))
    at = sorted(many.arrivals.values())
    assert at[1] == at[2]  # two at once
    assert f"at step {at[1]}, and {len(at) - 2} more later" in headline(many, 200)


def test_who_is_lost_is_told_with_the_reason_and_what_helps():
    one = OptimizersDraft(surface=TYPED, text="sqrt(x + 2.1) - 0.1*x", steps=30, racers=NAMES)
    recording = race(one)
    gone = recording.lost(30)
    assert gone and all(lane.fell_off for lane in gone)
    assert "left the surface" in lost(gone) and "left the surface" in headline(recording, 30)
    assert "diverged" not in lost(gone) + headline(recording, 30) + text.described(recording, 30)
    for name in NAMES:
        one = one.with_setting(name, "learning_rate", 1e9)
    recording = race(replace(one, text="x**4 + y**4"))
    gone = recording.lost(30)
    assert len(gone) > 2 and not any(lane.fell_off for lane in gone)
    assert f"so did {len(gone) - 2} more" in lost(gone) and len(lost(gone)) < 170
    steep = race(typed("1e12*(x**2 + y**2)", ("sgd", "momentum", "nesterov", "adam"), 30))
    latest = max(steep.lost(30), key=lambda lane: lane.lost_at)
    assert f"{latest.title} diverged at step {latest.lost_at}, and 2 more before it." in headline(
        steep, 30
    )


def test_a_question_ends_as_one():
    recording = race(OptimizersDraft(surface="saddle", racers=("adam", "sgd")))
    assert headline(recording, 0).endswith("leaves it first?")


def test_nobody_races():
    recording = race(OptimizersDraft(racers=()))
    assert recording.lanes == () and "Tick optimizers" in headline(recording, 20)
    assert step_title(recording, 20) == "No optimizer races"


def test_a_shorter_race_begins_though_the_cursor_was_beyond_its_end(mode, change):
    change(OptimizersDraft(racers=("sgd",)))
    mode.player.seek(200)
    change(OptimizersDraft(racers=("adam",), steps=20))  # another is chosen, too
    assert mode.headline.startswith("Step 20 of 20: Adam is lowest")


def test_why_sgd_comes_no_further_in_a_narrow_valley_is_told_at_the_end():
    """On Rosenbrock's surface its rate is as large as the walls let it be; a small one is its own
    reason.
    """
    two, alone = OptimizersDraft(racers=("sgd", "adam")), OptimizersDraft(racers=("sgd",))
    assert headline(race(two), 200).endswith(f"; SGD {text.HELD_BACK}.")
    assert text.HELD_BACK not in headline(race(two), 199)
    assert f"; it {text.HELD_BACK}." in headline(race(alone), 200)
    slow = race(alone.with_setting("sgd", "learning_rate", 1e-4))
    assert slow.held_back is None and race(alone).held_back is not None
    longer = race(replace(two, steps=500))
    assert set(longer.arrivals) == {"adam"} and text.HELD_BACK in headline(longer, 500)


def test_how_fast_sgd_may_be_is_told_with_the_numbers():
    one = typed("x**2 + 50*y**2", ("sgd",), 3, start=(1.0, 1.0))
    recording = race(one.with_setting("sgd", "learning_rate", 1e-3))
    rows = of_update(recording, recording.lane("sgd"), 1).rows
    told = {row.name: row.value for row in rows if hasattr(row, "name")}
    assert told["steepest"] == pytest.approx(100) and told["flattest"] == pytest.approx(2)
    assert told["2 / steepest"] == pytest.approx(0.02)
    assert told["\u03b7 \u00d7 flattest"] == pytest.approx(2e-3)
    for formula in ("x**2 - 5*y**2", "abs(x) + y**2"):  # no wall; a kink
        recording = race(typed(formula, ("sgd",), 3, start=(0.0, 1.0)))
        rows = of_update(recording, recording.lane("sgd"), 1).rows
        assert not {"steepest", "flattest"} & {getattr(row, "name", "") for row in rows}


def test_whether_a_rate_is_limited_is_computed_with_the_race(mode, change, monkeypatch):
    monkeypatch.setattr(
        compute, "limits_rate", lambda *_: here.append(threading.current_thread().name)
    )
    here: list[str] = []
    change(OptimizersDraft(racers=("sgd", "adam")).with_setting("sgd", "learning_rate", 9e-4))
    mode.player.seek(mode.recording.course.steps)
    mode.tell()
    change(mode.draft.value.with_setting("adam", "learning_rate", 0.4))  # SGD's path is known
    assert here == ["engine"]


@pytest.mark.parametrize(
    ("formula", "start"),
    [
        ("x**3 + y**2", (-0.1, 1.0)),
        ("x*y", (1.0, 1.001)),
        ("1/x", (1.0, 1.0)),
        ("x**2 + 2*y**2", (1.0, 1.0)),
    ],
)
def test_a_sentence_is_no_longer_than_there_is_room(formula, start):
    recording = race(typed(formula, tuple(OPTIMIZERS), 200, start=start))
    for step in (30, 120, 200):
        told = headline(recording, step)
        assert len(told) <= 150 and told.endswith(".")


def test_a_small_setting_is_written_without_a_zero_that_says_nothing():
    assert text.share(1e-8) == "1e\u22128" and text.plain(1.2e-5) == "1.2e\u22125"
