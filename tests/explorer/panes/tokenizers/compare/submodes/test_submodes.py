"""The further views of Compare: search, overlap, glitch tokens."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from core.download import Progress
from explorer import theme
from explorer.panes.tokenizers.compare.vocabulary.compute import search_all
from explorer.panes.tokenizers.compare.vocabulary.view import VocabularyView
from explorer.panes.tokenizers.modes import MODES
from explorer.panes.tokenizers.shown_tokenizers import Missing
from tests.explorer.panes.tokenizers.compare.submodes.conftest import BIG, SMALL, tool
from tests.explorer.panes.tokenizers.small import saved_bpe
from tests.explorer.waiting import turn, until


def test_a_download_that_failed_says_so_in_every_view_and_is_tried_again(
    pane, run_async, monkeypatch
):
    tries = []

    def steps(name):
        tries.append(name)
        raise ValueError("GPT-2 could not be had: the connection is gone; try again later")
        yield

    monkeypatch.setattr("core.tokenization.getting.get_steps", steps)

    async def body():
        pane.mode.choose(view="vocabulary")
        pane.mode.shown_ones.add("known:gpt2")
        await pane.settled()
        column = tool(pane, "vocabulary").view.columns[2]
        assert column.body.state == "error" and "try again later" in column.body.message
        others = tool(pane, "vocabulary").view.columns[:2]
        assert [one.body.state for one in others] == ["ready"] * 2, "they are searched meanwhile"
        column.body.card.actionTriggered.emit("Retry")
        await pane.settled()
        assert tries == ["gpt2", "gpt2"] and column.body.state == "error"
        pane.mode.choose(view="overlap")
        await pane.settled()
        view = tool(pane, "overlap").view
        assert view.body.state == "ready" and len(view.displayed()["values"]) == 2
        assert view.note.isVisible() and "try again later" in view.note.whole
        pane.mode.shown_ones.remove(2)
        await pane.settled()
        assert not view.note.isVisible()
        pane.grab()

    run_async(body())


def test_a_file_can_be_opened_in_place_of_one_that_failed(pane, run_async, monkeypatch, tmp_path):
    def steps(name):
        raise ValueError("GPT-2 could not be had")
        yield

    monkeypatch.setattr("core.tokenization.getting.get_steps", steps)
    saved_bpe(tmp_path / "mine.json")
    monkeypatch.setattr(
        "explorer.widgets.dialogs.ask_file",
        lambda window, title, take, *_: take(str(tmp_path / "mine.json")),
    )

    async def body():
        pane.mode.choose(view="vocabulary")
        pane.mode.shown_ones.add("known:gpt2")
        await pane.settled()
        card = tool(pane, "vocabulary").view.columns[2].body.card
        card.actionTriggered.emit("Open a file")
        await pane.settled()
        assert pane.mode.shown_ones.name(pane.mode.shown_ones.ids[2]) == "mine.json"

    run_async(body())


def test_a_tokenizer_is_removed_in_search_and_the_last_one_stays(pane, run_async):
    async def body():
        pane.mode.choose(view="vocabulary")
        search = tool(pane, "vocabulary").view
        search.columns[0].title.remove.click()
        assert len(search.columns) == 1 and len(pane.mode.shown_ones.ids) == 1
        assert not search.columns[0].title.remove.isEnabled()

    run_async(body())


@pytest.mark.parametrize("zoom", [1.0, 1.21, 1.77])
def test_the_words_and_buttons_of_six_columns_of_a_search_are_never_cut(qapp, qtbot, zoom):
    theme.apply(qapp, "light", zoom, "off")
    view = VocabularyView()
    qtbot.addWidget(view)
    view.resize(640, 450)
    view.show()
    entry = SimpleNamespace(entry=None, vocab_size=1536, words="BPE, 1,536 pieces", tokenizer=BIG)
    view.set_columns([("BPE", entry), *[("GPT-2", None)] * 5])
    view.set_missing({5: Missing("GPT-2", "no network", "GPT-2 could not be fetched")})
    view.set_matches(0, [], True, False)
    turn()
    for button in view.columns[5].body.card.findChildren(QPushButton):
        words = button.fontMetrics().horizontalAdvance(button.text())
        assert (
            button.width() >= words + 4
            and button.mapTo(view.columns[5], QPoint(button.width(), 0)).x()
            <= view.columns[5].width()
        )
    count = view.columns[0].count
    assert count.text() == "0 of 1,536 pieces"
    assert count.heightForWidth(count.width()) <= count.height()
    widest = max(map(count.fontMetrics().horizontalAdvance, count.text().split()))
    assert widest <= count.width()
    view.set_columns([("BPE", entry), *[("GPT-2", None)] * 5])
    assert count.text() == "1,536 pieces", "the name stands above"


def test_a_download_on_its_way_is_told_in_search_and_overlap(pane, run_async, monkeypatch):
    def steps(name):
        while True:
            yield Progress(1, 4)

    monkeypatch.setattr("core.tokenization.getting.get_steps", steps)

    async def body():
        pane.mode.choose(view="overlap")
        pane.mode.shown_ones.add("known:gpt2")
        view = tool(pane, "overlap").view
        await until(lambda: "downloading, 25\u2009%" in view.note.whole)
        pane.mode.choose(view="vocabulary")
        column = tool(pane, "vocabulary").view.columns[2]
        assert column.body.state == "loading" and column.body.message == "downloading, 25\u2009%"
        column.body.cancelRequested.emit()
        await pane.settled()
        assert len(tool(pane, "vocabulary").view.columns) == 2

    run_async(body())


@pytest.mark.parametrize("query", ["\u0120the", "\u2581the", "\u2423the", "\u00b7the", " the"])
def test_a_space_is_searched_by_any_of_its_signs(pane, run_async, query):
    async def body():
        pane.mode.choose(view="vocabulary")
        tool(pane, "vocabulary").search(query, "is", False)
        await pane.settled()
        (wanted,) = [i for i in range(BIG.vocab_size) if BIG.piece_bytes(i) == b" the"]
        column = tool(pane, "vocabulary").view.columns[0]
        assert column.list.displayed()["ids"] == [wanted]
        index = column.list.pieces.index(0)
        assert index.data() == "\u2423the"
        assert pane.headline == "1 piece of mine is \u201c\u2423the\u201d"
        assert index.data(Qt.ItemDataRole.ToolTipRole).startswith("\u2423the  id ")

    run_async(body())


def test_a_search_shows_the_pieces_of_every_vocabulary(pane, run_async):
    async def body():
        told = []
        pane.inspection.connect(told.append)
        pane.mode.choose(view="vocabulary")
        view = tool(pane, "vocabulary").view
        view.field.setText("")
        QTest.keyClicks(view.field, "at")
        QTest.keyClick(view.field, Qt.Key.Key_Return)
        await pane.settled()
        for column, tokenizer in zip(view.columns, (BIG, SMALL), strict=True):
            expected = [i for i in range(tokenizer.vocab_size) if b"at" in tokenizer.piece_bytes(i)]
            assert column.list.displayed()["ids"] == expected
            assert column.count.text().startswith(f"{len(expected)} of {tokenizer.vocab_size}")
        assert "contain \u201cat\u201d" in pane.headline
        assert told[-1].step.name == "vocabulary.match" and len(told[-1].rows) == 3
        view.way.chosen.emit("regex")  # the control says what it has chosen before it tells
        pane.grab()

    run_async(body())


def test_a_piece_that_is_chosen_shows_its_merge_tree(pane, run_async):
    async def body():
        pane.mode.choose(view="vocabulary")
        tool(pane, "vocabulary").search("the", "contains", False)
        await pane.settled()
        pieces = tool(pane, "vocabulary").view.columns[0].list
        pieces.setCurrentIndex(pieces.pieces.index(0))
        await pane.settled()
        making, drawer = pane.mode.selection.derivation, pane.mode.view.drawer
        assert making.token == pieces.pieces.ids[0] and drawer.isVisible()
        assert pane.player.length == len(making.steps)
        pane.player.seek(0)
        assert pane.headline == making.steps[0].step.title
        pane.grab()
        assert pane.cancel() and not drawer.isVisible()

    run_async(body())


def test_what_cannot_be_searched_says_why(pane, run_async):
    async def body():
        pane.mode.choose(view="vocabulary")
        search = tool(pane, "vocabulary")
        for query, way, said in (("(", "regex", "regular"), ("zz", "bytes", "hexadecimal")):
            search.search(query, way, False)
            await pane.settled()
            assert said in search.view.error.text and search.view.error.isVisible()
        search.search("6174", "bytes", False)
        await pane.settled()
        assert not search.view.error.text and search.view.columns[0].list.displayed()["ids"]
        column = search.view.columns[0]
        search.search("qxzqxz", "contains", False)
        await pane.settled()
        assert column.body.state == "empty", "it says that nothing is found"
        search.search("the", "contains", False)
        await pane.settled()
        assert column.body.state == "ready" and column.list.displayed()["ids"]
        search.search("", "contains", False)
        await pane.settled()
        assert search.view.hint.isVisible()

    run_async(body())


def test_a_search_runs_on_the_engine(pane, run_async, monkeypatch):
    from explorer.panes.tokenizers.compare.vocabulary import mode

    threads = set()

    def watched(*arguments):
        threads.add(threading.current_thread())
        yield from search_all(*arguments)

    monkeypatch.setattr(mode, "search_all", watched)

    async def body():
        pane.mode.choose(view="vocabulary")
        await pane.settled()
        assert threads and threading.main_thread() not in threads

    run_async(body())


@pytest.mark.parametrize("view", ["vocabulary", "overlap", "glitches"])
def test_what_undo_changes_of_the_text_is_brought_into_sight(pane, run_async, view):
    async def body():
        pane.mode.set_text("a")
        pane.mode.set_text("b")
        pane.mode.choose(view=view)
        pane.workspace.undo()
        assert pane.mode.options.view == "text" and pane.mode.view.editor.isVisible()
        assert pane.mode.view.editor.text == "a"
        pane.mode.choose(view=view)
        pane.workspace.redo()
        assert pane.mode.options.view == "text" and pane.mode.view.editor.text == "b"

    run_async(body())


@pytest.mark.parametrize(("view", "seen"), [("vocabulary", "vocabulary"), ("glitches", "text")])
def test_undo_of_a_tokenizer_shows_the_columns_where_the_view_has_none(pane, run_async, view, seen):
    async def body():
        pane.mode.choose(view=view)
        pane.workspace.undo()
        assert len(pane.mode.view.columns) == 1 and pane.mode.options.view == seen

    run_async(body())


@pytest.mark.parametrize("text", ["dropped", ""])
def test_a_text_that_is_dropped_is_seen(pane, run_async, text):
    async def body():
        pane.mode.set_text(text)  # that of the file may be the same
        for again in (text, "another one"):
            pane.mode.choose(view="vocabulary")
            pane.mode.take({"text": again, "note": "is a guess"})
            assert pane.mode.options.view == "text" and pane.mode.text == again
            assert pane.mode.view.note.isVisible()

    run_async(body())


def test_the_view_comes_back_with_a_session(pane, make_pane, run_async):
    async def body():
        pane.mode.choose(view="vocabulary")
        tool(pane, "vocabulary").search("cat", "ends", True)
        await pane.settled()

    run_async(body())
    other = make_pane(MODES[0])

    async def back():
        other.mode.restore(pane.mode.state())
        await other.settled()
        assert other.mode.options.view == "vocabulary"
        view = tool(other, "vocabulary").view
        assert (view.field.text(), view.way.current) == ("cat", "ends") and view.columns
        assert view.any_case.isChecked()

    run_async(back())


def test_closing_while_a_view_works(pane, run_async):
    async def body():
        for name in ("overlap", "glitches", "vocabulary"):
            pane.mode.choose(view=name)

    run_async(body())
