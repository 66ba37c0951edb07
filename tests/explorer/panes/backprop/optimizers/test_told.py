"""What is said of a race: who is down, lowest, lost, or goes on falling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.optimizers import text
from explorer.panes.backprop.optimizers.draft import TYPED, OptimizersDraft
from explorer.panes.backprop.optimizers.text import headline, lost, step_title
from tests.explorer.panes.backprop.optimizers.races import NAMES, race, typed


def test_the_pane_says_what_is_told_of_its_race(mode, change):
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
            mode._tell()
            assert mode.headline == headline(recording, step) == headline(race(one), step)
            assert player.track.title(step) == step_title(recording, step)
            assert mode.view.map.accessibleDescription() == text.described(recording, step)
            gone, notice = recording.lost(step), mode.view.notice
            assert notice.isHidden() != bool(gone)
            assert not gone or notice.message == lost(recording, gone)
        assert player.track.marks == text.marks(recording)
        assert len(mode.view.map.ways()) == len(one.racers)
        if recording.endless:  # a curve above the lowest would dive where that was reached
            for lane in recording.lanes:
                shown = mode.view.loss.displayed()[lane.title][: lane.lost_at, 1]
                np.testing.assert_array_equal(shown, lane.heights[: lane.lost_at])


def test_who_is_lost_is_told_shortly_and_with_the_true_reason():
    one = OptimizersDraft(surface=TYPED, text="sqrt(x + 2.1) - 0.1*x", steps=30, racers=NAMES)
    recording = race(one)
    gone = recording.lost(30)
    assert gone and all(lane.fell_off for lane in gone)
    told = lost(recording, gone)
    assert "has no height" in told and "too high" not in told
    assert "stepped where the surface has no height" in headline(recording, 30)
    assert "diverged" not in headline(recording, 30) + text.described(recording, 30)
    for name in NAMES:
        one = one.with_setting(name, "learning_rate", 1e9)
    recording = race(replace(one, text="x**4 + y**4"))
    gone = recording.lost(30)
    assert len(gone) > 2 and not any(lane.fell_off for lane in gone)
    told = lost(recording, gone)
    assert f"and {len(gone) - 1} more diverged: " in told
    assert len(told) < 90


def test_the_sentence_tells_who_was_down_first():
    recording = race(OptimizersDraft(surface="ravine", racers=("sgd", "momentum"), steps=200))
    name, step = min(recording.arrivals.items(), key=lambda one: one[1])
    lane = recording.lane(name)
    assert f"{lane.title} was first to the bottom, at step {step}" in headline(recording, 200)
    limit = recording.lowest + 1e-3 * (38.5 - recording.lowest)
    assert (lane.heights[step:] <= limit).all() and lane.heights[step - 1] > limit


def test_with_noise_nobody_is_told_to_have_come_down():
    """All wander about the lowest place: who is near it at the last step is chance."""
    for steps in (60, 150):
        recording = race(OptimizersDraft(surface="bowl", racers=tuple(OPTIMIZERS), steps=steps))
        assert recording.arrivals == {} and text.marks(recording) == {}
        averages = {lane.name: lane.heights[-20:].mean() for lane in recording.lanes}
        first = recording.leaders(steps)[0]
        assert first.name == min(averages, key=averages.get)
        told = headline(recording, steps)
        assert f"{first.title} is lowest, at" in told and "averaged over 20 steps" in told
        assert "down" not in told and "noise keeps them all moving" in told
        assert step_title(recording, steps).endswith("on average")
    assert "averaged over 6 steps" in headline(recording, 5)


def test_a_question_ends_as_one():
    recording = race(OptimizersDraft(surface="saddle", racers=("adam", "sgd")))
    assert headline(recording, 0).endswith("who leaves the pass first?")


def test_on_a_level_surface_nobody_moves_and_nobody_is_lowest():
    recording = race(typed("5"))
    assert "level everywhere" in headline(recording, 20)
    assert step_title(recording, 20).endswith("has moved")
    there = race(typed("x**2 + y**2", start=(0.0, 0.0)))
    assert "no slope at the start" in headline(there, 20)
    # What shrinks x and y moves them, and all stay as high.
    decaying = typed("5", ("sgd", "momentum", "adam"))
    for name in decaying.racers:
        decaying = decaying.with_setting(name, "weight_decay", 0.5)
    assert "all are equally high, at 5" in headline(race(decaying), 20)


@pytest.mark.parametrize("formula", ["x + y", "x - y**3", "-x**2 - y**2", "x*y"])
def test_where_a_surface_falls_on_and_on_nobody_is_down(formula):
    recording = race(typed(formula, ("sgd", "adam", "adamw"), 60))
    assert recording.endless and recording.arrivals == {}
    told = headline(recording, 60)
    assert "furthest down" in told and "falls forever" in told and "bottom" not in told
    first = recording.leaders(60)[0]
    assert first.title in told and "furthest down" in step_title(recording, 60)
    assert not any("down" in told for told in text.marks(recording).values())


def test_where_a_surface_is_lowest_at_its_end_that_is_told():
    told = headline(race(typed("sqrt(x + 2.1) - 0.1*x", ("adam", "lion"), 30)), 1)
    assert "falls until it has no height" in told and "forever" not in told
    assert "(\u22122, 1.5)" in headline(race(typed("log(x)", NAMES, 5)), 5)


def test_who_falls_out_of_sight_is_not_told_to_go_slower():
    recording = race(typed("-x**2 - y**2", ("sgd", "momentum"), 2000))
    gone = recording.lost(2000)
    assert gone and all(recording.fell_away(lane) for lane in gone)
    told = headline(recording, 2000)
    assert "fell out of sight" in told and "diverged" not in told
    assert "too high" not in lost(recording, gone)


@pytest.mark.parametrize("formula", ["x**2 + y**2", "sin(x) + y**2", "x**2", "(x - 10)**2 + y**2"])
def test_a_surface_with_a_lowest_place_does_not_fall_on_and_on(formula):
    recording = race(typed(formula, ("adagrad", "adam"), 400))
    assert not recording.endless
    assert "to the bottom" in headline(recording, 400)


def test_who_stands_on_a_saddle_is_not_down():
    recording = race(typed("x*y", ("sgd", "adagrad", "adam", "momentum"), 200, start=(1.0, 1.0)))
    assert not recording.lowest_is_low and recording.arrivals == {}
    told = headline(recording, 200)
    assert "bottom" not in told and told.endswith("but the surface is lower beside it.")
    flat = race(typed("tanh(x) + y**2", ("sgd", "adagrad", "adam"), 200))
    assert "down" not in headline(flat, 200)
    assert race(typed("(x - 10)**2 + y**2", ("adam",), 400)).lowest_is_low


def test_who_was_lost_far_below_makes_nobody_else_equally_low():
    racers = ("sgd", "momentum", "adagrad", "adam")
    recording = race(typed("x**3 + y**2", racers, 200, start=(-0.1, 1.0)))
    assert any(lane.name == "momentum" for lane in recording.lost(200))
    running = [lane for lane in recording.lanes if lane.lost_at is None]
    (first,) = recording.leaders(200)
    assert first.heights[200] == min(lane.heights[200] for lane in running)
    assert f"{first.title} is furthest down" in headline(recording, 200)


def test_where_a_surface_is_nowhere_its_formula_is_to_be_changed_not_the_start():
    for formula in ("x/0", "9**9**9**9 + x", "log(-2 - x**2 - y**2)"):
        told = headline(race(typed(formula)), 0)
        assert "no height anywhere that is drawn; change the formula" in told
    assert "start elsewhere" in headline(race(typed("log(x)")), 0)
    assert "There is no race" not in headline(race(typed("sqrt(x - 10)", start=(40.0, 1.0))), 0)


def test_who_is_equally_low_is_told_together():
    recording = race(OptimizersDraft(racers=("sgd", "adam", "adamw"), steps=50))
    assert "Adam and AdamW are lowest, at" in headline(recording, 30)
    stay = tuple(name for name in OPTIMIZERS if name != "lion")
    recording = race(OptimizersDraft(surface="saddle", racers=stay))
    down = sorted(recording.arrivals.items(), key=lambda one: one[1])
    at, same = (step for _, step in down[:2])
    assert at == same  # two at once, and then the others
    told = headline(recording, 200)
    assert "were first to the bottom" in told and ", then " in told
    assert step_title(recording, 200) == "after step 200, all are at the bottom" and len(down) == 8


def test_who_came_to_rest_in_a_higher_valley_is_told_so():
    valleys = typed("x**4 - 3*x**2 + x + y**2", ("adagrad", "adam"), 300, start=(1.6, 0.5))
    assert "not the lowest point" in headline(race(valleys), 300)
    usual = race(OptimizersDraft())  # along the bent valley it is nearly level, and goes on down
    assert usual.leaders(200)[0].name == "adam"
    assert "Adam is lowest" in headline(usual, 200) and "level" not in headline(usual, 200)


def test_how_many_more_is_not_read_as_a_number_of_steps():
    steep = typed("1e12*(x**2 + y**2)", ("sgd", "momentum", "nesterov", "adam"), 30)
    recording = race(steep)
    gone = recording.lost(30)
    assert len(gone) == 3
    latest = max(gone, key=lambda lane: lane.lost_at)
    told = f"{latest.title} (step {latest.lost_at}) and 2 more diverged."
    assert told in headline(recording, 30)
    assert "(step 1) and 2 more diverged:" in lost(recording, gone)


def test_who_came_down_together_is_named_together_also_after_the_first():
    recording = race(OptimizersDraft(surface="ravine", racers=tuple(OPTIMIZERS)))
    at = recording.arrivals
    assert at["sgd"] == at["nesterov"] == sorted(at.values())[1] > at["adagrad"]
    more = sum(step > at["sgd"] for step in at.values())
    told = f"then Nesterov and SGD at {at['sgd']}, and {more} more later."
    assert headline(recording, 200).endswith(told)


def test_who_is_lowest_but_leaves_again_is_told_where_others_are_down():
    """The list beside the map shows it far below all that are counted."""
    recording = race(OptimizersDraft(surface="ravine", racers=tuple(OPTIMIZERS)))
    first = recording.leaders(50)[0]
    assert recording.arrivals.get(first.name, 999) > 50
    told = headline(recording, 50)
    assert "at step 6; " in told and told.endswith(f"{first.title} is lowest, but leaves again.")
    assert step_title(recording, 50).endswith("of 9 are at the bottom")
    recording = race(typed("-exp(-x**2 - y**2)", ("sgd", "adam", "lion"), 200))
    assert "at step 72; Lion is lowest, but leaves again." in headline(recording, 100)
    assert "at step 72; Lion is lowest, but has only just arrived." in headline(recording, 200)


def test_nobody_races():
    recording = race(OptimizersDraft(racers=()))
    assert recording.lanes == () and "Tick the optimizers" in headline(recording, 20)
    assert step_title(recording, 20) == "no optimizer races"


@pytest.mark.parametrize("formula", ["exp(exp(x*x))", "x**40 + y**2"])
def test_from_an_astronomically_high_start_the_bottom_is_still_low(formula):
    """At (-2, 1.5) the first is 5e23 high: one at 13,000 is far down from there, and not down."""
    recording = race(typed(formula, ("adam", "adagrad", "lion"), 200))
    lane = recording.lane("adagrad")
    assert 1e4 < lane.heights[200] < 1e-4 * lane.heights[0]
    assert lane.name not in recording.arrivals and lane.title not in headline(recording, 20)
    assert "bottom" not in headline(recording, 20).replace("reached the bottom yet", "")
    assert [one.name for one in recording.leaders(20)] == ["lion"]
    assert not recording.rests_at(lane, 200)  # it stands on a wall, with steps far too small


def test_a_start_far_outside_the_map_lowers_no_demand():
    usual = race(OptimizersDraft(surface="rosenbrock", racers=("adam",), steps=20))
    far = race(
        OptimizersDraft(surface="rosenbrock", racers=("adam",), steps=20, start=(900.0, -900.0))
    )
    assert far.lanes[0].heights[0] > 1e12
    assert usual.low < far.low < 1.0
