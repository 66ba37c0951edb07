"""The pane with each kind of source, and what a person does with its picture."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

import core
from explorer.engine import tasks
from explorer.panes.attention import track
from explorer.panes.attention.inspector import cell_inspection
from explorer.panes.attention.text import step_sentence
from tests.explorer.panes.attention.conftest import open_model
from tests.explorer.waiting import HANGS


@pytest.mark.parametrize("kind", ["folder", "thread", "process"])
def test_text_to_heads_to_steps_with_every_source(kind, pane, tmp_path, run_async):
    async def body():
        source = await open_model(pane, tmp_path, kind)
        heads = pane.reader.heads
        assert heads.source == source.name
        view = pane.view
        shown = view.head.heat.displayed()["values"]
        layer, head, query = pane.choice.place
        np.testing.assert_array_equal(shown, heads.attention[layer, head])
        np.testing.assert_allclose(shown.sum(1), 1, atol=1e-5)
        assert view.tokens.texts[0] == "M" or view.tokens.texts[0].startswith("M")
        assert view.panel.mosaic.displayed()["maps"].shape[:2] == (2, 2)
        assert (layer, head) == np.unravel_index(heads.scores.induction.argmax(), (2, 2))
        assert pane.headline and pane.player.position == 0 and not pane.player.playing
        pane.player.seek(5)
        assert pane.settings.mode == "steps"
        stage = view.head.steps.displayed()
        np.testing.assert_allclose(stage["weights"], heads.attention[layer, head, query], atol=1e-6)
        assert pane.headline == step_sentence(*pane.playback.now)
        assert view.panel.version.isVisibleTo(view) == (kind != "folder")

    run_async(body())


LLAMA = {"positions": "rope", "norm": "rms_norm", "mlp": "swiglu", "n_kv_head": 1, "n_head": 4}


@pytest.mark.parametrize("changes", [{}, LLAMA], ids=str)
def test_the_steps_equal_core(pane, tmp_path, run_async, changes):
    async def body():
        source = await open_model(pane, tmp_path, **changes)
        layer, head, query = pane.choice.place
        expected = core.trace_attention(
            core.load(source.address).model, pane.reader.prompt.ids, layer, head, query
        )
        for mine, theirs in zip(pane.playback.track.scenes[0].steps, expected, strict=True):
            assert mine.name == theirs.name and mine.code == theirs.code
            assert mine.title == theirs.title and mine.formula == theirs.formula
            for name in theirs.values:
                np.testing.assert_allclose(mine.value(name), theirs.value(name), atol=1e-5)
        heads = pane.reader.heads
        shown = cell_inspection(heads, None, (layer, head), (query, 1), False, False, "Arcs")
        scores = {step.name: step for step in expected}["attention.scores"].value("scores")[0]
        np.testing.assert_allclose(shown.table["scores"], scores, atol=1e-5)
        assert shown.rows[0].result == pytest.approx(float(scores[1]), abs=1e-5)

    run_async(body())


def test_nothing_moves_before_a_click_and_play_plays_to_the_end(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        now = [0.0]
        pane.player.clock = lambda: now[0]
        positions = []
        pane.player.positionChanged.connect(positions.append)
        pane.player.play()
        assert pane.settings.mode == "steps"
        while pane.player.playing:
            now[0] += 0.1
            pane.player.tick()
        assert positions == sorted(positions) and positions[-1] == 10
        assert any(p != int(p) for p in positions)

    run_async(body())


def test_a_click_locks_escape_unlocks_and_pointing_previews(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        mosaic, heat = pane.view.panel.mosaic, pane.view.head.heat
        heads = pane.reader.heads
        other = (1 - pane.choice.place[0], pane.choice.place[1])

        def shown():
            return heat.displayed()["values"]

        mosaic.headHovered.emit(*other)
        np.testing.assert_array_equal(shown(), heads.attention[other])
        mosaic.headHovered.emit(-1, -1)
        np.testing.assert_array_equal(shown(), heads.attention[pane.choice.place[:2]])
        at = mosaic.cell_rect(*other).center().toPoint()
        QTest.mouseClick(mosaic, Qt.MouseButton.LeftButton, pos=QPoint(at))
        assert pane.choice.place[:2] == other and mosaic.locked == other
        mosaic.headHovered.emit(0, 0)  # locked: pointing changes nothing
        np.testing.assert_array_equal(shown(), heads.attention[other])
        mosaic.headHovered.emit(-1, -1)
        assert pane.cancel() and mosaic.locked is None
        assert pane.choice.place[:2] == other
        assert not pane.cancel()

    run_async(body())


def test_the_query_is_one_choice_for_tokens_map_and_steps(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.view.tokens.tokenClicked.emit(2)
        await pane.settled()
        assert pane.workspace.selection.token == 2
        assert pane.playback.track.scenes[0].query == 2
        pane.view.head.heat.cellClicked.emit(4, 1)
        await pane.settled()
        assert pane.workspace.selection.token == 4 and pane.pinned == (4, 1)
        shown = []
        pane.inspection.connect(shown.append)
        pane.inspect()
        assert shown[-1].pinned and shown[-1].table["q"].shape == (8,)
        pane.workspace.select(token=0)
        await pane.settled()
        assert pane.pinned is None
        assert "before the first token" in pane.headline
        pane.choice.move_query(-1)
        assert pane.workspace.selection.token == 0

    run_async(body())


def test_the_inspector_prefers_the_pinned_cell_then_the_hovered_one(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        shown = []
        pane.inspection.connect(shown.append)
        pane.workspace.select(token=5)
        await pane.settled()
        pane.player.seek(2)
        pane.view.head.steps.keyHovered.emit(1)
        pane.inspect()
        label = pane.reader.prompt.labels
        assert shown[-1].cell.endswith(f"key \u201c{label[1].strip()}\u201d")
        pane.view.head.steps.keyClicked.emit(0)
        pane.inspect()
        assert shown[-1].pinned and shown[-1].cell.endswith(f"key “{label[0].strip()}”")
        assert pane.cancel()
        assert pane.pinned is None and pane.settings.mode == "steps"
        assert pane.cancel() and pane.settings.mode == "map"

    run_async(body())


def test_a_walk_plays_each_query_in_turn_and_space_pauses_it(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        T = pane.reader.heads.n_tokens
        pane.workspace.select(token=T - 3)
        await pane.settled()
        pane.player.set_speed(float("inf"))
        now = [0.0]
        pane.player.clock = lambda: now[0]
        reached = []
        pane.playback.queryReached.connect(reached.append)
        pane.set_walking(True)
        assert pane.settings.mode == "steps" and pane.player.playing
        await pane.settled()
        assert len(pane.playback.track.scenes) >= 2  # asked for ahead
        pane.player.toggle()
        assert not pane.player.playing and pane.playback.walking
        pane.player.play()
        for _ in range(200):
            now[0] += 1.0
            pane.player.tick()
            await pane.settled()
            if not pane.player.playing:
                break
        assert reached == [T - 2, T - 1]
        assert pane.workspace.selection.token == T - 1
        assert not pane.playback.walking and pane.player.length == 11

    run_async(body())


def test_playing_from_the_heat_map_shows_the_first_step_for_its_rest(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        now = [0.0]
        pane.player.clock = lambda: now[0]
        pane.player.play()
        rest = pane.playback.track.rest
        for moment, at in ((0.9 * rest, 0.0), (1.05 * rest, None)):
            now[0] = moment
            pane.player.tick()
            assert pane.player.position == 0 if at == 0.0 else 0 < pane.player.position < 1
        pane.player.pause()
        pane.player.play()
        now[0] += 0.1
        pane.player.tick()
        assert pane.player.position > 0.05, "what is shown already goes on at once"

    run_async(body())


def test_sorting_filtering_and_hiding_change_the_picture(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        mosaic, heads = pane.view.panel.mosaic, pane.reader.heads
        before = mosaic.displayed()["maps"].copy()
        pane.choose(score="entropy", sorted=True, least=0.9, hide_first=True)
        await pane.settled()
        score = heads.scores.entropy
        np.testing.assert_array_equal(mosaic.displayed()["kept"], score >= 0.9)
        left = [mosaic.cell_rect(0, head).x() for head in np.argsort(-score[0])]
        assert left == sorted(left)
        assert (mosaic.displayed()["maps"] != before).any()
        shown = pane.view.head.heat.displayed()
        assert shown["values"][:, 0].sum() == 0 and shown["mask"][:, 0].all()
        np.testing.assert_allclose(shown["values"][1:].sum(1), 1, atol=1e-5)
        shown = pane.view.panel.scores.displayed()
        scores = dict(zip(shown["name"], shown["number"], strict=True))
        assert scores["Entropy"] == pytest.approx(score[pane.choice.place[:2]])

    run_async(body())


def test_state_comes_back(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        pane.choose(score="duplicate", sorted=True, hide_first=True)
        pane.view.panel.mosaic.headClicked.emit(1, 0)
        pane.set_mode("arcs")
        state = pane.state()
        pane.choose(score="induction", sorted=False, hide_first=False, mode="map")
        pane.restore(state)
        await pane.settled()
        assert pane.state()["score"] == "duplicate" and pane.settings.mode == "arcs"
        assert pane.choice.place[:2] == (1, 0)
        pane.reader.again()
        await pane.settled()
        assert pane.view.panel.mosaic.locked == (1, 0)
        pane.restore({"version": 1, "score": 3, "locked": "x", "mode": None})
        assert pane.settings.score == "duplicate"

    run_async(body())


def test_everything_is_named_and_reachable(pane, tmp_path, run_async):
    async def body():
        await open_model(pane, tmp_path)
        for name, picture in pane.pictures().items():
            assert picture.accessibleName(), name
            assert picture.displayed(), name
        words = pane.view.panel.mosaic.accessibleDescription()
        assert words.startswith("Layer ") and "looks most" in words
        ids = [action.id for action in pane.actions()]
        assert len(ids) == len(set(ids)) and "attention.walk" in ids
        for action in pane.actions():
            if action.enabled():
                action.run()
                await pane.settled()
        for bring in pane.views().values():
            waits = bring()
            if waits is not None:
                await waits
            await pane.settled()
            assert not pane.grab().isNull()

    run_async(body())


def test_transport_and_inspector_call_what_is_seen_by_one_name(pane, tmp_path, run_async, qtbot):
    from explorer.widgets.inspector import Inspector
    from explorer.widgets.transport import TransportBar

    transport, inspector = TransportBar(), Inspector()
    qtbot.addWidget(transport)
    qtbot.addWidget(inspector)
    transport.bind(pane.player)
    pane.inspection.connect(inspector.set_inspection)

    def names():
        return transport.title.text(), inspector.title.text()

    async def body():
        await open_model(pane, tmp_path)
        for mode in ("map", "arcs"):
            pane.set_mode(mode)
            await pane.settled()
            first, second = names()
            assert first == second and "softmax" in first
            assert transport.count.text() == "11 steps"
        pane.choose(hide_first=True)
        await pane.settled()
        assert names()[0] == names()[1] and "first token" in names()[0]
        for step in range(11):
            pane.set_mode("steps")
            pane.player.seek(step)
            await pane.settled()
            first, second = names()
            assert first == second == pane.playback.track.scenes[0].steps[step].title
            assert transport.count.text() == f"step {step + 1} of 11"

    run_async(body())
    transport.bind(None)


def test_the_picture_is_settled_before_the_formulas_of_all_steps_are_set(
    pane, tmp_path, run_async, monkeypatch
):
    released, begun = threading.Event(), []

    def waits(formulas):
        begun.extend(formulas)
        released.wait(HANGS)

    monkeypatch.setattr(track, "set_formulas", waits)

    async def body():
        try:
            await open_model(pane, tmp_path)
            assert tasks.running(pane.playback)  # they are still being set
        finally:
            released.set()
        await tasks.wait_for(pane.playback)
        assert begun == [step.formula for step in pane.playback.track.scenes[0].steps]

    run_async(body())
