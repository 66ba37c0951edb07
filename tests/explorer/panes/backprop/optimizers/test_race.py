"""A race in the pane: what is shown is what core's race gives, wherever the cursor stands."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from core.optimization.optimizers import OPTIMIZERS
from core.optimization.race import race_steps
from core.optimization.race_rates import usual_settings
from core.optimization.schedules import SCHEDULES
from core.optimization.surfaces import SURFACES
from explorer.panes.backprop.optimizers import runner, words
from explorer.panes.backprop.optimizers.experiment import TYPED, Experiment
from explorer.panes.backprop.optimizers.explaining import vector
from explorer.panes.backprop.optimizers.words import lost, short
from explorer.theme_numbers import format_number

NAMES = ("sgd", "nesterov", "rmsprop", "lion", "muon")


@pytest.mark.parametrize("surface", ["rosenbrock", "bowl"])
def test_the_ways_are_those_of_a_common_race(mode, change, surface):
    change(Experiment(surface=surface, racers=NAMES, steps=40))
    shown = mode.view.map.displayed()
    moments = list(race_steps(SURFACES[surface], [(name, None) for name in NAMES], steps=40))
    for number, lane in enumerate(mode.recording.lanes):
        way = np.array([moment.racers[number].position for moment in moments])
        np.testing.assert_array_equal(way[:, 0], shown[f"{lane.title} x"])
        np.testing.assert_array_equal(way[:, 1], shown[f"{lane.title} y"])


def test_heads_travel_between_steps(mode, change):
    change(Experiment(racers=("adam",), steps=20))
    lane = mode.recording.lane("adam")
    mode.player.seek(7.25)
    head = mode.view.map.ways()[0].points[-1]
    between = 0.75 * lane.positions[7] + 0.25 * lane.positions[8]
    np.testing.assert_allclose(head, mode.view.map.seen(between))


def test_only_who_was_changed_runs_again(mode, change):
    change(Experiment(racers=("sgd", "adam"), steps=30))
    sgd, adam = mode.recording.lanes
    change(mode.experiment.with_setting("adam", "learning_rate", 0.1))
    assert mode.recording.lane("sgd") is sgd
    assert mode.recording.lane("adam") is not adam
    assert mode.recording.lane("adam").settings.learning_rate == 0.1


def test_the_cursor_stays_while_settings_change(mode, change):
    change(Experiment(racers=("sgd", "adam"), steps=30))
    mode.player.seek(12)
    change(mode.experiment.with_setting("adam", "beta1", 0.5))
    assert mode.player.position == 12
    change(replace(mode.experiment, steps=50))
    assert mode.player.position == 12 and mode.player.length == 51


def test_moving_the_start_is_one_undoable_change(mode, run_async):
    before = mode.experiment

    async def body():
        for x in (0.1, 0.2, 0.3):
            mode.view.map.startMoved.emit(x, 1.0)
        mode.view.map.startReleased.emit()
        await mode.settled()

        assert mode.recording.course.start == (0.3, 1.0)
        mode.workspace.undo()
        await mode.settled()
        assert mode.recording.course.start == (-1.2, 1.0)

    run_async(body())
    assert mode.experiment == before


def test_who_runs_away_is_told_with_a_way_out(mode, change, run_async):
    one = Experiment(surface="beale", racers=("momentum", "adam"), steps=30)
    change(one.with_setting("momentum", "learning_rate", 0.5))
    lane = mode.recording.lane("momentum")
    assert lane.lost_at is not None
    mode.player.seek(lane.lost_at)
    mode._tell()
    told = mode.view.notice.message
    assert f"Momentum ran away at step {lane.lost_at}" in told and not mode.view.notice.isHidden()
    assert "ran away" in mode.headline

    mode.view.notice.closed.emit()
    mode._tell()
    assert mode.view.notice.isHidden()  # read once, it is not said again

    async def body():
        mode.view.notice.actionTriggered.emit("The usual rate")
        await mode.settled()

    run_async(body())
    usual = usual_settings(SURFACES["beale"], "momentum")
    lane = mode.recording.lane("momentum")
    assert lane.settings == usual and lane.lost_at is None and mode.view.notice.isHidden()


def test_who_is_lost_is_told_shortly_and_with_the_true_reason(mode, change):
    one = Experiment(surface=TYPED, text="sqrt(x + 2.1) - 0.1*x", steps=30, racers=NAMES)
    change(one)
    gone = mode.recording.lost(30)
    assert gone and all(lane.fell_off for lane in gone)
    told = lost(mode.recording, gone)
    assert "has no height" in told and "too high" not in told
    mode.player.end()
    mode._tell()
    assert "stepped where the surface has no height" in mode.headline
    assert "ran away" not in mode.headline + mode.view.map.accessibleDescription()
    for name in NAMES:
        one = one.with_setting(name, "learning_rate", 1e9)
    change(replace(one, text="x**4 + y**4"))
    gone = mode.recording.lost(30)
    assert len(gone) > 2 and not any(lane.fell_off for lane in gone)
    told = lost(mode.recording, gone)
    assert f"and {len(gone) - 1} more ran away: these rates are too high here" in told
    assert len(told) < 90


def test_the_sentence_tells_who_was_down_first(mode, change):
    change(Experiment(surface="ravine", racers=("sgd", "momentum"), steps=200))
    first = min(mode.recording.arrivals.items(), key=lambda one: one[1])
    mode.player.seek(200)
    mode._tell()
    title = mode.recording.lane(first[0]).title
    assert f"{title} was down first, at step {first[1]}" in mode.headline
    limit = mode.recording.lowest + 1e-3 * (38.5 - mode.recording.lowest)
    heights = mode.recording.lane(first[0]).heights
    assert (heights[first[1] :] <= limit).all() and heights[first[1] - 1] > limit


def test_with_noise_nobody_is_told_to_have_come_down(mode, change):
    """All wander about the lowest place: who is near it at the last step is chance."""
    for steps in (150, 200, 300):
        change(Experiment(surface="bowl", racers=tuple(OPTIMIZERS), steps=steps))
        recording = mode.recording
        assert recording.arrivals == {} and words.marks(recording) == {}
        averages = {lane.name: lane.heights[-20:].mean() for lane in recording.lanes}
        first = recording.leaders(steps)[0]
        assert first.name == min(averages, key=averages.get)
        told = sentence(mode, steps)
        assert f"{first.title} is lowest, at" in told and "on average of 20 steps" in told
        assert "down" not in told and "noise lets nobody rest" in told
        assert mode.player.track.title(steps).endswith("on average")
    assert "on average of 6 steps" in sentence(mode, 5)


def test_a_line_along_the_plots_ground_is_told_with_its_own_numbers(mode, change):
    change(Experiment(surface="ravine", racers=("adagrad", "sgd"), steps=100))
    plot = mode.view.loss
    heights = mode.recording.lane("adagrad").heights
    assert heights[-1] < 1e-30 and plot.ends["AdaGrad"] > 1e-9
    np.testing.assert_array_equal(plot.displayed()["AdaGrad"][:, 1], heights)
    np.testing.assert_array_equal(plot.as_columns()["AdaGrad"], heights)
    assert dict(row[:2] for row in plot.readout(100))["AdaGrad"] == format_number(heights[-1])
    assert plot._note.startswith("flat below")
    change(Experiment(racers=("sgd",), steps=20))
    assert plot._note == ""


def test_tables_have_the_step_and_no_line_that_only_helps_the_eye(mode, change):
    change(Experiment(racers=("adam",), steps=20))
    assert list(mode.view.common.curve.as_columns()) == ["step", "Constant"]
    assert list(mode.view.common.curve.displayed()) == ["Constant"]
    columns = mode.view.moments.displayed()
    assert next(iter(columns)) == "step"
    np.testing.assert_array_equal(columns["step"], np.arange(21))


def test_a_question_ends_as_one(mode, change):
    change(Experiment(surface="saddle", racers=("adam", "sgd")))
    assert sentence(mode, 0).endswith("who leaves the pass first?")


def sentence(mode, step: int) -> str:
    mode.player.seek(step)
    mode._tell()
    return mode.headline


def typed(text: str, racers=NAMES, steps: int = 30, **more) -> Experiment:
    return Experiment(surface=TYPED, text=text, racers=racers, steps=steps, **more)


def test_on_a_level_surface_nobody_moves_and_nobody_is_lowest(mode, change):
    change(typed("5"))
    told = sentence(mode, 20)
    assert told == "Step 20 of 30: nobody moves, for the surface is level everywhere."
    assert mode.player.track.title(20) == "after step 20 nobody has moved"
    change(typed("x**2 + y**2", start=(0.0, 0.0)))
    assert "nobody moves, for there is no slope at the start" in sentence(mode, 20)
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
    assert "furthest down" in told and "falls on and on" in told and "down first" not in told
    first = recording.leaders(60)[0]
    assert first.title in told and "furthest down" in mode.player.track.title(60)
    # A curve above the lowest would dive at the step where that was reached.
    shown = mode.view.loss.displayed()["Adam"]
    np.testing.assert_array_equal(shown[:, 1], recording.lane("adam").heights)
    assert not any("down" in told for told in mode.player.track.marks.values())


def test_where_a_surface_is_lowest_at_its_end_that_is_told(mode, change):
    change(typed("sqrt(x + 2.1) - 0.1*x", ("adam", "lion"), 30))
    told = sentence(mode, 1)
    assert "where the surface is lowest, it ends" in told and "on and on" not in told
    change(typed("log(x)", NAMES, 5))
    assert "(\u22122, 1.5)" in mode.headline


def test_who_falls_out_of_sight_is_not_told_to_go_slower(mode, change):
    change(typed("-x**2 - y**2", ("sgd", "momentum"), 2000))
    gone = mode.recording.lost(2000)
    assert gone and all(mode.recording.fell_away(lane) for lane in gone)
    told = sentence(mode, 2000)
    assert "fell out of sight" in told and "ran away" not in told
    assert "too high" not in mode.view.notice.message


@pytest.mark.parametrize("text", ["x**2 + y**2", "sin(x) + y**2", "x**2", "(x - 10)**2 + y**2"])
def test_a_surface_with_a_lowest_place_does_not_fall_on_and_on(mode, change, text):
    change(typed(text, ("adagrad", "adam"), 400))
    assert not mode.recording.endless
    assert "down first" in sentence(mode, 400)


def test_who_stands_on_a_saddle_is_not_down(mode, change):
    change(typed("x*y", ("sgd", "adagrad", "adam", "momentum"), 200, start=(1.0, 1.0)))
    assert not mode.recording.lowest_is_low and mode.recording.arrivals == {}
    told = sentence(mode, 200)
    assert "down first" not in told and told.endswith("but it is lower beside it.")
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


def test_the_step_that_loses_one_is_no_step_of_no_length(mode, change):
    one = Experiment(racers=("sgd",), steps=20).with_setting("sgd", "learning_rate", 1.0)
    change(one)
    at = mode.recording.lane("sgd").lost_at
    assert at is not None
    for step in (at - 1, at, 20):
        mode.player.seek(step)
        mode._tell()
        is_lost = "last step lost, lost" in mode.view.moments.accessibleDescription()
        assert is_lost == (step >= at)
        assert not mode.view.moments.grab().isNull()


def test_where_a_surface_is_nowhere_its_formula_is_to_be_changed_not_the_start(mode, change):
    for text in ("x/0", "9**9**9**9 + x", "log(-2 - x**2 - y**2)"):
        change(typed(text))
        assert "no height anywhere that is drawn; change the formula" in mode.headline
    change(typed("log(x)"))
    assert "start elsewhere" in mode.headline
    change(typed("sqrt(x - 10)", start=(40.0, 1.0)))
    assert "There is no race" not in mode.headline


def test_who_is_equally_low_is_told_together(mode, change):
    change(Experiment(racers=("sgd", "adam", "adamw"), steps=50))
    assert "Adam and AdamW are lowest, at" in sentence(mode, 30)
    change(Experiment(surface="saddle", racers=tuple(OPTIMIZERS)))
    down = sorted(mode.recording.arrivals.items(), key=lambda one: one[1])
    at, same = (step for _, step in down[:2])
    assert at == same  # two at once, and then the others
    told = sentence(mode, 200)
    assert "were down first" in told and ", then " in told
    assert mode.player.track.title(200) == "after step 200 all are down" and len(down) == 9


def test_who_came_to_rest_in_a_higher_valley_is_told_so(mode, change):
    change(typed("x**4 - 3*x**2 + x + y**2", ("adagrad", "adam"), 300, start=(1.6, 0.5)))
    assert "it is level there, but not the lowest place" in sentence(mode, 300)
    change(Experiment())  # along the bent valley it is nearly level, and goes on down
    assert mode.recording.leaders(200)[0].name == "adam"
    assert sentence(mode, 200).endswith("nobody is down yet.")


def test_nobody_races(mode, change):
    change(Experiment(racers=()))
    assert mode.recording.lanes == () and mode.view.map.ways() == []
    assert "Tick who shall race" in mode.headline
    assert mode.player.track.title(20) == "nobody races"


def test_the_curve_of_a_schedule_is_what_the_racers_take(mode, run_async):
    peak = usual_settings(SURFACES["rosenbrock"], "adam").learning_rate

    async def body():
        for schedule in SCHEDULES:
            mode.change(Experiment(racers=("adam",), steps=40, warmup=5), "Test")
            mode.changing.set_schedule(schedule)
            await mode.settled()
            curve = mode.view.common.curve.displayed()[SCHEDULES[schedule].title]
            racers = mode.recording.lanes[0].racers[:-1]
            taken = [racer.settings.learning_rate for racer in racers]
            np.testing.assert_allclose(curve[:, 1] * peak, taken, rtol=1e-12)

    run_async(body())


def test_numbers_of_all_racers_are_what_the_cursor_shows(mode, change):
    change(Experiment(racers=("sgd", "adam"), steps=20))
    mode.player.seek(9)
    mode._tell()
    for lane in mode.recording.lanes:
        told = mode.view.lanes.rows[lane.name].height_label.text()
        assert told == short(lane.heights[9])
        assert f"{lane.title} at" in mode.view.map.accessibleDescription()
    shown = mode.view.moments.displayed()
    adam = mode.recording.lane("adam")
    averages = np.stack([np.broadcast_to(r.state.average, (2,)) for r in adam.racers])
    np.testing.assert_array_equal(shown["average y"], averages[:, 1])
    squares = np.stack([np.broadcast_to(r.state.square, (2,)) for r in adam.racers])
    np.testing.assert_array_equal(shown["usual size x"], np.sqrt(squares[:, 0]))


def test_what_is_told_remembered_and_stepped_belongs_to_one_step(mode, change):
    mode.player.seek(60)
    lane, bars = mode.recording.lane("adam"), mode.view.moments
    by_kind = {one.kind: one for one in bars._quantities}

    def check(step: int) -> None:
        g, m, move = (bars.shown(by_kind[kind]) for kind in ("gradient", "first", "step"))
        before, after = lane.racers[step - 1], lane.racers[step]
        np.testing.assert_array_equal(g, before.gradient)
        beta = after.settings.betas[0]
        np.testing.assert_allclose(m, beta * before.state.average + (1 - beta) * g)
        np.testing.assert_allclose(move, after.position - before.position)

    check(60)
    assert mode._inspection(mode.recording).rows[1].value == vector(lane.racers[59].gradient)
    mode.go_into()
    mode.player.seek(mode.player.length - 1)
    check(60)
    mode.player.seek(0)
    np.testing.assert_array_equal(bars.shown(by_kind["gradient"]), lane.racers[59].gradient)
    np.testing.assert_array_equal(mode.view.map.arrows.downhill, -lane.racers[59].gradient)
    assert mode.view.map.arrows.letters[0] == "\u2212g"
    mode.cancel()
    np.testing.assert_array_equal(mode.view.map.arrows.downhill, -lane.racers[60].gradient)
    assert mode.view.map.arrows.letters[0] == "downhill"


def test_ways_that_were_run_long_ago_are_forgotten(mode, change, monkeypatch):
    monkeypatch.setattr(runner, "MOST_KNOWN", 5)
    for turn in range(4):
        rate = 0.01 + turn * 1e-3
        change(replace(mode.experiment.with_setting("adam", "learning_rate", rate), steps=10))
    assert len(mode.runner._known) == 5
    known = mode.runner._known.values()
    assert all(lane in known for lane in mode.recording.lanes)


def test_only_the_last_search_for_minima_is_gone_through_with(mode, run_async, engine, hold):
    async def body() -> None:
        release, searches = await hold(), {}
        for text in ("x**2 + y**2 + sin(3*x)", "x**2 + y**2 + sin(4*x)", "x**2 + (y - 1)**2"):
            mode.change(mode.experiment.with_text(text), "Test")
            await asyncio.sleep(0.01)
            searches |= {job: job for job in engine.jobs if job.name == "looking for minima"}
        await release()
        await mode.settled()
        assert [job.state for job in searches] == ["cancelled", "cancelled", "done"]
        (minimum,) = mode.view.map.ground.minima
        assert minimum == pytest.approx((0.0, 1.0), abs=1e-4)

    run_async(body())
