"""Each of the ten modes is set up from a JSON file alone, and is as after the clicks."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest

from explorer.panes.backprop.network.elements import Neuron
from explorer.state.workspace import is_looking
from tests.explorer.shell.paths.conftest import shown_numbers
from tests.explorer.waiting import until

PROMPT = "Mira saw a kite. Mira saw a bird."


async def attention(pane: Any) -> None:
    pane.workspace.set_prompt(PROMPT)
    await pane.settled()
    pane.view.panel.mosaic.headClicked.emit(2, 3)
    pane.view.panel.changed.emit("sorted", True)
    pane.view.head.modeChosen.emit("arcs")
    pane.workspace.select(token=5)


async def steps(pane: Any) -> None:
    """Of a query in a head, over the arcs."""
    await attention(pane)
    await pane.settled()
    pane.view.head.modeChosen.emit("steps")
    pane.player.seek(3)
    assert pane.state()["steps"] == {"layer": 2, "head": 3, "query": 5, "step": 3}


async def expression(pane: Any) -> None:
    mode = pane.mode
    mode.set_text("a = 2\nb = -1\n(a*b + x)**2")
    mode.set_rate(0.05)
    mode.step_downhill(3)
    mode.toggle_check()
    await pane.settled()
    mode.try_leaf("x", 0)  # its curve is drawn about it
    pane.player.seek(5)


async def network(pane: Any) -> None:
    mode = pane.mode
    mode.show_preset("spiral")
    mode.change_field("learning_rate", 0.02)
    mode.add_point(0.5, -0.25)
    await pane.settled()
    await mode.runner.steps(12)
    await pane.settled()
    mode.choose(Neuron(1, 2))
    mode.view.panel.set_side("updates")


async def transformer(pane: Any) -> None:
    pane.workspace.set_prompt("Mira saw a kite.")
    await pane.settled()
    pane.workspace.select(head=1, token=2)
    pane.player.seek(7)


async def optimizers(pane: Any) -> None:
    mode = pane.mode
    mode.set_surface("himmelblau")
    mode.set_start(0.5, 0.75)
    mode.set_races("lion", True)
    mode.set_value("adam", "beta1", 0.8)
    mode.set_steps(60)
    await pane.settled()
    mode.choose("lion")
    pane.player.seek(30)


async def compare(pane: Any) -> None:
    pane.mode.set_text("Unbelievable kites, 1,234!")
    pane.mode.choose(layout="rows", ids=True)


async def trained(pane: Any) -> None:
    """Eight moments are there, and the last of them is looked at."""
    trainer = pane.mode.trainer
    await until(lambda: len(trainer.recording or ()) == 8 and not trainer.playing, "eight moments")
    await until(lambda: pane.player.position == 7, "the last moment")
    await pane.settled()


async def train(pane: Any) -> None:
    change = pane.mode.change
    change("kilobytes", "20")
    change("vocab_size", "300")
    change("lanes", pane.mode.draft.value.chosen[:2])
    await pane.settled()
    pane.mode.start(until=8)
    await trained(pane)
    pane.mode.set_focus_lane(1)


async def inside(pane: Any) -> None:
    pane.mode.set_text("unbelievable kites")
    await pane.settled()
    pane.player.seek(3)


async def languages(pane: Any) -> None:
    pane.mode.set_order("name")
    await pane.settled()
    pane.mode.choose("hin", 0)


async def training(pane: Any) -> None:
    mode = pane.mode
    mode.setup.change("size", "tiny")
    mode.setup.change("learning_rate", "1e-3")
    mode.setup.change("steps", "300")
    mode.setup.change("where", "thread")  # else it goes by how busy the machine is
    mode.view.charts.log.setChecked(True)


MODES: list[tuple[str, str, Callable[[Any], Awaitable[None]]]] = [
    ("attention", "", attention),
    ("attention", "", steps),
    ("backprop", "expression", expression),
    ("backprop", "network", network),
    ("backprop", "gpt", transformer),
    ("backprop", "optimizers", optimizers),
    ("tokenizers", "compare", compare),
    ("tokenizers", "train", train),
    ("tokenizers", "inside", inside),
    ("tokenizers", "languages", languages),
    ("training", "run", training),
]


@pytest.mark.parametrize(("name", "mode", "click"), MODES, ids=[one[2].__name__ for one in MODES])
def test_a_mode_is_set_up_from_json_alone(sit, name, mode, click):
    async def seen(session: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        await session.window.pane.settled()
        if mode == "train":
            await trained(session.window.pane)
        return session.workspace.state(), shown_numbers(session.window.pane)

    async def by_clicks(session: Any) -> tuple[str, dict[str, Any]]:
        pane = session.window.show_pane(name)
        if mode:
            pane.show_mode(mode)
        await pane.settled()
        await click(pane)
        state, numbers = await seen(session)
        return json.dumps(state), numbers

    text, wanted = sit(by_clicks)
    paths = json.loads(text)

    async def by_paths(session: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """The pane first, as a lesson does; nothing of it fills the history of clicks."""
        workspace = session.workspace
        first = [path for path in ("pane", f"{name}.mode") if path in paths]
        rest = sorted(set(paths) - set(first), key=is_looking)
        for path in (*first, *rest):
            workspace.change(path, paths[path], "Show this")
            if path == first[-1]:
                await session.window.pane.settled()
        return await seen(session)

    state, numbers = sit(by_paths)
    assert state == paths
    assert numbers.keys() == wanted.keys()
    for picture, shown in wanted.items():
        assert numbers[picture].keys() == shown.keys(), picture
        for key, array in shown.items():
            other = numbers[picture][key]
            if picture == "losses":  # a session keeps a network's last state, no curve to it
                np.testing.assert_array_equal(other[-1], array[-1], f"{picture}: {key}")
            elif picture == "updates":
                assert other[-1, 0] == array[-1, 0], "the step that led there is not kept"
            else:
                np.testing.assert_array_equal(other, array, f"{picture}: {key}")
