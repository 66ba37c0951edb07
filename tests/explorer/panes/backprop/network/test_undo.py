"""Network: what comes back with a session and by undo, the setup and what was learned."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.elements import Weight
from tests.explorer.panes.backprop.network.conftest import SCENE, session


def test_a_session_brings_the_setup_back(mode, run_async):
    async def body() -> None:
        mode.show_preset("spiral")
        mode.change_field("penalty", "l1")
        await mode.settled()
        saved = session(mode)
        mode.show_preset("dead")
        await mode.settled()
        mode.workspace.restore(saved)
        await mode.settled()
        assert mode.draft.value.data == "spiral" and mode.draft.value.penalty == "l1"
        assert mode.keyframe.step == 0 and mode.keyframe.draft == mode.draft.value
        await mode.runner.steps(20)
        saved = session(mode)
        weights = mode.keyframe.weights
        mode.choose(Weight(1, 2, 3))
        mode.follow(3)
        await mode.settled()
        mode.player.seek(7)
        looking = session(mode)
        mode.show_preset("dead")
        await mode.settled()
        mode.workspace.restore(looking)
        assert session(mode) == looking, "also before it is there"
        await mode.settled()
        assert mode.view.network.chosen == Weight(1, 2, 3) and mode.player.position == 7
        assert mode.sample.number == 3
        assert session(mode) == looking
        mode.workspace.restore(saved)
        await mode.settled()
        assert mode.keyframe.step == 20 and mode.sample is None
        for before, after in zip(weights, mode.keyframe.weights, strict=True):
            np.testing.assert_array_equal(before, after)
        bad = {"hidden": "many", "noise": None}
        mode.workspace.restore({mode.draft.path: bad, SCENE: {"panel": 3, "learned": None}})
        await mode.settled()
        assert mode.draft.value == NetworkDraft()

    run_async(body())


CHANGES = ["same weights", "preset"]
CHANGES += [pytest.param(one, marks=pytest.mark.full) for one in ("other weights", "calm")]


@pytest.mark.parametrize("how", CHANGES)
def test_undo_brings_back_what_was_learned(mode, run_async, how):
    async def body() -> None:
        mode.change_field("learning_rate", 0.02)
        await mode.settled()
        await mode.runner.steps(12)
        weights = mode.keyframe.weights
        if how.endswith("weights"):
            mode.inputs.resetRequested.emit(how == "other weights")
        elif how == "preset":
            mode.show_preset("spiral")
        else:
            mode.slower()
        await mode.settled()
        assert mode.keyframe.step == 0
        await mode.runner.steps(5)
        mode.workspace.undo()
        await mode.settled()
        assert mode.keyframe.step == 12
        for now, before in zip(mode.keyframe.weights, weights, strict=True):
            np.testing.assert_array_equal(now, before)
        mode.workspace.redo()
        await mode.settled()
        assert mode.keyframe.step == 5
        mode.workspace.undo()
        mode.workspace.undo()
        await mode.settled()
        assert mode.keyframe.step == 12 and mode.draft.value.learning_rate == 0.01

    run_async(body())


def test_each_beginning_with_the_same_weights_is_undone_by_itself(mode, run_async):
    async def body() -> None:
        first = mode.keyframe.weights
        for steps in (3, 6, 9):
            await mode.runner.steps(steps)
            mode.reset()
            await mode.settled()
            assert mode.keyframe.step == 0
            for now, before in zip(mode.keyframe.weights, first, strict=True):
                np.testing.assert_array_equal(now, before)
        for steps in (9, 6, 3):
            mode.workspace.undo()
            await mode.settled()
            assert mode.keyframe.step == steps
        assert mode.draft.value == NetworkDraft()
        mode.reset()
        await mode.settled()
        assert mode.keyframe.step == 0, "not what was undone before"
        mode.workspace.undo()
        mode.show_preset("moons")
        await mode.settled()
        assert mode.keyframe.step == 0 and "between the moons" in mode.headline
        mode.workspace.undo()
        await mode.settled()
        assert mode.keyframe.step == 3

    run_async(body())


def test_a_network_that_diverged_comes_back_before_its_last_step(mode, run_async):
    async def body() -> None:
        mode.show_preset("diverges")
        await mode.settled()
        while not mode.keyframe.diverged:
            await mode.runner.steps(30)
        step, weights = mode.keyframe.update.start.step, mode.keyframe.update.before
        assert mode.keyframe.diverged and step > 0
        mode.inputs.slowerRequested.emit()
        await mode.settled()
        assert mode.keyframe.step == 0
        mode.workspace.undo()
        await mode.settled()
        assert mode.keyframe.step == step
        for number, now in enumerate(mode.keyframe.weights):
            np.testing.assert_array_equal(now, weights[f"{number}.weight"])
        await mode.runner.steps(1)
        assert mode.keyframe.diverged

    run_async(body())
