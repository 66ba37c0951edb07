"""What a session keeps of the playground: it goes on as if it had never ended."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.jobs import to_the_end
from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.lab import NetworkLab
from explorer.panes.backprop.network.past import kept, moments_steps
from tests.explorer.panes.backprop.network.conftest import SCENE, session
from tests.explorer.waiting import until

ALIKE = [name for name in OPTIMIZERS if name not in ("adam", "muon")]


@pytest.mark.parametrize(
    "name", ["adam", "muon", *(pytest.param(name, marks=pytest.mark.full) for name in ALIKE)]
)
def test_a_session_goes_on_as_if_it_had_never_ended(mode, run_async, name):
    """Losses to the last bit, the rate of the schedule, and what there is to look back at."""
    one = NetworkDraft(
        optimizer=name, schedule="cosine", steps=60, norm="batch", batch_size=16, penalty="l2"
    )

    def told(moment):
        return moment.step, moment.train_loss, moment.test_loss, moment.update.learning_rate

    async def body() -> None:
        mode.draft.change(one, "Test")
        await mode.settled()
        await mode.runner.steps(40)
        saved = session(mode)
        await mode.runner.steps(12)
        before = {moment.step: moment for moment in mode.runner.lab.moments}
        mode.editing.show_preset("dead")
        await mode.settled()
        mode.workspace.restore(saved)
        await mode.settled()
        await until(lambda: mode.runner.lab.past is None)
        lab = mode.runner.lab
        assert mode.moment.step == 40 and mode.player.at_live_edge
        steps = [moment.step for moment in lab.moments]
        assert steps[0] == 0 and steps[-1] == 40 and 20 < len(steps) <= 40
        for moment in lab.moments[1:]:
            same = before[moment.step]
            assert told(moment) == told(same)
            assert moment.learned.is_state(same.learned.state())
            assert moment.update.start.is_state(same.update.start.state())
            np.testing.assert_array_equal(moment.plane, same.plane)
            assert [one.ratio for one in moment.layers] == [one.ratio for one in same.layers]
        await mode.runner.steps(12)
        for moment in mode.runner.lab.moments[-12:]:
            assert told(moment) == told(before[moment.step])
        assert mode.moment.step == 52

    run_async(body())


def test_what_a_session_keeps_of_a_network_stays_small(mode, run_async):
    async def body() -> None:
        mode.draft.change(NetworkDraft(hidden=(8,) * 6, norm="batch"), "Test")
        await mode.settled()
        await mode.runner.steps(40)
        assert len(json.dumps(mode.state(), indent=2)) < 800_000
        mode.draft.change(NetworkDraft(), "Test")
        await mode.settled()
        await mode.runner.steps(60)
        assert len(json.dumps(mode.state(), indent=2)) < 400_000

    run_async(body())


def test_a_session_that_is_closed_before_its_past_is_there_loses_nothing(mode, run_async):
    async def body() -> None:
        await mode.runner.steps(30)
        saved = session(mode)
        mode.workspace.restore(saved)
        assert session(mode)[SCENE]["learned"] == saved[SCENE]["learned"]
        await until(lambda: mode.runner.beginning is None)
        assert session(mode)[SCENE]["learned"] == saved[SCENE]["learned"]
        await until(lambda: mode.runner.lab.past is None)
        assert session(mode)[SCENE]["learned"] == saved[SCENE]["learned"]

    run_async(body())


def test_a_session_comes_back_to_the_moment_that_was_looked_back_at(mode, run_async):
    """Also where it is none of those that are kept of a long way."""

    async def body() -> None:
        await mode.runner.steps(60)
        mode.player.seek(37)
        await mode.settled()
        assert mode.moment.step == 37 and not mode.player.at_live_edge
        saved = session(mode)
        weights = mode.moment.weights
        mode.editing.show_preset("dead")
        await mode.settled()
        mode.workspace.restore(saved)
        assert mode.state()["step"] == 37, "also before it is there"
        await mode.settled()
        await until(lambda: mode.runner.lab.past is None)
        await mode.settled()
        assert mode.moment.step == 37 and not mode.player.at_live_edge
        assert mode.runner.lab.moments[-1].step == 60
        for now, before in zip(mode.moment.weights, weights, strict=True):
            np.testing.assert_array_equal(now, before)
        assert mode.state()["step"] == 37
        mode.player.end()
        assert mode.state()["step"] is None
        for bad in ("37", 1000):
            mode.restore({**saved[SCENE], "step": bad})
            await mode.settled()
            await until(lambda: mode.runner.lab.past is None)
            assert mode.moment.step == 60 and mode.player.at_live_edge

    run_async(body())


@pytest.mark.parametrize("place", [37, 80])
def test_a_session_comes_back_into_the_step_that_was_open(mode, run_async, place):
    """Also one of the newest moment, and of the line that was looked at within it."""

    async def body() -> None:
        mode.draft.change(NetworkDraft(optimizer="muon", hidden=(8, 8)), "Test")
        await mode.settled()
        await mode.runner.steps(80)
        mode.player.seek(place)
        mode.inputs.stepRequested.emit()
        track = mode.player.track
        line = next(at for at in range(track.length) if track.inside(at) is not None)
        mode.player.seek(line)
        assert mode.player.enter() and mode.player.depth == 2
        mode.player.seek(2)
        saved, title = session(mode), mode.player.track.title(2)
        mode.editing.show_preset("dead")
        await mode.settled()
        assert mode.player.depth == 0
        mode.workspace.restore(saved)
        await mode.settled()
        assert session(mode)[SCENE]["inside"] == [line, 2]
        await until(lambda: mode.player.depth == 2)
        assert (mode.player.position, mode.player.track.title(2)) == (2, title)
        assert mode.moment.step == place and session(mode)[SCENE] == saved[SCENE]
        assert mode.player.leave() and mode.player.position == line
        assert mode.player.leave() and mode.moment.step == place
        assert session(mode)[SCENE]["inside"] == []
        for bad in (None, "1", [5000], ["1"], [True, {}], [1, 1, 1, 1]):
            mode.restore({**saved[SCENE], "inside": bad})
            await mode.settled()
            await until(lambda: mode.runner.lab.past is None)
            assert mode.moment.step == place

    run_async(body())


def test_a_setup_changed_after_the_last_step_comes_back_too(mode, run_async):
    """Then that step is not taken again: with the other setup it would lead elsewhere."""

    async def body() -> None:
        await mode.runner.steps(12)
        mode.editing.change_field("learning_rate", 0.5)
        await mode.settled()
        saved = session(mode)
        weights = mode.moment.weights
        mode.editing.show_preset("dead")
        await mode.settled()
        mode.workspace.restore(saved)
        await mode.settled()
        assert mode.moment.step == 12 and mode.draft.value.learning_rate == 0.5
        for now, before in zip(mode.moment.weights, weights, strict=True):
            np.testing.assert_array_equal(now, before)
        await until(lambda: mode.runner.lab.past is None)
        assert {moment.draft.learning_rate for moment in mode.runner.lab.moments[:-1]} == {0.01}

    run_async(body())


def test_moments_that_do_not_fit_are_left_out():
    lab = NetworkLab(NetworkDraft())
    lab.several(5)
    saved = json.loads(json.dumps(kept(lab.moments)))
    assert [one.step for one in to_the_end(moments_steps(saved, 5))] == [0, 1, 2, 3, 4]
    assert [one.step for one in to_the_end(moments_steps(saved, 3))] == [0, 1, 2]
    saved["moments"][2][2] = saved["moments"][2][2].replace("parameters", "numbers")
    saved["moments"][3][2] = "3"
    assert [one.step for one in to_the_end(moments_steps(saved, 5))] == [0, 1, 4]
    for bad in (
        None,
        {},
        {"setups": 3},
        {"setups": [], "moments": [[0, True, {}]]},
        {"moments": 1},
    ):
        assert to_the_end(moments_steps(bad, 5)) == []
