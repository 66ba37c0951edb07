"""The steps of a query are part of the pane's scene: a session or a lesson opens them."""

from __future__ import annotations

import json

import pytest

from explorer.engine import errors
from explorer.engine.jobs import SUPERSEDED
from explorer.panes.attention import track
from explorer.panes.attention.draft import OpenSteps, steps_from
from explorer.runs.sources import FolderSource
from tests.explorer.demo import save_tiny_model
from tests.explorer.panes.attention.conftest import PROMPT, open_model

STEPS = OpenSteps(layer=1, head=0, query=4, step=3)
SCENE = {"steps": {"layer": 1, "head": 0, "query": 4, "step": 3}}


def shows(pane, steps: OpenSteps) -> bool:
    """Whether the steps are on the screen, and nothing else is wanted."""
    stage, selection = pane.view.head.steps, pane.workspace.selection
    return (
        pane.settings.mode == "steps"
        and stage.isVisible()
        and stage.position == steps.step
        and pane.playback.place == steps.place
        and stage.scene.query == steps.query
        and (selection.layer, selection.head, selection.token) == steps.place
        and pane.open_steps == steps
    )


def test_a_scene_waits_for_its_heads(pane, tmp_path, run_async):
    async def body():
        pane.restore(SCENE)
        assert pane.state()["steps"] == SCENE["steps"], "a session saved now loses nothing"
        await open_model(pane, tmp_path)
        assert shows(pane, STEPS)

    run_async(body())


@pytest.mark.parametrize("order", ["prompt first", "scene first"])
def test_a_lesson_opens_the_steps_of_another_text(order, pane, tmp_path, run_async):
    """Also where the lesson's query is the one that the pane had chosen by itself."""

    async def body():
        await open_model(pane, tmp_path)
        query = pane.workspace.selection.token
        steps = OpenSteps(*pane.choice.place, step=3)
        changes = [
            lambda: pane.workspace.set_prompt(PROMPT + " sang. One day Tom"),
            lambda: pane.restore({"steps": {**SCENE["steps"], "query": query, "layer": 0}}),
        ]
        for change in changes if order == "prompt first" else reversed(changes):
            change()
        await pane.settled()
        assert pane.reader.heads.prompt.text.endswith("day Tom")
        assert shows(pane, OpenSteps(0, 0, query, steps.step))

    run_async(body())


def test_the_steps_stand_over_the_arcs_and_come_back_from_a_walk(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.choice.pick_head(1, 0)
        pane.choice.pick_query(3)
        await pane.settled()
        pane.set_mode("arcs")
        pane.set_walking(True)
        await pane.settled()
        pane.player.seek(11 + 3)  # the walk has come to the next query
        await pane.settled()
        state = json.loads(json.dumps(pane.state()))
        assert state["mode"] == "arcs" and state["steps"] == SCENE["steps"]
        pane.cancel()
        pane.choice.pick_head(0, 1)
        await pane.settled()
        pane.restore(state)
        await pane.settled()
        assert shows(pane, STEPS) and not pane.playback.walking
        assert pane.state() == state
        assert pane.cancel() and pane.settings.mode == "arcs"
        assert pane.state()["steps"] is None

    run_async(body())


def test_a_scene_without_steps_closes_them_and_live_heads_go_on(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        before = pane.state()
        pane.restore(SCENE)
        await pane.settled()
        assert shows(pane, STEPS) and pane.reader.steady
        pane.restore({"hide_first": True})  # says nothing of them
        assert shows(pane, STEPS)
        pane.restore(before)
        await pane.settled()
        assert pane.settings.mode == "map" and not pane.reader.steady
        assert pane.player.position == 0

    run_async(body())


def test_what_a_person_chooses_meanwhile_counts(pane, tmp_path, run_async):
    async def body():
        pane.restore(SCENE)
        pane.workspace.select(token=2)
        await open_model(pane, tmp_path)
        assert pane.settings.mode == "map" and pane.workspace.selection.token == 2
        pane.restore({"steps": {**SCENE["steps"], "query": 5}})
        pane.set_mode("arcs")
        await pane.settled()
        assert pane.settings.mode == "arcs" and pane.open_steps is None

    run_async(body())


def test_steps_that_are_not_there_show_the_map(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.restore({"steps": {**SCENE["steps"], "layer": 9}})
        pane.reader.again()
        await pane.settled()
        assert pane.settings.mode == "map" and pane.choice.place[0] < 2
        for nonsense in (3, [], {}, {"layer": 0}, {**SCENE["steps"], "step": 11}):
            assert steps_from(nonsense) is None
            pane.restore({"steps": nonsense})
            assert pane.open_steps is None

    run_async(body())


def test_the_steps_open_again_on_another_model(pane, tmp_path, run_async):
    """A lesson may bring its model along, and that takes a while to open."""

    async def body():
        await open_model(pane, tmp_path)
        deep = OpenSteps(2, 3, 4, 3)
        pane.restore({"steps": {"layer": 2, "head": 3, "query": 4, "step": 3}, "locked": [2, 3]})
        pane.workspace.set_prompt(PROMPT + " sang")  # the first model's heads come in between
        await pane.settled()
        assert pane.settings.mode == "map", "it has two layers"
        other = save_tiny_model(tmp_path / "other", n_layer=3, n_head=4)
        source = FolderSource(pane.engine, other)
        await source.open()
        pane.workspace.set_model_source(source)
        await pane.settled()
        assert shows(pane, deep) and pane.view.panel.mosaic.locked == (2, 3)
        again = FolderSource(pane.engine, other)
        await again.open()
        pane.workspace.set_model_source(again)
        assert pane.settings.mode == "map" and pane.player.length == 0
        await pane.settled()
        assert shows(pane, deep)

    run_async(body())


def test_a_live_model_is_followed_whatever_steps_were_open(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.restore(SCENE)
        await pane.settled()
        await open_model(pane, tmp_path, "thread")
        assert pane.settings.mode == "map" and not pane.reader.steady

    run_async(body())


def test_a_lock_of_the_scene_holds_at_once_and_until_it_is_taken_off(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.restore({"locked": [1, 1]})
        assert pane.view.panel.mosaic.locked == (1, 1) and pane.choice.place[:2] == (1, 1)
        assert pane.cancel() and pane.state()["locked"] is None
        pane.reader.again()
        await pane.settled()
        assert pane.view.panel.mosaic.locked is None
        pane.view.panel.mosaic.headClicked.emit(1, 1)
        assert pane.view.panel.mosaic.locked == (1, 1)
        pane.restore({"locked": None})
        assert pane.view.panel.mosaic.locked is None

    run_async(body())


def test_a_trace_that_failed_is_asked_for_again(pane, tmp_path, run_async, monkeypatch, caplog):
    async def body():
        await open_model(pane, tmp_path)
        pane.choice.pick_head(0, 0)
        await pane.settled()

        def fails(*_):
            raise RuntimeError("a size that does not fit")

        with monkeypatch.context() as patch:
            patch.setattr(track, "trace_of", fails)
            pane.choice.pick_head(1, 0)
            await pane.settled()
            assert pane.playback.place is None
        pane.show_chosen()
        await pane.settled()
        assert pane.playback.place == pane.choice.place

    run_async(body())


def test_a_query_that_the_engine_gave_up_leaves_no_steps(pane, tmp_path, run_async, monkeypatch):
    """It answers with SUPERSEDED what is still asked when it ends."""

    async def body():
        await open_model(pane, tmp_path)
        was = pane.playback.track

        async def give_up(*_, **__):
            return SUPERSEDED

        monkeypatch.setattr(pane.engine, "call", give_up)
        pane.workspace.select(layer=1, head=1, token=2)
        pane.view.head.modeChosen.emit("steps")
        await pane.settled()
        assert pane.playback.track is was

    run_async(body())
    assert not errors.reports().problems
