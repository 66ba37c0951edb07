"""Network in its pane: learning live, changing while it learns, points, a sample, sessions."""

from __future__ import annotations

import asyncio
import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from explorer.panes.backprop.network.experiment import Experiment
from explorer.panes.backprop.network.spots import Weight, from_plane
from tests.explorer.waiting import until


def test_play_learns_on_and_pause_holds_it(mode, run_async):
    async def body() -> None:
        mode.player.set_speed(math.inf)
        mode.player.play()
        assert mode.player.playing
        await until(lambda: mode.moment.step > 100)
        mode.player.pause()
        await mode.settled()
        held = mode.moment.step
        assert held == mode.runner.lab.learner.step and not mode.player.playing
        await asyncio.sleep(0.1)
        assert mode.runner.lab.learner.step == held
        mode.player.forward()
        await mode.settled()
        assert mode.moment.step == held + 1

    run_async(body())


def test_it_can_be_changed_while_it_learns(mode, run_async):
    async def body() -> None:
        mode.player.set_speed(math.inf)
        mode.player.play()
        mode.view.controls.fields["activation"].changed.emit("relu")
        mode.view.neuronsRequested.emit(0, -3)
        mode.view.layersRequested.emit(1)
        await until(lambda: mode.moment.sizes == (2, 5, 8, 8, 1))
        assert mode.player.playing
        mode.workspace.undo()
        await until(lambda: mode.moment.sizes == (2, 5, 8, 1))
        mode.player.pause()
        await mode.settled()
        assert mode.experiment == replace(Experiment(), activation="relu", hidden=(5, 8))

    run_async(body())


def test_the_past_is_looked_at_while_it_learns_on(mode, run_async):
    async def body() -> None:
        await mode.runner.steps(20)
        mode.player.seek(5)
        assert mode.moment.step == 5 and not mode.player.at_live_edge
        np.testing.assert_array_equal(
            mode.view.network.displayed()["weights 1"], mode.runner.lab.moments[5].weights[0]
        )
        await mode.runner.steps(430)
        assert mode.view.network.moment.step in (5, 6)
        mode.player.end()
        assert mode.moment.step == 450

    run_async(body())


def test_a_click_adds_a_point_and_shift_click_takes_it_away(mode, run_async):
    drawing = mode.view.network

    async def click(x: float, y: float, modifier: Any = Qt.KeyboardModifier.NoModifier) -> None:
        place = QPoint(*(round(one) for one in from_plane(drawing.layout_now.plane, x, y)))
        QTest.mouseClick(drawing, Qt.MouseButton.LeftButton, modifier, place)
        await mode.settled()

    async def body() -> None:
        mode.inputs.adds.setCurrentIndex(1)
        await click(-1.1, -1.1)
        ((x, y, target),) = mode.experiment.added
        assert (x, y) == pytest.approx((-1.1, -1.1), abs=0.02) and target == 1
        assert len(mode.runner.lab.data.train) == 101
        await click(-1.1, -1.1, Qt.KeyboardModifier.ShiftModifier)
        assert mode.experiment.added == ()
        mode.workspace.undo()
        await mode.settled()
        assert len(mode.experiment.added) == 1

    run_async(body())


def type_in(field, text: str) -> None:
    """In place of what is there, to the end."""
    field.typed.selectAll()
    field.typed.insert(text)
    field.typed.editingFinished.emit()


def test_what_cannot_be_is_told_beside_its_field(mode, run_async):
    fields = mode.view.controls.fields
    field = fields["learning_rate"]

    async def body() -> None:
        for text, words in (
            ("fast", "number"), ("-1", "use"), ("1e99", "use"), ("nan", "finite"), ("1,000", "1.0"),
        ):  # fmt: skip
            type_in(field, text)
            assert words in field.error.text.lower() and field.typed.text() == "0.01"
        assert mode.experiment == Experiment()
        type_in(field, "0.5")
        await mode.settled()
        assert field.error.text == "" and mode.experiment.learning_rate == 0.5
        type_in(field, "0,03")
        assert mode.experiment.learning_rate == 0.03
        type_in(fields["points"], "1,000")
        assert mode.experiment.points == 1000
        type_in(field, "fast")
        type_in(field, "0.5")
        assert field.error.text == ""
        mode.view.controls.set_more(True)
        for name, text, told in (
            ("points", "abc", "Use a whole number, like 30; 1000 stays."),
            ("scale", "200", "Use 100 or less; 1 stays."),
            ("steps", "1e8", "Use 10000000 or less; 2000 stays."),
        ):
            type_in(fields[name], text)
            assert fields[name].error.text == told

    run_async(body())


def test_a_number_is_chosen_from_its_list_and_all_points_have_a_word(mode, run_async):
    async def body() -> None:
        batch = mode.view.controls.fields["batch_size"]
        place = batch.box.findText("all")
        batch.box.setCurrentIndex(place)
        batch.box.activated.emit(place)
        assert mode.experiment.batch_size == 0 and batch.typed.text() == "all"
        type_in(batch, "7")
        assert mode.experiment.batch_size == 7
        type_in(batch, "ALL")
        assert mode.experiment.batch_size == 0
        type_in(batch, "")
        assert mode.experiment.batch_size == 0 and batch.error.text.endswith("; all stays.")

    run_async(body())


def test_divergence_is_said_and_reset_heals_it(mode, run_async):
    async def body() -> None:
        mode.editing.show_preset("diverges")
        await mode.settled()
        mode.player.set_speed(math.inf)
        mode.player.play()
        await until(lambda: "diverged" in mode.headline)
        assert mode.runner.state == "diverged" and "reset" in mode.headline
        assert not mode.player.playing and not mode.player.at_live_edge
        assert mode.player.track.ended == "diverged" and mode.player.track.unit == "moment"
        mode.player.play()  # replays how it came to that
        assert mode.player.playing and mode.player.step == 0
        mode.player.end()
        assert mode.runner.state == "diverged" and not mode.inputs.calm.isHidden()
        mode.inputs.calm.click()
        await mode.settled()
        assert mode.runner.state == "paused" and mode.moment.step == 0
        assert mode.experiment.learning_rate == 0.26 and mode.inputs.calm.isHidden()
        await mode.runner.steps(60)
        assert mode.moment.train_loss < 0.1

    run_async(body())


def test_steps_that_are_too_large_are_said_though_every_number_is_finite(mode, run_async):
    async def body() -> None:
        mode.editing.change_field("optimizer", "sgd")
        mode.editing.change_field("learning_rate", 100.0)
        await mode.settled()
        await mode.runner.steps(60)
        await mode.settled()
        assert not mode.moment.diverged and math.isfinite(mode.moment.train_loss)
        assert "too large" in mode.headline and not mode.inputs.calm.isHidden()
        mode.runner.lab.curves.train[-1] = 0.5  # a jump for the better is no cure
        mode._tell()
        assert not mode.inputs.calm.isHidden()
        mode.player.seek(1)
        assert "too large" not in mode.headline, "of an earlier moment something else is said"
        mode.player.end()
        mode.inputs.calm.click()
        mode.inputs.calm.click()
        mode.inputs.calm.click()
        await mode.settled()
        await mode.runner.steps(60)
        await mode.settled()
        assert "too large" not in mode.headline and mode.inputs.calm.isHidden()

    run_async(body())


def test_a_session_brings_the_setup_back(mode, run_async):
    async def body() -> None:
        mode.editing.show_preset("spiral")
        mode.editing.change_field("penalty", "l1")
        await mode.settled()
        saved = mode.state()
        mode.editing.show_preset("dead")
        await mode.settled()
        mode.restore(saved)
        await mode.settled()
        assert mode.experiment.data == "spiral" and mode.experiment.penalty == "l1"
        assert mode.moment.step == 0 and mode.moment.experiment == mode.experiment
        await mode.runner.steps(20)
        saved = json.loads(json.dumps(mode.state()))
        weights = mode.moment.weights
        mode.choose(Weight(1, 2, 3))
        mode.following.follow(3)
        await mode.settled()
        mode.player.seek(7)
        looking = json.loads(json.dumps(mode.state()))
        mode.editing.show_preset("dead")
        await mode.settled()
        mode.restore(looking)
        assert json.loads(json.dumps(mode.state())) == looking, "also before it is there"
        await mode.settled()
        assert mode.view.network.chosen == Weight(1, 2, 3) and mode.player.position == 7
        assert mode.following.sample.number == 3
        assert json.loads(json.dumps(mode.state())) == looking
        mode.restore(saved)
        await mode.settled()
        assert mode.moment.step == 20 and mode.following.sample is None
        for before, after in zip(weights, mode.moment.weights, strict=True):
            np.testing.assert_array_equal(before, after)
        mode.restore({"experiment": {"hidden": "many", "noise": None}, "panel": 3})
        await mode.settled()
        assert mode.experiment == Experiment()

    run_async(body())


def test_every_action_has_words_and_runs(mode, run_async):
    async def body() -> None:
        for action in mode.actions():
            assert action.text
            if action.enabled():
                action.run()
                await mode.settled()

    run_async(body())


@pytest.mark.parametrize("name", ["learning", "sample", "vanishing", "dead", "overfit"])
def test_every_view_of_a_snapshot_comes(mode, run_async, name):
    async def body() -> None:
        await mode.views()[name]()
        assert mode.view.states.state == "ready" and not mode.widget().grab().isNull()

    run_async(body())


def test_losses_beyond_all_bounds_are_left_out_and_the_picture_says_so(mode, run_async):
    async def body() -> None:
        mode.editing.show_preset("diverges")
        await mode.settled()
        await mode.runner.steps(300)
        await mode.settled()
        assert mode.moment.diverged and "larger" in mode.view.panel.losses._note
        shown = mode.view.panel.losses.displayed()["train"][:, 1]
        assert np.nanmax(shown) < 1e12 and np.isnan(shown[-1])
        for side in ("layers", "updates"):
            mode.view.panel.set_side(side)
            await mode.settled()
            assert not mode.widget().grab().isNull()

    run_async(body())


def test_the_pane_is_closed_while_it_learns(mode, run_async):
    async def body() -> None:
        mode.player.set_speed(math.inf)
        mode.player.play()
        await until(lambda: mode.moment.step > 10)

    run_async(body())


def test_other_modes_are_shown_while_it_learns_on(make_pane, run_async):
    pane = make_pane("expression", "network")

    async def body() -> None:
        pane.show_mode("network")
        await pane.settled()
        mode = pane.modes["network"]
        mode.player.set_speed(math.inf)
        mode.player.play()
        await until(lambda: mode.moment.step > 10)
        pane.show_mode("expression")
        seen = mode.runner.lab.learner.step
        await until(lambda: mode.runner.lab.learner.step > seen + 50)
        pane.show_mode("network")
        assert mode.player.playing and mode.player.at_live_edge
        mode.player.pause()
        await pane.settled()
        assert mode.moment.step == mode.runner.lab.learner.step

    run_async(body())


def test_a_step_back_is_never_into_nothing(mode, run_async):
    async def body() -> None:
        for _ in range(5):
            mode.editing.reset()
            mode.player.enter()
            assert mode.runner.lab.moments
            await mode.settled()

    run_async(body())


def test_what_is_typed_is_never_made_into_a_choice_that_begins_like_it(mode, run_async):
    async def body() -> None:
        mode.view.controls.set_more(True)
        mode.view.activateWindow()
        for name, text, wanted in (
            ("batch_size", "3", 3), ("points", "20", 20), ("noise", "0.0", 0.0),
            ("scale", "0", 0.0), ("learning_rate", "1", 1.0),
        ):  # fmt: skip
            line = mode.view.controls.fields[name].box.lineEdit()
            line.setFocus()
            line.selectAll()
            QTest.keyClicks(line, text)
            assert line.text() == text
            QTest.keyClick(line, Qt.Key.Key_Return)
            await mode.settled()
            assert getattr(mode.experiment, name) == wanted

    run_async(body())


def test_points_of_ones_own_are_all_learned_from_and_no_test_is_told(mode, run_async):
    async def body() -> None:
        mode.editing.change(
            replace(Experiment("own"), added=((0.5, 0.5, 1.0), (-0.5, -0.5, 0.0))), "Own points"
        )
        await mode.settled()
        await mode.runner.steps(60)
        await mode.settled()
        assert "nan" not in mode.headline and "100%" in mode.headline.replace("\u202f", "")

    run_async(body())


def test_a_network_without_points_is_not_before_its_first_step(mode, run_async):
    async def body() -> None:
        await mode.runner.steps(4)
        told: list[Any] = []
        mode.inspection.connect(told.append)
        mode.editing.change(replace(Experiment("own"), hidden=(3,)), "Another network")
        await mode.settled()
        assert told[-1].title == "After 4 steps"

    run_async(body())


@pytest.mark.parametrize("how", ["same weights", "other weights", "preset", "calm"])
def test_undo_brings_back_what_was_learned(mode, run_async, how):
    async def body() -> None:
        mode.editing.change_field("learning_rate", 0.02)
        await mode.settled()
        await mode.runner.steps(30)
        weights, first = mode.moment.weights, mode.runner.lab.curves.train[0]
        if how.endswith("weights"):
            mode.inputs.resetRequested.emit(how == "other weights")
        elif how == "preset":
            mode.editing.show_preset("spiral")
        else:
            mode.editing.calm()
        await mode.settled()
        assert mode.moment.step == 0
        await mode.runner.steps(5)
        mode.workspace.undo()
        await mode.settled()
        assert mode.moment.step == 30
        for now, before in zip(mode.moment.weights, weights, strict=True):
            np.testing.assert_array_equal(now, before)
        assert mode.runner.lab.curves.train[0] == pytest.approx(first, rel=1e-3)
        mode.workspace.redo()
        await mode.settled()
        assert mode.moment.step == 5
        mode.workspace.undo()
        mode.workspace.undo()
        await mode.settled()
        assert mode.moment.step == 30 and mode.experiment.learning_rate == 0.01

    run_async(body())


def test_each_beginning_with_the_same_weights_is_undone_by_itself(mode, run_async):
    async def body() -> None:
        first = mode.moment.weights
        for steps in (10, 20, 30):
            await mode.runner.steps(steps)
            mode.editing.reset()
            await mode.settled()
            assert mode.moment.step == 0
            for now, before in zip(mode.moment.weights, first, strict=True):
                np.testing.assert_array_equal(now, before)
        for steps in (30, 20, 10):
            mode.workspace.undo()
            await mode.settled()
            assert mode.moment.step == steps
        assert mode.experiment == Experiment()
        mode.editing.reset()
        await mode.settled()
        assert mode.moment.step == 0, "not what was undone before"
        mode.workspace.undo()
        mode.editing.show_preset("moons")
        await mode.settled()
        assert mode.moment.step == 0 and "between the moons" in mode.headline
        mode.workspace.undo()
        await mode.settled()
        assert mode.moment.step == 10

    run_async(body())


def test_a_network_that_diverged_comes_back_as_it_was(mode, run_async):
    async def body() -> None:
        mode.editing.show_preset("diverges")
        await mode.settled()
        while not mode.moment.diverged:
            await mode.runner.steps(30)
        step, weights = mode.moment.step, mode.moment.weights
        assert mode.moment.diverged and step > 0
        mode.inputs.calmRequested.emit()
        await mode.settled()
        assert mode.moment.step == 0
        mode.workspace.undo()
        await mode.settled()
        assert mode.moment.step == step
        for now, before in zip(mode.moment.weights, weights, strict=True):
            np.testing.assert_array_equal(now, before)
        await mode.runner.steps(1)
        assert mode.moment.diverged and mode.moment.step == step

    run_async(body())


def test_curves_come_back_with_a_session(mode, run_async):
    async def body() -> None:
        await mode.runner.steps(40)
        saved = json.loads(json.dumps(mode.state()))
        mode.editing.show_preset("dead")
        await mode.settled()
        mode.restore(saved)
        await mode.settled()
        assert mode.moment.step == 40
        assert mode.runner.lab.curves.steps == list(range(41))
        train = mode.view.panel.losses.displayed()["train"]
        assert train[0, 0] == 0 and train[-1, 0] == 40

    run_async(body())


def test_an_exported_network_has_no_buttons_on_it(mode, run_async):
    from explorer.export import drawn, svg

    async def body() -> None:
        drawing, view = mode.view.network, mode.view
        before, vector = drawn(drawing, 1), svg(drawing)
        buttons = [view.fewer, view.deeper, view.depth, *view._pairs[0]]
        assert all(one.isVisible() for one in buttons)
        for one in buttons:
            one.hide()
        assert drawn(drawing, 1) == before and svg(drawing) == vector

    run_async(body())


def test_the_buttons_above_are_whole_where_there_is_little_room(mode, qapp):
    from explorer import theme

    inputs = mode.inputs
    for width in (900, 460, 300):
        for followed in (False, True):
            inputs.resize(width, 40)
            inputs.set_sample(followed)
            inputs.layout().activate()
            buttons = [inputs.before, inputs.after, inputs.back] if followed else []
            for button in buttons:
                room = theme.current().metrics("body").horizontalAdvance(button.text())
                assert button.width() >= room, (width, button.text())
            assert inputs.layout().minimumSize().width() <= max(width, 330)
    assert inputs.before.text() == "\u2039" and inputs.before.accessibleName() == "Point before"
    inputs.resize(900, 40)
    inputs.set_sample(True)
    assert inputs.before.text() == "Point before"
