"""What a session keeps of a network: its last state, from which training continues exactly."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.network.draft import NetworkDraft
from tests.explorer.panes.backprop.network.conftest import session

ALIKE = [name for name in OPTIMIZERS if name not in ("adam", "muon")]


@pytest.mark.parametrize(
    "name", ["adam", "muon", *(pytest.param(name, marks=pytest.mark.full) for name in ALIKE)]
)
def test_a_session_goes_on_as_if_it_had_never_ended(mode, run_async, name):
    """Losses to the last bit, and the rate of the schedule."""
    one = NetworkDraft(
        optimizer=name, schedule="cosine", steps=60, norm="batch", batch_size=16, penalty="l2"
    )

    def told(keyframe):
        return keyframe.step, keyframe.train_loss, keyframe.test_loss, keyframe.learning_rate

    async def body() -> None:
        mode.draft.change(one, "Test")
        await mode.settled()
        await mode.runner.steps(40)
        saved = session(mode)
        await mode.runner.steps(12)
        before = {keyframe.step: keyframe for keyframe in mode.runner.training.keyframes}
        mode.show_preset("dead")
        await mode.settled()
        mode.workspace.restore(saved)
        await mode.settled()
        assert [keyframe.step for keyframe in mode.runner.training.keyframes] == [40]
        keyframe, same = mode.keyframe, before[40]
        assert mode.player.at_live_edge and told(keyframe) == told(same)
        assert keyframe.learner_state.to_json() == same.learner_state.to_json()
        np.testing.assert_array_equal(keyframe.plane, same.plane)
        await mode.runner.steps(12)
        for keyframe in mode.runner.training.keyframes[-12:]:
            assert told(keyframe) == told(before[keyframe.step])
        assert mode.keyframe.step == 52

    run_async(body())


def test_what_a_session_keeps_of_a_network_stays_small(mode, run_async):
    async def body() -> None:
        mode.draft.change(NetworkDraft(hidden=(8,) * 6, norm="batch"), "Test")
        await mode.settled()
        await mode.runner.steps(40)
        assert len(json.dumps(mode.state(), indent=2)) < 150_000
        mode.draft.change(NetworkDraft(), "Test")
        await mode.settled()
        await mode.runner.steps(60)
        assert len(json.dumps(mode.state(), indent=2)) < 200_000

    run_async(body())


def test_a_setup_changed_after_the_last_step_comes_back_too(mode, run_async):
    async def body() -> None:
        await mode.runner.steps(12)
        mode.change_field("learning_rate", 0.5)
        await mode.settled()
        saved = session(mode)
        weights = mode.keyframe.weights
        mode.show_preset("dead")
        await mode.settled()
        mode.workspace.restore(saved)
        await mode.settled()
        assert mode.keyframe.step == 12 and mode.draft.value.learning_rate == 0.5
        for now, before in zip(mode.keyframe.weights, weights, strict=True):
            np.testing.assert_array_equal(now, before)

    run_async(body())
