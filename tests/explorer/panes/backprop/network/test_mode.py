"""Network in its pane: learning live, changing while it learns, points, a sample, sessions."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from core.numbers import format_percent
from explorer.panes.backprop.network import compute
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.hit_testing import from_plane
from explorer.panes.backprop.network.plane_tools import TOOLS
from tests.explorer.panes.backprop.conftest import drawn
from tests.explorer.panes.backprop.network.conftest import neuron_buttons
from tests.explorer.waiting import until


def test_play_learns_on_and_pause_holds_it(mode, run_async):
    async def body() -> None:
        mode.player.set_speed(math.inf)
        mode.player.play()
        assert mode.player.playing
        await until(lambda: mode.keyframe.step > 100)
        mode.player.pause()
        await mode.settled()
        held = mode.keyframe.step
        assert held == mode.runner.training.learner.step and not mode.player.playing
        await asyncio.sleep(0.1)
        assert mode.runner.training.learner.step == held
        mode.player.forward()
        await mode.settled()
        assert mode.keyframe.step == held + 1

    run_async(body())


def test_it_can_be_changed_while_it_learns(mode, run_async):
    async def body() -> None:
        mode.player.set_speed(math.inf)
        mode.player.play()
        mode.view.form.fields["activation"].changed.emit("relu")
        mode.view.neuronsRequested.emit(0, -3)
        mode.view.layersRequested.emit(1)
        await until(lambda: mode.keyframe.sizes == (2, 5, 8, 8, 1))
        assert mode.player.playing
        mode.workspace.undo()
        await until(lambda: mode.keyframe.sizes == (2, 5, 8, 1))
        mode.player.pause()
        await mode.settled()
        assert mode.draft.value == replace(NetworkDraft(), activation="relu", hidden=(5, 8))

    run_async(body())


def test_the_past_is_looked_at_while_it_learns_on(mode, run_async, monkeypatch):
    monkeypatch.setattr(compute, "MOST_KEYFRAMES", 40)  # then half of them are forgotten

    async def body() -> None:
        await mode.runner.steps(20)
        mode.player.seek(5)
        assert mode.keyframe.step == 5 and not mode.player.at_live_edge
        np.testing.assert_array_equal(
            mode.view.network.displayed()["weights 1"], mode.runner.training.keyframes[5].weights[0]
        )
        await mode.runner.steps(30)
        assert len(mode.runner.training.keyframes) < 40
        assert mode.view.network.keyframe.step in (5, 6)
        mode.player.end()
        assert mode.keyframe.step == 50

    run_async(body())


def test_headline_and_accuracy_tell_the_same_step_while_it_learns(mode, run_async):
    async def body() -> None:
        mode.player.set_speed(math.inf)
        mode.player.play()
        for step in (20, 60, 120):
            await until(lambda step=step: mode.keyframe.step > step)
            mode.show_newest()  # what a frame does; the plots below follow at later ones
            shown = mode.shown_keyframe
            train = format_percent(shown.train_accuracy)
            test = format_percent(shown.test_accuracy)
            assert mode.view.panel.told.text() == f"Accuracy: training {train}, test {test}"
            assert f"{train} of the training points" in mode.headline or "solved" in mode.headline
        mode.player.pause()
        await mode.settled()

    run_async(body())


def choose_tool(mode: Any, tool: str) -> None:
    """By the keyboard, as a person does."""
    tools = [one for one, _ in TOOLS]
    ways = tools.index(tool) - tools.index(mode.view.tools.tool)
    for _ in range(abs(ways)):
        QTest.keyClick(mode.view.tools.choice, Qt.Key.Key_Right if ways > 0 else Qt.Key.Key_Left)


def test_a_click_on_the_plane_does_what_the_tool_says(mode, run_async):
    drawing, left = mode.view.network, Qt.MouseButton.LeftButton

    async def click(x: float, y: float, aside: int = 0, button: Any = left) -> None:
        place = QPoint(*(round(one) for one in from_plane(drawing.layout_now.plane, x, y)))
        QTest.mouseClick(drawing, button, Qt.KeyboardModifier.NoModifier, place + QPoint(aside, 0))
        await mode.settled()

    async def body() -> None:
        await click(-1.1, -1.1)
        assert mode.draft.value.added == () and mode.sample is None
        assert mode.view.tools.adds.isHidden()
        choose_tool(mode, "add")
        assert not mode.view.tools.adds.isHidden()
        mode.view.tools.adds.setCurrentIndex(1)
        await click(-1.1, -1.1)
        ((x, y, target),) = mode.draft.value.added
        assert (x, y) == pytest.approx((-1.1, -1.1), abs=0.02) and target == 1
        assert len(mode.runner.training.data.train) == 101
        choose_tool(mode, "erase")
        await click(-1.1, -1.1, button=Qt.MouseButton.RightButton)
        assert len(mode.draft.value.added) == 1, "the right button only opens the menu"
        await click(-1.1, -1.1, aside=14)
        assert len(mode.draft.value.added) == 1, "too far away to mean the point"
        await click(-1.1, -1.1, aside=10)
        assert mode.draft.value.added == ()
        mode.workspace.undo()
        await mode.settled()
        assert len(mode.draft.value.added) == 1
        choose_tool(mode, "inspect")
        await click(-1.1, -1.1)
        assert mode.sample.point == pytest.approx((-1.1, -1.1), abs=0.02)

    run_async(body())


def test_buttons_lead_to_a_point_and_into_the_optimizer_step(mode, run_async):
    async def body() -> None:
        inputs = mode.inputs
        assert inputs.follow.isEnabled() and not inputs.into.isEnabled(), "no step was taken yet"
        await mode.runner.steps(3)
        await mode.settled()
        inputs.into.click()
        assert mode.player.depth == 1 and inputs.into.text() == "Close step"
        inputs.into.click()
        assert mode.player.depth == 0 and inputs.into.text() == "Open step"
        inputs.follow.click()
        await mode.settled()
        assert mode.sample is not None and inputs.follow.isHidden()
        inputs.back.click()
        await mode.settled()
        assert mode.sample is None and not inputs.follow.isHidden()

    run_async(body())


def test_where_there_are_no_points_a_click_adds_one(mode, run_async):
    async def body() -> None:
        mode.change_field("data", "own")
        await mode.settled()
        assert mode.view.tools.tool == "add" == mode.view.network.tool
        assert "Add" in mode.headline and not mode.inputs.follow.isEnabled()

    run_async(body())


def test_divergence_is_said_and_reset_heals_it(mode, run_async):
    async def body() -> None:
        mode.show_preset("diverges")
        await mode.settled()
        mode.player.set_speed(math.inf)
        mode.player.play()
        await until(lambda: "diverged" in mode.headline)
        assert mode.runner.state == "diverged" and "reset" in mode.headline
        assert not mode.player.playing and not mode.player.at_live_edge
        assert mode.player.track.ended == "diverged" and mode.player.track.unit == "keyframe"
        mode.player.play()  # replays how it came to that
        assert mode.player.playing and mode.player.step == 0
        mode.player.end()
        assert mode.runner.state == "diverged" and not mode.inputs.slower.isHidden()
        mode.inputs.slower.click()
        await mode.settled()
        assert mode.runner.state == "paused" and mode.keyframe.step == 0
        assert mode.draft.value.learning_rate == 0.26 and mode.inputs.slower.isHidden()
        await mode.runner.steps(60)
        assert mode.keyframe.train_loss < 0.1

    run_async(body())


def test_steps_that_are_too_large_are_said_though_every_number_is_finite(mode, run_async):
    async def body() -> None:
        mode.change_field("optimizer", "sgd")
        mode.change_field("learning_rate", 100.0)
        await mode.settled()
        await mode.runner.steps(60)
        await mode.settled()
        assert not mode.keyframe.diverged and math.isfinite(mode.keyframe.train_loss)
        assert "too large" in mode.headline and not mode.inputs.slower.isHidden()
        mode.runner.training.curves.train[-1] = 0.5  # a jump for the better is no cure
        mode.on_step(mode.player.step)
        assert not mode.inputs.slower.isHidden()
        mode.player.seek(1)
        assert "too large" not in mode.headline, "of an earlier keyframe something else is said"
        mode.player.end()
        mode.inputs.slower.click()
        mode.inputs.slower.click()
        mode.inputs.slower.click()
        await mode.settled()
        await mode.runner.steps(60)
        await mode.settled()
        assert "too large" not in mode.headline and mode.inputs.slower.isHidden()

    run_async(body())


def test_every_action_has_words_and_runs(mode, run_async):
    async def body() -> None:
        for action in mode.actions():
            assert action.text
            if action.enabled():
                action.run()
                await mode.settled()

    run_async(body())


VIEWS = ["sample", "dead"]
VIEWS += [pytest.param(one, marks=pytest.mark.full) for one in ("learning", "vanishing", "overfit")]


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_of_a_snapshot_comes(mode, run_async, name):
    async def body() -> None:
        await mode.views()[name]()
        assert mode.view.states.state == "ready" and not drawn(mode.widget()).isNull()

    run_async(body())


def test_losses_beyond_all_bounds_are_left_out_and_the_picture_says_so(mode, run_async):
    async def body() -> None:
        mode.show_preset("diverges")
        await mode.settled()
        await mode.runner.steps(300)
        await mode.settled()
        assert mode.keyframe.diverged and "too large" in mode.view.panel.losses.note
        shown = mode.view.panel.losses.displayed()["train"][:, 1]
        assert np.nanmax(shown) < 1e12 and np.isnan(shown[-1])
        for side in ("layers", "updates"):
            mode.view.panel.set_side(side)
            await mode.settled()
            assert not drawn(mode.widget()).isNull()

    run_async(body())


def test_the_pane_is_closed_while_it_learns(mode, run_async):
    async def body() -> None:
        mode.player.set_speed(math.inf)
        mode.player.play()
        await until(lambda: mode.keyframe.step > 10)

    run_async(body())


def test_other_modes_are_shown_while_it_learns_on(make_pane, run_async):
    pane = make_pane("expression", "network")

    async def body() -> None:
        pane.show_mode("network")
        await pane.settled()
        mode = pane.modes["network"]
        mode.player.set_speed(math.inf)
        mode.player.play()
        await until(lambda: mode.keyframe.step > 10)
        pane.show_mode("expression")
        seen = mode.runner.training.learner.step
        await until(lambda: mode.runner.training.learner.step > seen + 50)
        pane.show_mode("network")
        assert mode.player.playing and mode.player.at_live_edge
        mode.player.pause()
        await pane.settled()
        assert mode.keyframe.step == mode.runner.training.learner.step

    run_async(body())


def test_a_step_back_is_never_into_nothing(mode, run_async):
    async def body() -> None:
        for _ in range(5):
            mode.reset()
            mode.player.enter()
            assert mode.runner.training.keyframes
            await mode.settled()

    run_async(body())


def test_points_of_ones_own_are_all_learned_from_and_no_test_is_told(mode, run_async):
    async def body() -> None:
        mode.draft.change(
            replace(NetworkDraft("own"), added=((0.5, 0.5, 1.0), (-0.5, -0.5, 0.0))), "Own points"
        )
        await mode.settled()
        await mode.runner.steps(60)
        await mode.settled()
        assert "nan" not in mode.headline and format_percent(1.0) in mode.headline

    run_async(body())


def test_a_network_without_points_is_not_before_its_first_step(mode, run_async):
    async def body() -> None:
        await mode.runner.steps(4)
        told: list[Any] = []
        mode.inspection.connect(told.append)
        mode.draft.change(replace(NetworkDraft("own"), hidden=(3,)), "Another network")
        await mode.settled()
        assert told[-1].title == "After 4 steps"

    run_async(body())


def test_an_exported_network_has_no_buttons_on_it(mode, run_async):
    from explorer.widgets.rendering import drawn, svg

    async def body() -> None:
        drawing, view = mode.view.network, mode.view
        before, vector = drawn(drawing, 1), svg(drawing)
        buttons = [view.fewer, view.deeper, view.depth, *neuron_buttons(view)]
        assert len(buttons) > 4 and all(one.isVisible() for one in buttons)
        for one in buttons:
            one.hide()
        assert drawn(drawing, 1) == before and svg(drawing) == vector

    run_async(body())
