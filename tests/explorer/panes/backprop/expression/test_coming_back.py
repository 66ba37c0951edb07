"""Expression: what was looked at comes back with a session, and only with its own formula."""

from __future__ import annotations

import json

import pytest

from tests.explorer.panes.backprop.expression.conftest import value


async def test_state_comes_back(pane, mode):
    mode.show_example("matrices")
    mode.move_leaf("b", 1, 0.75)
    pane.player.seek(12)
    mode.try_leaf("W", 2)
    mode.set_nudge(0.5)
    mode.toggle_check()
    mode.view.graph.zoom_by(1.5)
    saved = json.loads(json.dumps(pane.workspace.state()))
    mode.toggle_check()
    mode.show_example("twice")
    assert pane.workspace.state() != saved
    pane.workspace.restore(saved)
    await pane.settled()
    now = pane.workspace.state()
    assert now.keys() == saved.keys()
    for path, part in saved.items():
        assert now[path] == part, path
    assert pane.player.position == 12
    assert value(mode, "b").tolist() == [0.1, 0.75, 0.3]
    for bad in ({}, {"shown": 3, "step": "x", "chosen": [1], "camera": [9, "y", 2]}):
        mode.restore(bad)


async def test_what_was_looked_at_in_a_long_formula_comes_back(pane, mode):
    mode.set_text(" + ".join(f"tanh(w{n} * x{n})" for n in range(40)))
    await pane.settled()
    mode.choose(3, 0)
    mode.view.graph.zoom_by(1.5)
    pane.player.seek(9)
    saved = json.loads(json.dumps(pane.workspace.state()))
    scene = saved["backprop.expression.scene"]
    assert scene["step"] == 9
    mode.show_example("twice")
    pane.workspace.restore(saved)
    assert {name: mode.state()[name] for name in ("chosen", "camera")} == {
        name: scene[name] for name in ("chosen", "camera")
    }, "also where a session is kept before it is worked out"
    await pane.settled()
    assert mode.view.graph.chosen == (3, 0) and mode.state() == scene


@pytest.mark.parametrize("text", ["a * (b +", " + ".join(f"tanh(w{n} * x{n})" for n in range(40))])
async def test_what_was_looked_at_in_one_formula_is_not_laid_on_the_next(pane, mode, text):
    looked = {"chosen": [3, -1], "camera": [2.0, -50.0, -30.0], "step": 5}
    mode.draft.begin({"text": text, "values": {}})
    mode.restore(looked)
    mode.set_text("a*b + c*d + e")
    await pane.settled()
    graph = mode.view.graph
    assert graph.chosen == (-1, -1) and graph.fits and pane.player.position == 0
    mode.set_text("a * b")
    assert graph.chosen == (-1, -1) and graph.fits and pane.player.position == 0


async def test_a_session_begun_while_another_mode_is_shown_keeps_its_step(pane, mode):
    pane.player.seek(4)
    saved = mode.state()
    mode.active = False
    mode.restore(saved)
    mode.set_rate(0.2)
    assert mode.state()["step"] == 4, "the rate changes no graph"
    mode.active = True
