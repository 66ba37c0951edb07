"""What is said of a race: who is down, lowest, lost, or goes on falling."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.optimizers import text
from explorer.panes.backprop.optimizers.draft import TYPED, OptimizersDraft
from explorer.panes.backprop.optimizers.text import lost
from tests.explorer.panes.backprop.optimizers.conftest import NAMES


def test_who_is_lost_is_told_shortly_and_with_the_true_reason(mode, change):
    one = OptimizersDraft(surface=TYPED, text="sqrt(x + 2.1) - 0.1*x", steps=30, racers=NAMES)
    change(one)
    gone = mode.recording.lost(30)
    assert gone and all(lane.fell_off for lane in gone)
    told = lost(mode.recording, gone)
    assert "has no height" in told and "too high" not in told
    mode.player.end()
    mode._tell()
    assert "stepped where the surface has no height" in mode.headline
    assert "diverged" not in mode.headline + mode.view.map.accessibleDescription()
    for name in NAMES:
        one = one.with_setting(name, "learning_rate", 1e9)
    change(replace(one, text="x**4 + y**4"))
    gone = mode.recording.lost(30)
    assert len(gone) > 2 and not any(lane.fell_off for lane in gone)
    told = lost(mode.recording, gone)
    assert f"and {len(gone) - 1} more diverged: " in told
    assert len(told) < 90


def test_the_sentence_tells_who_was_down_first(mode, change):
    change(OptimizersDraft(surface="ravine", racers=("sgd", "momentum"), steps=200))
    first = min(mode.recording.arrivals.items(), key=lambda one: one[1])
    mode.player.seek(200)
    mode._tell()
    title = mode.recording.lane(first[0]).title
    assert f"{title} was first to the bottom, at step {first[1]}" in mode.headline
    limit = mode.recording.lowest + 1e-3 * (38.5 - mode.recording.lowest)
    heights = mode.recording.lane(first[0]).heights
    assert (heights[first[1] :] <= limit).all() and heights[first[1] - 1] > limit


def test_with_noise_nobody_is_told_to_have_come_down(mode, change):
    """All wander about the lowest place: who is near it at the last step is chance."""
    for steps in (150, 200, 300):
        change(OptimizersDraft(surface="bowl", racers=tuple(OPTIMIZERS), steps=steps))
        recording = mode.recording
        assert recording.arrivals == {} and text.marks(recording) == {}
        averages = {lane.name: lane.heights[-20:].mean() for lane in recording.lanes}
        first = recording.leaders(steps)[0]
        assert first.name == min(averages, key=averages.get)
        told = sentence(mode, steps)
        assert f"{first.title} is lowest, at" in told and "averaged over 20 steps" in told
        assert "down" not in told and "noise lets none rest" in told
        assert mode.player.track.title(steps).endswith("on average")
    assert "averaged over 6 steps" in sentence(mode, 5)


def test_a_question_ends_as_one(mode, change):
    change(OptimizersDraft(surface="saddle", racers=("adam", "sgd")))
    assert sentence(mode, 0).endswith("who leaves the pass first?")


def sentence(mode, step: int) -> str:
    mode.player.seek(step)
    mode._tell()
    return mode.headline


def typed(text: str, racers=NAMES, steps: int = 30, **more) -> OptimizersDraft:
    return OptimizersDraft(surface=TYPED, text=text, racers=racers, steps=steps, **more)


def test_on_a_level_surface_nobody_moves_and_nobody_is_lowest(mode, change):
    change(typed("5"))
    told = sentence(mode, 20)
    assert "Step 20 of 30" in told and "level everywhere" in told
    assert mode.player.track.title(20).endswith("has moved")
    change(typed("x**2 + y**2", start=(0.0, 0.0)))
    assert "no slope at the start" in sentence(mode, 20)
    # What shrinks x and y moves them, and all stay as high.
    decaying = typed("5", ("sgd", "momentum", "adam"))
    for name in decaying.racers:
        decaying = decaying.with_setting(name, "weight_decay", 0.5)
    change(decaying)
    assert "all are equally high, at 5" in sentence(mode, 20)


@pytest.mark.parametrize("text", ["x + y", "x - y**3", "-x**2 - y**2", "x*y"])
def test_where_a_surface_falls_on_and_on_nobody_is_down(mode, change, text):
    change(typed(text, ("sgd", "adam", "adamw"), 60))
    recording = mode.recording
    assert recording.endless and recording.arrivals == {}
    told = sentence(mode, 60)
    assert "furthest down" in told and "falls forever" in told and "bottom" not in told
    first = recording.leaders(60)[0]
    assert first.title in told and "furthest down" in mode.player.track.title(60)
    # A curve above the lowest would dive at the step where that was reached.
    shown = mode.view.loss.displayed()["Adam"]
    np.testing.assert_array_equal(shown[:, 1], recording.lane("adam").heights)
    assert not any("down" in told for told in mode.player.track.marks.values())


def test_where_a_surface_is_lowest_at_its_end_that_is_told(mode, change):
    change(typed("sqrt(x + 2.1) - 0.1*x", ("adam", "lion"), 30))
    told = sentence(mode, 1)
    assert "falls until it has no height" in told and "forever" not in told
    change(typed("log(x)", NAMES, 5))
    assert "(\u22122, 1.5)" in mode.headline


def test_who_falls_out_of_sight_is_not_told_to_go_slower(mode, change):
    change(typed("-x**2 - y**2", ("sgd", "momentum"), 2000))
    gone = mode.recording.lost(2000)
    assert gone and all(mode.recording.fell_away(lane) for lane in gone)
    told = sentence(mode, 2000)
    assert "fell out of sight" in told and "diverged" not in told
    assert "too high" not in mode.view.notice.message


@pytest.mark.parametrize("text", ["x**2 + y**2", "sin(x) + y**2", "x**2", "(x - 10)**2 + y**2"])
def test_a_surface_with_a_lowest_place_does_not_fall_on_and_on(mode, change, text):
    change(typed(text, ("adagrad", "adam"), 400))
    assert not mode.recording.endless
    assert "to the bottom" in sentence(mode, 400)


def test_who_stands_on_a_saddle_is_not_down(mode, change):
    change(typed("x*y", ("sgd", "adagrad", "adam", "momentum"), 200, start=(1.0, 1.0)))
    assert not mode.recording.lowest_is_low and mode.recording.arrivals == {}
    told = sentence(mode, 200)
    assert "down first" not in told and told.endswith("but the surface is lower beside it.")
    change(typed("tanh(x) + y**2", ("sgd", "adagrad", "adam"), 200))
    assert "down" not in sentence(mode, 200)
    change(typed("(x - 10)**2 + y**2", ("adam",), 400))
    assert mode.recording.lowest_is_low


def test_who_was_lost_far_below_makes_nobody_else_equally_low(mode, change):
    change(typed("x**3 + y**2", ("sgd", "momentum", "adagrad", "adam"), 200, start=(-0.1, 1.0)))
    recording = mode.recording
    assert any(lane.name == "momentum" for lane in recording.lost(200))
    running = [lane for lane in recording.lanes if lane.lost_at is None]
    (first,) = recording.leaders(200)
    assert first.heights[200] == min(lane.heights[200] for lane in running)
    assert f"{first.title} is furthest down" in sentence(mode, 200)


def test_where_a_surface_is_nowhere_its_formula_is_to_be_changed_not_the_start(mode, change):
    for formula in ("x/0", "9**9**9**9 + x", "log(-2 - x**2 - y**2)"):
        change(typed(formula))
        assert "no height anywhere that is drawn; change the formula" in mode.headline
    change(typed("log(x)"))
    assert "start elsewhere" in mode.headline
    change(typed("sqrt(x - 10)", start=(40.0, 1.0)))
    assert "There is no race" not in mode.headline


def test_who_is_equally_low_is_told_together(mode, change):
    change(OptimizersDraft(racers=("sgd", "adam", "adamw"), steps=50))
    assert "Adam and AdamW are lowest, at" in sentence(mode, 30)
    stay = tuple(name for name in OPTIMIZERS if name != "lion")
    change(OptimizersDraft(surface="saddle", racers=stay))
    down = sorted(mode.recording.arrivals.items(), key=lambda one: one[1])
    at, same = (step for _, step in down[:2])
    assert at == same  # two at once, and then the others
    told = sentence(mode, 200)
    assert "were first to the bottom" in told and ", then " in told
    assert mode.player.track.title(200) == "after step 200 all are at the bottom" and len(down) == 8


def test_who_came_to_rest_in_a_higher_valley_is_told_so(mode, change):
    change(typed("x**4 - 3*x**2 + x + y**2", ("adagrad", "adam"), 300, start=(1.6, 0.5)))
    assert "not the lowest point" in sentence(mode, 300)
    change(OptimizersDraft())  # along the bent valley it is nearly level, and goes on down
    assert mode.recording.leaders(200)[0].name == "adam"
    assert "Adam is lowest" in sentence(mode, 200) and "level" not in sentence(mode, 200)


def test_how_many_more_is_not_read_as_a_number_of_steps(mode, change):
    change(typed("1e12*(x**2 + y**2)", ("sgd", "momentum", "nesterov", "adam"), 30))
    gone = mode.recording.lost(30)
    assert len(gone) == 3
    latest = max(gone, key=lambda lane: lane.lost_at)
    assert f"{latest.title} (step {latest.lost_at}) and 2 more diverged." in sentence(mode, 30)
    assert "(step 1) and 2 more diverged:" in mode.view.notice.message


def test_who_came_down_together_is_named_together_also_after_the_first(mode, change):
    change(OptimizersDraft(surface="ravine", racers=tuple(OPTIMIZERS)))
    at = mode.recording.arrivals
    assert at["sgd"] == at["nesterov"] == sorted(at.values())[1] > at["adagrad"]
    more = sum(step > at["sgd"] for step in at.values())
    told = f"then Nesterov and SGD at {at['sgd']}, and {more} more later."
    assert sentence(mode, 200).endswith(told)


def test_who_is_lowest_but_leaves_again_is_told_where_others_are_down(mode, change):
    """The list beside the map shows it far below all that are counted."""
    change(OptimizersDraft(surface="ravine", racers=tuple(OPTIMIZERS)))
    first = mode.recording.leaders(50)[0]
    assert mode.recording.arrivals.get(first.name, 999) > 50
    told = sentence(mode, 50)
    assert "at step 6; " in told and told.endswith(f"{first.title} is lowest, but leaves again.")
    assert mode.player.track.title(50).endswith("of 9 are at the bottom")
    change(typed("-exp(-x**2 - y**2)", ("sgd", "adam", "lion"), 200))
    assert "at step 72; Lion is lowest, but leaves again." in sentence(mode, 100)
    assert "at step 72; Lion is lowest, but has only just arrived." in sentence(mode, 200)


def test_nobody_races(mode, change):
    change(OptimizersDraft(racers=()))
    assert mode.recording.lanes == () and mode.view.map.ways() == []
    assert "Tick the optimizers" in mode.headline
    assert mode.player.track.title(20) == "no optimizer races"
