"""A race in the pane: what is shown is what core's race gives, wherever the cursor stands."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.numbers import format_number
from core.optimization.race import race_steps
from core.optimization.race_rates import usual_settings
from core.optimization.schedules import SCHEDULES
from core.optimization.surfaces import SURFACES
from explorer.panes.backprop.optimizers import runner
from explorer.panes.backprop.optimizers.draft import OptimizersDraft
from explorer.panes.backprop.optimizers.inspector import vector
from explorer.panes.backprop.optimizers.text import USUAL_RATE, short
from tests.explorer.panes.backprop.optimizers.races import NAMES


@pytest.mark.parametrize("surface", ["bowl", pytest.param("rosenbrock", marks=pytest.mark.full)])
def test_the_ways_are_those_of_a_common_race(mode, change, surface):
    change(OptimizersDraft(surface=surface, racers=NAMES, steps=40))
    shown = mode.view.map.displayed()
    moments = list(race_steps(SURFACES[surface], [(name, None) for name in NAMES], steps=40))
    for number, lane in enumerate(mode.recording.lanes):
        way = np.array([moment.racers[number].position for moment in moments])
        np.testing.assert_array_equal(way[:, 0], shown[f"{lane.title} x"])
        np.testing.assert_array_equal(way[:, 1], shown[f"{lane.title} y"])


def test_only_who_was_changed_runs_again_and_the_cursor_stays(mode, change):
    change(OptimizersDraft(racers=("sgd", "adam"), steps=30))
    mode.player.seek(12)
    sgd, adam = mode.recording.lanes
    change(mode.draft.value.with_setting("adam", "learning_rate", 0.1))
    assert mode.recording.lane("sgd") is sgd
    assert mode.recording.lane("adam") is not adam
    assert mode.recording.lane("adam").settings.learning_rate == 0.1
    assert mode.player.position == 12
    change(replace(mode.draft.value, steps=50))
    assert mode.player.position == 12 and mode.player.length == 51


def test_moving_the_start_is_one_undoable_change(mode, run_async):
    before = mode.draft.value

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
    assert mode.draft.value == before


def test_who_runs_away_is_told_with_a_way_out(mode, change, run_async):
    one = OptimizersDraft(surface="beale", racers=("momentum", "adam"), steps=30)
    change(one.with_setting("momentum", "learning_rate", 0.5))
    lane = mode.recording.lane("momentum")
    assert lane.lost_at is not None
    mode.player.seek(lane.lost_at)
    mode.tell()
    told = mode.view.notice.message
    assert f"Momentum diverged at step {lane.lost_at}" in told and not mode.view.notice.isHidden()
    assert "diverged" in mode.headline

    mode.view.notice.closed.emit()
    mode.tell()
    assert mode.view.notice.isHidden()  # read once, it is not said again

    async def body():
        mode.view.notice.actionTriggered.emit(USUAL_RATE)
        await mode.settled()

    run_async(body())
    usual = usual_settings(SURFACES["beale"], "momentum")
    lane = mode.recording.lane("momentum")
    assert lane.settings == usual and lane.lost_at is None and mode.view.notice.isHidden()


def test_a_line_along_the_plots_ground_is_told_with_its_own_numbers(mode, change):
    change(OptimizersDraft(surface="ravine", racers=("adagrad", "sgd"), steps=100))
    plot = mode.view.loss
    heights = mode.recording.lane("adagrad").heights
    assert heights[-1] < 1e-30 and plot.ends["AdaGrad"] > 1e-9
    np.testing.assert_array_equal(plot.displayed()["AdaGrad"][:, 1], heights)
    np.testing.assert_array_equal(plot.as_columns()["AdaGrad"], heights)
    assert dict(row[:2] for row in plot.readout(100))["AdaGrad"] == format_number(heights[-1])
    assert plot.note.endswith(short(plot.ends["AdaGrad"]))
    change(OptimizersDraft(racers=("sgd",), steps=20))
    assert plot.note == ""


def test_tables_have_the_step_and_no_line_that_only_helps_the_eye(mode, change):
    change(OptimizersDraft(racers=("adam",), steps=20))
    assert list(mode.view.common.curve.as_columns()) == ["step", "Constant"]
    assert list(mode.view.common.curve.displayed()) == ["Constant"]
    columns = mode.view.moments.displayed()
    assert next(iter(columns)) == "step"
    np.testing.assert_array_equal(columns["step"], np.arange(21))


def test_the_step_that_loses_one_is_no_step_of_no_length(mode, change):
    one = OptimizersDraft(racers=("sgd",), steps=20).with_setting("sgd", "learning_rate", 1.0)
    change(one)
    at = mode.recording.lane("sgd").lost_at
    assert at is not None
    for step in (at - 1, at, 20):
        mode.player.seek(step)
        mode.tell()
        is_lost = f"step {at} diverged" in mode.view.moments.accessibleDescription()
        assert is_lost == (step >= at)
        assert not mode.view.moments.grab().isNull()


def test_the_curve_of_a_schedule_is_what_the_racers_take(mode, run_async):
    peak = usual_settings(SURFACES["rosenbrock"], "adam").learning_rate

    async def body():
        for schedule in SCHEDULES:
            mode.draft.change(OptimizersDraft(racers=("adam",), steps=40, warmup=5), "Test")
            mode.set_schedule(schedule)
            await mode.settled()
            curve = mode.view.common.curve.displayed()[SCHEDULES[schedule].title]
            racers = mode.recording.lanes[0].racers[:-1]
            taken = [racer.settings.learning_rate for racer in racers]
            np.testing.assert_allclose(curve[:, 1] * peak, taken, rtol=1e-12)

    run_async(body())


def test_heads_and_numbers_of_all_racers_are_what_the_cursor_shows(mode, change):
    change(OptimizersDraft(racers=("sgd", "adam"), steps=20))
    mode.player.seek(7.25)
    for trail in mode.view.map.trails():  # heads travel between steps
        positions = mode.recording.lane(trail.name).positions
        between = 0.75 * positions[7] + 0.25 * positions[8]
        np.testing.assert_allclose(trail.points[-1], mode.view.map.seen(between))
    mode.player.seek(9)
    mode.tell()
    for lane in mode.recording.lanes:
        told = mode.view.racers.rows[lane.name].height_label.text()
        assert told == short(lane.heights[9])
        assert f"{lane.title} is at" in mode.view.map.accessibleDescription()
    shown = mode.view.moments.displayed()
    adam = mode.recording.lane("adam")
    averages = np.stack([np.broadcast_to(r.state.average, (2,)) for r in adam.racers])
    np.testing.assert_array_equal(shown["average y"], averages[:, 1])
    squares = np.stack([np.broadcast_to(r.state.square, (2,)) for r in adam.racers])
    divided = [step for n in range(1, 21) for step in adam.trace(n) if "square_hat" in step.name]
    squares = np.array([step.value("square_hat") for step in divided])
    np.testing.assert_allclose(shown["usual size x"], [0, *np.sqrt(squares[:, 0])])


def test_what_is_told_remembered_and_stepped_belongs_to_one_step(mode, change):
    mode.player.seek(60)
    lane, bars = mode.recording.lane("adam"), mode.view.moments
    by_kind = {one.kind: one for one in mode.memory.quantities}

    def check(step: int) -> None:
        g, m, move = (bars.shown(by_kind[kind]) for kind in ("gradient", "first", "step"))
        before, after = lane.racers[step - 1], lane.racers[step]
        np.testing.assert_array_equal(g, before.gradient)
        beta = after.settings.betas[0]
        np.testing.assert_allclose(m, beta * before.state.average + (1 - beta) * g)
        np.testing.assert_allclose(move, after.position - before.position)

    check(60)
    told = []
    mode.inspection.connect(told.append)
    mode.inspect()
    assert told[-1].rows[1].value == vector(lane.racers[59].gradient)
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
        change(replace(mode.draft.value.with_setting("adam", "learning_rate", rate), steps=10))
    assert len(mode.runner.known) == 5
    known = mode.runner.known.values()
    assert all(lane in known for lane in mode.recording.lanes)


def test_minima_of_a_typed_surface_are_found_with_its_race(mode, change):
    for text, x in (("x**2 + (y - 1)**2", 0.0), ("(x - 0.5)**2 + (y - 1)**2", 0.5)):
        change(mode.draft.value.with_text(text))
        (minimum,) = mode.view.map.background.places.minima
        assert minimum == pytest.approx((x, 1.0), abs=1e-4)
        assert mode.recording.bottom == pytest.approx(0.0, abs=1e-8)
    places = mode.recording.places
    change(replace(mode.draft.value, start=(1.0, 1.5)))
    assert mode.recording.places is places  # no second search on the same surface
