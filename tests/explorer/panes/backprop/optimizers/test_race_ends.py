"""What is told at the end of a race: who is down, who only was by luck, and why SGD crawls."""

from __future__ import annotations

import threading

import pytest

from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.optimizers import racing, text
from explorer.panes.backprop.optimizers.draft import OptimizersDraft
from explorer.panes.backprop.optimizers.explaining import of_update
from tests.explorer.panes.backprop.optimizers.test_told import sentence, typed


def test_who_comes_down_by_luck_at_the_last_step_is_not_down(mode, change):
    """At that rate Lion is at the lowest place at every second step, and SGD was there once."""
    formula = "abs(x) + abs(y)"
    change(typed(formula, ("sgd", "adam", "lion"), 200, start=(-2, 1.5)))
    heights = [mode.recording.lane(name).heights for name in ("sgd", "lion")]
    assert all(height[-1] < 1e-14 < 1e-3 < height[-2] for height in heights)
    assert mode.recording.arrivals == {} and text.marks(mode.recording) == {}
    assert "are lowest, at 2.1e−15, but none has stayed there." in sentence(mode, 200)
    assert "down" not in text.step_title(mode.recording, 200)
    change(typed(formula, ("sgd", "adam", "lion"), 199, start=(-2, 1.5)))
    assert "none has reached the bottom" in sentence(mode, 199)
    change(OptimizersDraft("saddle", racers=("sgd", "lion")))
    assert set(mode.recording.arrivals) == {"sgd"} and "SGD was first to the bottom" in sentence(
        mode, 200
    )


def test_a_shorter_race_begins_though_the_cursor_was_beyond_its_end(mode, change):
    change(OptimizersDraft(racers=("sgd",)))
    mode.player.seek(200)
    change(OptimizersDraft(racers=("adam",), steps=20))  # another is chosen, too
    assert mode.headline.startswith("Step 20 of 20: Adam is lowest")


def test_who_has_come_down_for_a_while_is_down(mode, change):
    change(typed("x**2 + y**2", ("sgd",), 10, start=(1.0, 1.0)).with_setting("sgd", *HALF))
    assert "SGD was first to the bottom, at step 1" in sentence(mode, 1)
    for steps, down in ((100, True), (34, True), (33, False)):
        change(typed("x**2 + y**2", ("sgd",), steps, start=(1.0, 1.0)).with_setting("sgd", *FAST))
        assert bool(mode.recording.arrivals) == down, steps


HALF, FAST = ("learning_rate", 0.5), ("learning_rate", 0.05)


def test_why_sgd_comes_no_further_in_a_narrow_valley_is_told(mode, change):
    """On Rosenbrock's surface its rate is as large as the walls let it be; a small one is its own
    reason.
    """
    crawls = "crawls in a flat valley, whose steep walls limit its rate"
    change(OptimizersDraft(racers=("sgd", "adam")))
    assert f"Adam is lowest, at 0.0256; SGD {crawls}." in sentence(mode, 200)
    assert crawls not in sentence(mode, 199)
    change(OptimizersDraft(racers=("sgd",)))
    assert f"; it {crawls}." in sentence(mode, 200)
    change(OptimizersDraft(racers=("sgd",)).with_setting("sgd", "learning_rate", 1e-4))
    assert "none has reached the bottom" in sentence(mode, 200)
    change(OptimizersDraft(racers=("adam",), steps=20))
    assert "none has reached the bottom" in sentence(mode, 20)
    change(OptimizersDraft(racers=("sgd", "adam"), steps=1000))
    assert "Adam was first to the bottom" in sentence(mode, 1000) and crawls in sentence(mode, 1000)


@pytest.mark.parametrize(
    ("text", "steepest", "flattest"),
    [
        ("x**2 + 50*y**2", 100, 2),
        ("100*(y - x**2)**2 + (1 - x)**2", 1001.6, 0.3994),
        ("x*y", 1, None),
    ],
)
def test_how_fast_sgd_may_be_is_told_with_the_numbers(mode, change, text, steepest, flattest):
    change(typed(text, ("sgd",), 3, start=(1.0, 1.0)).with_setting("sgd", "learning_rate", 1e-9))
    mode.choose("sgd")
    rows = of_update(mode.recording, mode.recording.lane("sgd"), 1).rows
    told = {row.name: row.value for row in rows if hasattr(row, "name")}
    assert told["steepest"] == pytest.approx(steepest, rel=1e-4)
    assert told["2 / steepest"] == pytest.approx(2 / steepest, rel=1e-4)
    if flattest is None:  # no direction is flat
        assert "flattest" not in told and "η × flattest" not in told
    else:
        assert told["flattest"] == pytest.approx(flattest, rel=1e-3)
        assert told["η × flattest"] == pytest.approx(1e-9 * flattest, rel=1e-3)


def test_where_the_ground_bends_down_most_no_wall_limits_the_rate(mode, change):
    change(typed("x**2 - 5*y**2", ("sgd",), 3, start=(1.0, 1.0)))
    rows = of_update(mode.recording, mode.recording.lane("sgd"), 1).rows
    assert not {"steepest", "flattest"} & {getattr(row, "name", "") for row in rows}


def test_whether_somebody_crawls_is_worked_out_with_the_race(mode, change, monkeypatch):
    monkeypatch.setattr(
        racing, "is_held_back", lambda *_: here.append(threading.current_thread().name)
    )
    here: list[str] = []
    change(OptimizersDraft(racers=("sgd", "adam")).with_setting("sgd", "learning_rate", 9e-4))
    sentence(mode, mode.recording.course.steps)
    change(mode.draft.value.with_setting("adam", "learning_rate", 0.4))  # SGD's way is known
    assert here == ["engine"]


def test_at_a_kink_there_is_no_curvature(mode, change):
    change(typed("abs(x) + y**2", ("sgd",), 3, start=(0.0, 1.0)))
    rows = of_update(mode.recording, mode.recording.lane("sgd"), 1).rows
    assert "steepest" not in {getattr(row, "name", "") for row in rows}


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("x**3 + y**2", (-0.1, 1.0)),
        ("x*y", (1.0, 1.001)),
        ("1/x", (1.0, 1.0)),
        ("-x**2", (1.0, 1.0)),
    ],
)
def test_a_sentence_is_no_longer_than_there_is_room(mode, change, text, start):
    """Who is lost stands over the map, too."""
    change(typed(text, tuple(OPTIMIZERS), 200, start=start))
    for step in (30, 120, 200):
        told = sentence(mode, step)
        assert len(told) <= 122 and told.endswith(".")
        for lane in mode.recording.lost(step)[:1]:
            assert lane.title in mode.view.notice.message or "more" in mode.view.notice.message


def test_a_small_setting_is_written_without_a_zero_that_says_nothing():
    assert text.share(1e-8) == "1e−8" and text.plain(1.2e-5) == "1.2e−5"
