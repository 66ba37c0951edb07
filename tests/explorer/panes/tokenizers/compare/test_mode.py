"""Compare as a person uses it: type, add, remove, point, open files, undo."""

from __future__ import annotations

import asyncio
import json
import threading

import numpy as np
from PySide6.QtCore import QMimeData, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolTip, QWidget

from explorer.panes.tokenizers.compare.compute import differing
from tests.explorer.panes.tokenizers.compare.conftest import COMPARE, TEXT, columns, ids
from tests.explorer.panes.tokenizers.small import saved_bpe, small_bpe
from tests.explorer.waiting import until


def test_each_column_shows_what_its_tokenizer_makes_of_the_text(pane, run_async):
    async def body():
        await pane.settled()
        for place, name in enumerate(("model", "trained:letters")):
            tokenizer = pane.catalogue.get(name).tokenizer
            assert ids(pane, place) == tokenizer.encode_ids(TEXT)
            assert columns(pane)[place].body.state == "ready"
        head = columns(pane)[0].head
        assert head.count.text() == str(len(ids(pane, 0))) and head.badge.text() == "lossless"
        assert pane.headline.startswith("mine needs") and "; letters needs" in pane.headline

    run_async(body())


def test_columns_are_equally_wide_whatever_they_say(pane, run_async):
    async def body():
        pane.catalogue.add_trained("a name that is far too long for its column", small_bpe(262))
        pane.mode.shown_ones.add("trained:a name that is far too long for its column")
        pane.mode.shown_ones.add_files(["/nowhere/a_folder_of_a_model/tokenizer.json"])
        await pane.settled()
        widths = {column.width() for column in columns(pane)}
        assert len(columns(pane)) == 4 and max(widths) - min(widths) <= 1
        assert columns(pane)[3].body.state == "error"
        grid = pane.mode.view.findChild(QWidget, "tokenizers.compare.columns")
        assert grid.width() <= grid.parentWidget().width()
        pane.mode.choose(layout="rows")
        await until(lambda: columns(pane)[0].width() != max(widths), "the layout")
        assert columns(pane)[0].width() > 2 * max(widths)

    run_async(body())


def test_every_key_is_answered_with_the_newest_text(pane, run_async):
    async def body():
        await pane.settled()
        editor = pane.mode.view.editor
        editor.moveCursor(editor.textCursor().MoveOperation.End)
        QTest.keyClicks(editor, ", a hat")
        await pane.settled()
        tokenizer = pane.catalogue.get("model").tokenizer
        assert pane.mode.text == TEXT + ", a hat"
        assert ids(pane, 0) == tokenizer.encode_ids(TEXT + ", a hat")
        pane.workspace.undo()
        await pane.settled()
        assert pane.mode.text == editor.text != TEXT + ", a hat"

    run_async(body())


def test_the_text_is_exact(pane, run_async):
    async def body():
        editor = pane.mode.view.editor
        odd = "no\u00a0break\u2028line \u200b zero\ttab\n\n end "
        pane.mode.set_text(odd)
        assert editor.text == odd == pane.mode.text
        editor.clear()
        data = QMimeData()
        data.setText(odd)
        editor.insertFromMimeData(data)
        QTest.keyClick(editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
        assert pane.mode.text == odd + "\n"
        await pane.settled()

    run_async(body())


def test_pointing_frames_the_same_characters_in_every_column(pane, run_async):
    async def body():
        await pane.settled()
        first, second = columns(pane)
        first.flow.spanHovered.emit(4, 7)
        covered = {column: list(column.flow.marked) for column in (first, second)}
        for column, tokens in covered.items():
            assert tokens == list(column.split.tokens.overlapping(4, 7)) and tokens
        assert len(covered[second]) >= len(covered[first])
        first.flow.spanHovered.emit(-1, -1)
        assert not len(second.flow.marked)

    run_async(body())


def test_whether_a_long_text_is_lossless_is_told_also_when_another_is_opened_meanwhile(
    pane, run_async
):
    async def body():
        pane.mode.set_text("the cat sat on the mat " * 6_000)
        await until(lambda: len(pane.mode.splits) == 2)
        pane.mode.refresh()
        pane.catalogue.add_trained("third", small_bpe())
        pane.mode.shown_ones.add("trained:third")
        await pane.settled()
        assert [split.lossless for split in pane.mode.splits.values()] == [True] * 3

    run_async(body())


def test_an_empty_text_has_one_way_on(pane, run_async):
    async def body():
        pane.mode.set_text("")
        await pane.settled()
        assert pane.mode.view.body.state == "empty"
        pane.mode.view.body.actionRequested.emit()
        await pane.settled()
        assert pane.mode.view.body.state == "ready" and ids(pane, 0)

    run_async(body())


def test_choices_reach_every_column(pane, run_async):
    async def body():
        await pane.settled()
        mode = pane.mode
        mode.set_text(TEXT + " 12!")
        await pane.settled()
        mode.view.toolbar.chosen.emit("differences", True)
        shown = [column.flow.displayed() for column in columns(pane)]
        assert shown[0]["differing"].any() and not shown[0]["differing"].all()
        mode.choose(differences=False, ids=True, layout="rows")
        assert all(column.flow.options.ids for column in columns(pane))
        assert "differing" not in columns(pane)[0].flow.displayed()
        one, other = columns(pane)
        one.parentWidget().layout().activate()
        assert one.x() == other.x() and one.y() < other.y()
        assert one.height() >= one.minimumSizeHint().height() >= one.head.sizeHint().height()
        mode.choose(layout="columns")
        one.parentWidget().layout().activate()
        assert one.y() == other.y() and one.x() < other.x()

    run_async(body())


def test_a_price_is_what_stands_in_its_field(pane, run_async, monkeypatch):
    said = []
    monkeypatch.setattr(QToolTip, "showText", lambda _, text, *__: said.append(text))

    async def body():
        await pane.settled()
        field, head = pane.mode.view.toolbar.price, columns(pane)[0].head
        for keys, price in (("2,5", 2.5), ("1e3", 1000.0), ("0.0000025", 2.5e-6), ("", 0.0)):
            field.selectAll()
            field.insert(keys)
            field.editingFinished.emit()
            assert (field.text(), pane.mode.options.price) == (keys, price) and not said
            assert head.cost.isVisibleTo(head) == (price > 0)
        for keys, why in (("9999999999", "9999999 or less"), ("-1", "0 or"), ("1.0.", "number")):
            field.selectAll()
            field.insert(keys)
            field.editingFinished.emit()
            assert why in said[-1] and said[-1].endswith("still empty.")
            assert field.text() == "" and pane.mode.options.price == 0
        pane.mode.choose(price=1234567.25)
        assert field.text() == "1234567.25"

    run_async(body())


def test_special_tokens_can_be_text(pane, run_async):
    async def body():
        pane.mode.set_text("the cat<|endoftext|>")
        await pane.settled()
        head = columns(pane)[0].head
        parsed = len(ids(pane, 0))
        assert "special tokens are split" in head.loss.whole
        pane.mode.choose(specials=False)
        await pane.settled()
        assert len(ids(pane, 0)) > parsed and f"{parsed} if" in head.loss.whole

    run_async(body())


def test_state_comes_back(pane, make_pane, context, run_async, tmp_path):
    async def body():
        pane.mode.shown_ones.add_files([saved_bpe(tmp_path / "mine.json")])
        pane.mode.choose(layout="rows", price=7.0)
        await pane.settled()

    run_async(body())
    state = json.loads(json.dumps(context.workspace.state()))
    context.workspace.begin("tokenizers.compare", {"text": ""})
    other = make_pane(COMPARE)

    async def back():
        context.workspace.restore(state)
        await other.settled()
        await pane.settled()  # it follows the same text
        assert other.mode.options == pane.mode.options
        assert other.mode.text == TEXT and len(columns(other)) == 2  # what was trained is gone
        assert ids(other, 1) == ids(pane, 2)

    run_async(back())


def test_closing_while_a_long_text_is_cut(pane, run_async):
    async def body():
        await pane.settled()
        pane.mode.set_text((TEXT + "\n") * 8_000)
        await asyncio.sleep(0.05)
        pane.mode.set_text(TEXT)
        pane.mode.set_text((TEXT + "\n") * 8_000)
        await asyncio.sleep(0)

    run_async(body())


def test_a_megabyte_is_cut_while_the_window_lives(pane, run_async):
    """The guard of stalls watches this test."""
    text = (TEXT + ", that rat. A hat!\n") * 25_000

    async def body():
        await pane.settled()
        pane.mode.set_text(text)
        await pane.settled()
        pane.grab()
        for column in columns(pane):
            assert column.split.lossless and column.split.tokens.ends[-1] == len(text)
        columns(pane)[0].flow.scroll_by(50_000)
        pane.grab()
        first = [column.flow.first_byte for column in columns(pane)]
        assert first[0] > 10_000 and np.ptp(first) < 100

    run_async(body())


def test_differences_of_a_long_text_are_found_off_the_gui_thread(pane, run_async, monkeypatch):
    from explorer.panes.tokenizers.compare import runner

    threads = []

    def watched(splits):
        threads.append(threading.current_thread())
        return differing(splits)

    monkeypatch.setattr(runner, "differing", watched)

    async def body():
        pane.mode.choose(differences=True)
        await pane.settled()
        assert set(threads) == {threading.main_thread()}  # a short text: nothing flickers
        threads.clear()
        pane.mode.set_text((TEXT + "\n") * 2_000)
        await pane.settled()
        assert threads and threading.main_thread() not in threads
        expected = differing([column.split for column in columns(pane)])
        for column, mask in zip(columns(pane), expected, strict=True):
            np.testing.assert_array_equal(column.flow.displayed()["differing"], mask)
        pane.mode.shown_ones.remove(1)
        await pane.settled()
        assert "differing" not in columns(pane)[0].flow.displayed()

    run_async(body())
