"""What is told at the end of a race: who is down, who only was by luck, and why SGD crawls."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.optimizers import racing, text
from explorer.panes.backprop.optimizers.draft import OptimizersDraft
from explorer.panes.backprop.optimizers.explaining import of_update
from explorer.panes.backprop.optimizers.text import headline, lost
from tests.explorer.panes.backprop.optimizers.races import race, typed


def test_who_comes_down_by_luck_at_the_last_step_is_not_down():
    """At that rate Lion is at the lowest place at every second step, and SGD was there once."""
    formula, racers = "abs(x) + abs(y)", ("sgd", "adam", "lion")
    recording = race(typed(formula, racers, 200, start=(-2, 1.5)))
    heights = [recording.lane(name).heights for name in ("sgd", "lion")]
    assert all(height[-1] < 1e-14 < 1e-3 < height[-2] for height in heights)
    assert recording.arrivals == {} and text.marks(recording) == {}
    assert "are lowest, at 2.1e−15, but none has stayed there." in headline(recording, 200)
    assert "down" not in text.step_title(recording, 200)
    shorter = race(typed(formula, racers, 199, start=(-2, 1.5)))
    assert "none has reached the bottom" in headline(shorter, 199)
    saddle = race(OptimizersDraft("saddle", racers=("sgd", "lion")))
    assert set(saddle.arrivals) == {"sgd"} and "SGD was first to the bottom" in headline(
        saddle, 200
    )


def test_a_shorter_race_begins_though_the_cursor_was_beyond_its_end(mode, change):
    change(OptimizersDraft(racers=("sgd",)))
    mode.player.seek(200)
    change(OptimizersDraft(racers=("adam",), steps=20))  # another is chosen, too
    assert mode.headline.startswith("Step 20 of 20: Adam is lowest")


def test_who_has_come_down_for_a_while_is_down():
    one = typed("x**2 + y**2", ("sgd",), 10, start=(1.0, 1.0))
    half = race(one.with_setting("sgd", "learning_rate", 0.5))
    assert "SGD was first to the bottom, at step 1" in headline(half, 1)
    one = one.with_setting("sgd", "learning_rate", 0.05)
    for steps, down in ((100, True), (34, True), (33, False)):
        assert bool(race(replace(one, steps=steps)).arrivals) == down, steps


def test_why_sgd_comes_no_further_in_a_narrow_valley_is_told():
    """On Rosenbrock's surface its rate is as large as the walls let it be; a small one is its own
    reason.
    """
    crawls = "crawls in a flat valley, whose steep walls limit its rate"
    two, alone = OptimizersDraft(racers=("sgd", "adam")), OptimizersDraft(racers=("sgd",))
    assert f"Adam is lowest, at 0.0256; SGD {crawls}." in headline(race(two), 200)
    assert crawls not in headline(race(two), 199)
    assert f"; it {crawls}." in headline(race(alone), 200)
    slow = race(alone.with_setting("sgd", "learning_rate", 1e-4))
    assert "none has reached the bottom" in headline(slow, 200)
    adam = race(OptimizersDraft(racers=("adam",), steps=20))
    assert "none has reached the bottom" in headline(adam, 20)
    longer = headline(race(replace(two, steps=500)), 500)
    assert "Adam was first to the bottom" in longer and crawls in longer


@pytest.mark.parametrize(
    ("formula", "steepest", "flattest"),
    [
        ("x**2 + 50*y**2", 100, 2),
        ("100*(y - x**2)**2 + (1 - x)**2", 1001.6, 0.3994),
        ("x*y", 1, None),
    ],
)
def test_how_fast_sgd_may_be_is_told_with_the_numbers(formula, steepest, flattest):
    one = typed(formula, ("sgd",), 3, start=(1.0, 1.0))
    recording = race(one.with_setting("sgd", "learning_rate", 1e-9))
    rows = of_update(recording, recording.lane("sgd"), 1).rows
    told = {row.name: row.value for row in rows if hasattr(row, "name")}
    assert told["steepest"] == pytest.approx(steepest, rel=1e-4)
    assert told["2 / steepest"] == pytest.approx(2 / steepest, rel=1e-4)
    if flattest is None:  # no direction is flat
        assert "flattest" not in told and "η × flattest" not in told
    else:
        assert told["flattest"] == pytest.approx(flattest, rel=1e-3)
        assert told["η × flattest"] == pytest.approx(1e-9 * flattest, rel=1e-3)


@pytest.mark.parametrize(
    ("formula", "start"),
    [("x**2 - 5*y**2", (1.0, 1.0)), ("abs(x) + y**2", (0.0, 1.0))],
    ids=("the ground bends down most", "a kink has no curvature"),
)
def test_where_no_wall_limits_the_rate_none_is_told_of(formula, start):
    recording = race(typed(formula, ("sgd",), 3, start=start))
    rows = of_update(recording, recording.lane("sgd"), 1).rows
    assert not {"steepest", "flattest"} & {getattr(row, "name", "") for row in rows}


def test_whether_somebody_crawls_is_worked_out_with_the_race(mode, change, monkeypatch):
    monkeypatch.setattr(
        racing, "is_held_back", lambda *_: here.append(threading.current_thread().name)
    )
    here: list[str] = []
    change(OptimizersDraft(racers=("sgd", "adam")).with_setting("sgd", "learning_rate", 9e-4))
    mode.player.seek(mode.recording.course.steps)
    mode._tell()
    change(mode.draft.value.with_setting("adam", "learning_rate", 0.4))  # SGD's way is known
    assert here == ["engine"]


@pytest.mark.parametrize(
    ("formula", "start"),
    [
        ("x**3 + y**2", (-0.1, 1.0)),
        ("x*y", (1.0, 1.001)),
        ("1/x", (1.0, 1.0)),
        ("-x**2", (1.0, 1.0)),
    ],
)
def test_a_sentence_is_no_longer_than_there_is_room(formula, start):
    """Who is lost stands over the map, too."""
    recording = race(typed(formula, tuple(OPTIMIZERS), 200, start=start))
    for step in (30, 120, 200):
        told, gone = headline(recording, step), recording.lost(step)
        assert len(told) <= 122 and told.endswith(".")
        if gone:
            assert gone[0].title in lost(recording, gone) or "more" in lost(recording, gone)


def test_a_small_setting_is_written_without_a_zero_that_says_nothing():
    assert text.share(1e-8) == "1e−8" and text.plain(1.2e-5) == "1.2e−5"
