"""Inside: stages, merges, the longest match and the lattice, each as core's trace tells them."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from explorer.panes.tokenizers.encoding import draw_lattice
from explorer.panes.tokenizers.encoding.compute import LONGEST
from tests.explorer.panes.tokenizers.inside.conftest import TEXT
from tests.explorer.panes.tokenizers.small import SIZES


def test_the_steps_are_played_with_formula_and_code(pane, run_async):
    async def body():
        await pane.settled()
        mode, told = pane.mode, []
        pane.inspection.connect(told.append)
        mode.inspect()
        assert pane.player.length == len(mode.steps) > 5
        for place in range(pane.player.length):
            pane.player.seek(place)
            moment = mode.steps[place]
            assert told[-1].step is moment.step and pane.headline == moment.step.title
            shown = mode.view.word.displayed()
            if moment.frame is not None:
                assert len(shown["branches"]) == moment.frame.shown
        spans = mode.view.stages.displayed()
        tokenizer = pane.catalogue.get("model").tokenizer
        assert np.array_equal(spans["model"], tokenizer.encode(TEXT).spans)

    run_async(body())


@pytest.mark.parametrize("kind", SIZES)
def test_every_step_of_every_kind_is_drawn(pane, trained, run_async, kind):
    async def body():
        mode = pane.mode
        mode.choose(pane.catalogue.add_trained(kind, trained[kind]))
        mode.set_text("The happy cat \u2603")
        await pane.settled()
        assert mode.view.body.state == "ready" and mode.chance == {
            "bpe": "dropout",
            "sentencepiece-bpe": "dropout",
            "unigram": "alpha",
        }.get(kind, "")
        for place in range(0, pane.player.length, 3):
            pane.player.seek(place + 0.5)
            mode.view.grab()
            assert mode.view.word.broken is None and mode.view.stages.broken is None
            await asyncio.sleep(0)

    run_async(body())


def test_alpha_keeps_the_place_and_can_be_undone(pane, trained, run_async):
    async def body():
        mode = pane.mode
        mode.choose(pane.catalogue.add_trained("unigram", trained["unigram"]))
        await pane.settled()
        pane.player.seek(4)
        mode.view.form.settings.widgets["alpha"].slider.setValue(10)
        await pane.settled()
        scene = next(m.scene for m in mode.steps if m.scene is not None)
        assert scene.alpha == mode.draft.value.alpha == 0.5 and pane.player.position == 4
        pane.workspace.undo()
        await pane.settled()
        assert mode.draft.value.alpha == 1.0
        state = {"text": "a hat", "alpha": -3, "tokenizer": "model"}
        pane.workspace.begin("tokenizers.inside", state)
        await pane.settled()
        assert (mode.text, mode.draft.value.alpha, mode.chosen) == ("a hat", 1.0, "model")

    run_async(body())


def way_y(scene, way):
    return round(draw_lattice.way_top(scene, way)) + 8


def told_way(way):
    return f"Way {way} of" if way > 1 else "The best way to"


def test_a_way_is_clicked_and_the_lattice_and_the_trace_show_it(pane, trained, run_async):
    async def body():
        mode, told = pane.mode, []
        mode.choose(pane.catalogue.add_trained("unigram", trained["unigram"]))
        mode.set_text("happily")
        await pane.settled()
        pane.inspection.connect(told.append)
        word = mode.view.word
        scene = next(one.scene for one in mode.steps if one.scene is not None)
        assert word.faint  # it is still to come: nothing to click yet
        QTest.mouseClick(word, Qt.MouseButton.LeftButton, pos=QPoint(40, way_y(scene, 2)))
        assert pane.player.position == 0
        mode.show_way(1)
        for way in range(1, len(scene.n_best) + 1):
            QTest.mouseClick(word, Qt.MouseButton.LeftButton, pos=QPoint(40, way_y(scene, way)))
            path = scene.n_best[way - 1]
            shown_path = word.displayed()["path"].tolist()
            assert shown_path == [[node.start, node.end] for node in path.nodes]
            assert told_way(way) in pane.headline and told[-1].step is not None
        QTest.keyClick(word, Qt.Key.Key_Up)
        assert told_way(len(scene.n_best) - 1) in pane.headline
        for _ in range(9):
            QTest.keyClick(word, Qt.Key.Key_Down)
        sample = [[node.start, node.end] for node in scene.sample.nodes]
        assert word.displayed()["path"].tolist() == sample
        by_id = {action.id: action for action in pane.actions()}
        by_id["tokenizers.inside.last-way"].run()
        assert told_way(len(scene.n_best)) in pane.headline

    run_async(body())


def test_what_is_drawn_is_shown_undone_and_kept_in_the_session(pane, trained, run_async):
    async def body():
        mode = pane.mode
        mode.choose(pane.catalogue.add_trained("unigram", trained["unigram"]))
        mode.set_text("happily ever")
        await pane.settled()
        mode.set_chance("alpha", 0.0)
        await pane.settled()

        def sample():
            scene = next(one.scene for one in mode.steps if one.scene is not None)
            return [node.piece for node in scene.sample.nodes]

        first = sample()
        mode.view.form.draw.click()
        mode.view.form.draw.click()
        await pane.settled()
        shown = mode.step_at(pane.player.position)
        assert mode.draft.value.seed == 2 and shown.frame.way == len(shown.scene.ways)
        second, state = sample(), pane.workspace.state()
        pane.workspace.undo()
        pane.workspace.undo()
        await pane.settled()
        assert mode.draft.value.seed == 0 and sample() == first
        pane.workspace.restore(state)
        await pane.settled()
        assert mode.draft.value.seed == 2 and sample() == second
        pane.workspace.begin("tokenizers.inside", {"seed": "many", "dropout": 7, "alpha": None})
        assert (mode.draft.value.seed, mode.draft.value.dropout, mode.draft.value.alpha) == (
            0,
            0.0,
            1.0,
        )

    run_async(body())


def test_dropout_is_drawn_again_only_where_something_is_left_to_chance(pane, run_async):
    async def body():
        mode = pane.mode
        assert mode.chance == "dropout" and not mode.draws
        draw = mode.view.form.draw
        assert not draw.isEnabled()
        usual = mode.inside.ids
        slider = mode.view.form.settings.widgets["dropout"].slider
        slider.setValue(slider.maximum())
        await pane.settled()
        assert mode.draft.value.dropout == 1.0 and draw.isEnabled()
        assert len(mode.inside.ids) == len(TEXT.encode()) > len(usual)
        slider.setValue(10)
        draw.click()
        await pane.settled()
        assert pane.player.position == pane.player.length - 1
        assert mode.view.stages.displayed()["model"].shape[0] == len(mode.inside.ids)

    run_async(body())


def test_what_is_still_to_come_is_drawn_faintly(pane, run_async):
    async def body():
        await pane.settled()
        mode, word = pane.mode, pane.mode.view.word
        pane.player.seek(0)
        assert mode.steps[0].scene is None and word.faint and word.displayed()
        pane.player.seek(3)
        assert mode.steps[3].scene is not None and not word.faint
        mode.view.grab()
        assert word.broken is None

    run_async(body())


def test_arrows_to_the_sides_are_left_to_the_player(pane):
    pictures = pane.mode.view.word, pane.mode.view.stages
    for widget in (pictures[0], *(one.parentWidget().parentWidget() for one in pictures)):
        for key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            event = QKeyEvent(QEvent.Type.KeyPress, key, Qt.KeyboardModifier.NoModifier)
            QApplication.sendEvent(widget, event)
            assert not event.isAccepted()


def test_the_buttons_zoom_and_say_how_far(pane):
    view = pane.mode.view
    view.larger.click()
    assert view.word.zoom == 1.25 and view.zoom.text() == "125\u2009%"
    view.smaller.click()
    view.smaller.click()
    assert view.zoom.text() == "80\u2009%"


def test_what_cannot_be_shown_says_why(pane, run_async, tmp_path):
    async def body():
        mode = pane.mode
        mode.set_text("")
        await pane.settled()
        assert mode.view.body.state == "empty" and pane.player.length == 0
        mode.view.body.actionRequested.emit()
        await pane.settled()
        assert mode.text and pane.player.length
        broken = tmp_path / "tokenizer.json"
        broken.write_text("{")
        mode.choose(pane.catalogue.add_file(broken))
        await pane.settled()
        assert mode.view.body.state == "error" and pane.player.length == 0
        mode.choose("model")
        await pane.settled()
        assert mode.view.body.state == "ready" and pane.player.length

    run_async(body())


def test_a_text_that_is_cut_says_so(pane, run_async):
    async def body():
        await pane.settled()
        said, field = [], pane.mode.inputs.text
        pane.mode.statusRequested.connect(said.append)
        for _ in range(2):  # the second time the text is what it was
            field.setText("a" * 2000)
            field.textEdited.emit(field.text())
            assert len(pane.mode.text) == len(field.text()) == LONGEST
        assert len(said) == 2 and "2,000 characters; only the first 200 are used" in said[0]

    run_async(body())


def test_a_session_comes_back_to_its_step(pane, run_async):
    async def body():
        pane.player.seek(6)
        state = pane.mode.state()
        pane.player.seek(0)
        pane.mode.restore(state)
        await pane.settled()
        assert pane.player.position == 6

    run_async(body())


def test_a_download_that_failed_says_so_until_it_is_tried_again(pane, run_async):
    async def body():
        mode = pane.mode
        away = next(entry for entry in pane.catalogue.entries if not entry.here)
        mode.draft.change({"tokenizer": away.id}, "Look inside it")
        pane.catalogue.failed.emit(away.id, "the line is cut; try again")
        pane.catalogue.changed.emit()
        await pane.settled()
        assert mode.view.body.state == "error" and pane.player.length == 0
        mode.choose("model")
        await pane.settled()
        assert mode.view.body.state == "ready"

    run_async(body())


def test_training_sends_a_tokenizer_here(pane, trained, run_async):
    async def body():
        name = pane.catalogue.add_trained("mine too", trained["bpe"])
        pane.mode.take({"tokenizer": name, "text": "a cat"})
        await pane.settled()
        assert pane.mode.chosen == name and pane.mode.inside.text == "a cat"

    run_async(body())


def test_parts_of_characters_are_bytes_in_every_picture(pane, run_async):
    async def body():
        pane.mode.set_text("caf\u00e9 \u2603")
        await pane.settled()
        rows = {row.name: row.parts for row in pane.mode.view.stages.rows}
        model = [part.text for part in rows["model"]]
        assert {"<C3>", "<A9>", "<E2>", "<98>", "<83>"} <= set(model)
        assert "\u2423\u2603" in [part.text for part in rows["pre-tokenizer"]]
        scene = pane.mode.steps[-2].scene
        texts = [branch.face.text for branch in scene.branches[: scene.letters]]
        assert texts == ["\u2423", "<E2>", "<98>", "<83>"]

    run_async(body())


def test_the_word_is_drawn_larger_and_smaller_by_actions(pane):
    word = pane.mode.view.word
    pane.player.seek(pane.player.length - 2)
    by_id = {action.id: action for action in pane.actions()}
    before = word.sizeHint().width()
    by_id["tokenizers.inside.larger"].run()
    assert word.zoom == 1.25 and word.sizeHint().width() > before
    for _ in range(20):
        by_id["tokenizers.inside.smaller"].run()
    assert word.zoom == 0.6


def test_every_state_that_a_snapshot_shows_comes_about(pane, run_async):
    async def body():
        for bring in pane.mode.views().values():
            await bring()
            await pane.settled()
            assert pane.mode.steps

    run_async(body())


def test_the_text_has_the_most_of_the_strip(pane, run_async):
    async def body():
        await pane.settled()
        inputs = pane.mode.inputs
        inputs.set_name("SentencePiece BPE 1,000, a text of my own")
        inputs.resize(480, 40)  # what a window of 1280 x 720 leaves it
        inputs.layout().activate()
        assert inputs.text.width() > 240
        assert pane.mode.view.isAncestorOf(pane.mode.view.form)
        assert "\u2026" in inputs.choice.text() and "of my own" in inputs.choice.toolTip()

    run_async(body())
