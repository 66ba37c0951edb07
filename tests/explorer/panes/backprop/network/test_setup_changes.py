"""Network: what a person wants while the engine is still busy with something else counts too."""

from __future__ import annotations

import asyncio

import pytest

from core.fields import to_json
from explorer.panes.backprop.network.draft import NetworkDraft
from tests.explorer.panes.backprop.network.conftest import SCENE


def test_a_change_while_the_network_is_made_counts(make_pane, run_async, hold):
    pane = make_pane("expression", "network")

    async def body() -> None:
        mode = pane.modes["network"]
        release = await hold()
        pane.show_mode("network")
        await asyncio.sleep(0.01)
        assert mode.runner.state == "loading"
        mode.change_field("activation", "relu")
        await asyncio.sleep(0.01)
        one = to_json(NetworkDraft(data="xor", activation="relu"))
        mode.workspace.restore({mode.draft.path: one, SCENE: {"learned": None}})
        await release()
        await pane.settled()
        training = mode.runner.training
        assert training.draft == mode.draft.value == NetworkDraft(data="xor", activation="relu")
        assert training.learner.network.config.activation == "relu" and mode.keyframe.step == 0

    run_async(body())


@pytest.mark.parametrize("other", [False, True])
def test_a_reset_is_not_lost_over_a_change(mode, run_async, hold, other):
    async def body() -> None:
        await mode.runner.steps(30)
        begun: list[bool] = []
        mode.runner.begun.connect(lambda: begun.append(True))
        release = await hold()
        mode.reset(other)
        await asyncio.sleep(0.01)
        mode.change_field("learning_rate", 0.02)
        await asyncio.sleep(0.01)
        await release()
        await mode.settled()
        assert (
            mode.runner.training.learner.step == 0
            and begun
            and len(mode.runner.training.keyframes) == 1
        )
        assert mode.runner.training.draft == mode.draft.value

    run_async(body())


def test_a_preset_begins_anew_though_a_field_is_changed_at_once(mode, run_async, hold):
    async def body() -> None:
        await mode.runner.steps(30)
        release = await hold()
        mode.show_preset("spiral")
        mode.change_field("learning_rate", 0.02)
        await release()
        await mode.settled()
        assert mode.keyframe.step == 0 and mode.runner.training.draft == mode.draft.value

    run_async(body())
