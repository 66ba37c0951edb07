"""Compare as a person uses it: type, add, remove, point, open files, undo."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolTip

from core.tokenization import ByteLevelBPE
from explorer.panes.tokenizers.compare import menu
from explorer.panes.tokenizers.compare.choices import MOST
from explorer.panes.tokenizers.compare.model import differing
from explorer.panes.tokenizers.modes import MODES
from tests.explorer.panes.tokenizers.small import saved_bpe, small_bpe

COMPARE = MODES[0]
TEXT = "the cat sat on the mat"


@pytest.fixture
def pane(make_pane, context):
    """Compare with two tokenizers, on a short text."""
    big = small_bpe()
    source = SimpleNamespace(name="mine", tokenizer=big, close=lambda: None)
    context.workspace.set_model_source(source)
    letters = ByteLevelBPE(big.vocabulary, big.merges[:3], big.special_tokens)

    def begin(pane):
        pane.catalogue.add_trained("letters", letters)
        pane.mode.set_text(TEXT)
        pane.mode.shown_ones.add("trained:letters")

    return make_pane(COMPARE, then=begin)


def columns(pane):
    return pane.mode.view.columns


def ids(pane, place):
    return columns(pane)[place].flow.displayed()["ids"].tolist()


def test_each_column_shows_what_its_tokenizer_makes_of_the_text(pane, run_async):
    async def body():
        await pane.settled()
        for place, name in enumerate(("model", "trained:letters")):
            tokenizer = pane.catalogue.get(name).tokenizer
            assert ids(pane, place) == tokenizer.encode_ids(TEXT)
            assert columns(pane)[place].body.state == "ready"
        head = columns(pane)[0].head
        assert head._count.text() == str(len(ids(pane, 0))) and head._badge.text() == "lossless"
        assert "for mine" in pane.headline and "for letters" in pane.headline

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
        room = pane.mode.view._grid.parentWidget().width()
        assert pane.mode.view._grid.width() <= room
        pane.mode.choose(layout="rows")
        async with asyncio.timeout(100):
            while columns(pane)[0].width() == max(widths):  # the layout follows
                await asyncio.sleep(0.01)
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


def test_adding_and_removing_can_be_undone_and_has_limits(pane, run_async):
    async def body():
        await pane.settled()
        mode = pane.mode
        for number in range(MOST):
            pane.catalogue.add_trained(f"more {number}", small_bpe(262 + number))
            mode.shown_ones.add(f"trained:more {number}")
        assert len(columns(pane)) == MOST and mode.shown_ones.full
        await pane.settled()
        assert all(column.body.state == "ready" for column in columns(pane))
        pane.workspace.undo()
        assert len(columns(pane)) == MOST - 1
        for _ in range(MOST):
            columns(pane)[0].removeRequested.emit()
        assert len(columns(pane)) == 1
        await pane.settled()
        mode.shown_ones.replace(0, "model")
        await pane.settled()
        assert ids(pane, 0) == pane.catalogue.get("model").tokenizer.encode_ids(TEXT)

    run_async(body())


def test_a_file_is_opened_by_dropping_it_and_a_broken_one_says_so(pane, run_async, tmp_path):
    async def body():
        await pane.settled()
        good, bad = saved_bpe(tmp_path / "mine.json"), tmp_path / "tokenizer-bad.json"
        bad.write_text("{broken")
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(good)), QUrl.fromLocalFile(str(bad))])
        event = QDropEvent(
            QPointF(5, 5),
            Qt.DropAction.CopyAction,
            data,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        pane.dropEvent(event)
        await pane.settled()
        third, fourth = columns(pane)[2:]
        assert third.body.state == "ready" and fourth.body.state == "error"
        assert "bad.json" in fourth.body._error.message
        saved_bpe(bad)
        fourth.retryRequested.emit()
        await pane.settled()
        assert fourth.body.state == "ready" and ids(pane, 3) == ids(pane, 2)

    run_async(body())


def test_the_headline_forgets_a_tokenizer_that_is_taken_away(pane, run_async):
    async def body():
        await pane.settled()
        assert "for letters" in pane.headline
        pane.mode.shown_ones.remove(1)
        await pane.settled()
        assert "letters" not in pane.headline and "mine" in pane.headline

    run_async(body())


def test_another_tokenizer_of_the_same_name_cuts_the_text_anew(pane, run_async):
    async def body():
        await pane.settled()
        before = ids(pane, 1)
        other = ByteLevelBPE(small_bpe().vocabulary, [], small_bpe().special_tokens)
        pane.catalogue.add_trained("letters", other)
        await pane.settled()
        assert ids(pane, 1) == other.encode_ids(TEXT) != before

    run_async(body())


def test_whether_a_long_text_is_lossless_is_told_also_when_another_is_opened_meanwhile(
    pane, run_async
):
    async def body():
        pane.mode.set_text("the cat sat on the mat " * 6_000)
        while len(pane.mode.splits) < 2:
            await asyncio.sleep(0.005)
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
        mode.view._line.activate()
        assert one.x() == other.x() and one.y() < other.y()
        assert one.height() >= one.minimumSizeHint().height() >= one.head.sizeHint().height()
        mode.choose(layout="columns")
        mode.view._line.activate()
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
            assert (field.text(), pane.mode.choices.price) == (keys, price) and not said
            assert head._cost.isVisibleTo(head) == (price > 0)
        for keys, why in (("9999999999", "9999999 or less"), ("-1", "0 or"), ("1.0.", "number")):
            field.selectAll()
            field.insert(keys)
            field.editingFinished.emit()
            assert why in said[-1] and said[-1].endswith("; it stays empty.")
            assert field.text() == "" and pane.mode.choices.price == 0
        pane.mode.choose(price=1234567.25)
        assert field.text() == "1234567.25"

    run_async(body())


def test_special_tokens_can_be_text(pane, run_async):
    async def body():
        pane.mode.set_text("the cat<|endoftext|>")
        await pane.settled()
        head = columns(pane)[0].head
        parsed = len(ids(pane, 0))
        assert "as text" in head._other.whole
        pane.mode.choose(specials=False)
        await pane.settled()
        assert len(ids(pane, 0)) > parsed and f"{parsed} with" in head._other.whole

    run_async(body())


def test_state_comes_back(pane, make_pane, context, run_async, tmp_path):
    async def body():
        pane.mode.shown_ones.add_files([saved_bpe(tmp_path / "mine.json")])
        pane.mode.choose(layout="rows", price=7.0)
        await pane.settled()

    run_async(body())
    state = pane.state()
    other = make_pane(COMPARE)

    async def back():
        other.restore(state)
        await other.settled()
        assert other.mode.choices == pane.mode.choices
        assert other.mode.text == TEXT and len(columns(other)) == 2  # what was trained is gone
        assert ids(other, 1) == ids(pane, 2)
        assert other.state()["modes"]["compare"]["text"] == TEXT

    run_async(back())


def test_the_menu_offers_what_is_here_and_what_can_be_had(pane, run_async):
    from PySide6.QtWidgets import QMenu, QWidgetAction

    async def body():
        await pane.settled()
        chosen = []
        offered = QMenu()
        menu.fill(offered, pane.catalogue, pane.mode._ids, chosen.append, lambda: None)
        by_text = {action.text(): action for action in offered.actions()}
        assert not by_text["mine"].isEnabled() and not by_text["letters"].isEnabled()
        gpt2 = next(act for text, act in by_text.items() if text.startswith("Download GPT-2, "))
        titles = [act for act in offered.actions() if isinstance(act, QWidgetAction)]
        assert [act.defaultWidget().text() for act in titles][-1] == "To download"
        assert titles[0].text() == "On this machine" and not titles[0].isEnabled()
        offered.popup(QPoint(0, 0))  # they are seen, in every style
        assert all(act.defaultWidget().isVisible() for act in titles)
        assert all(offered.actionGeometry(act).height() >= 16 for act in titles)
        offered.hide()
        assert gpt2.isEnabled() and "MIT" in gpt2.toolTip()
        gpt2.trigger()
        assert chosen == ["known:gpt2"]
        offered.deleteLater()

    run_async(body())


def test_a_download_shows_its_progress_and_can_be_given_up(pane, run_async, monkeypatch):
    from core.download import Progress

    def steps(name):
        while True:
            yield Progress(1, 4)

    monkeypatch.setattr("core.tokenization.getting.get_steps", steps)

    async def body():
        await pane.settled()
        pane.mode.shown_ones.add("known:gpt2")
        column = columns(pane)[2]
        async with asyncio.timeout(100):
            while column.body._veil._reason != "downloading, 25%":
                await asyncio.sleep(0.02)
        assert column.body.state == "loading"
        column.cancelRequested.emit()
        await pane.settled()
        assert len(columns(pane)) == 2
        assert pane.catalogue.downloading("known:gpt2") is None

    run_async(body())


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
            assert len(column.flow._layout._placed) < 60
        columns(pane)[0].flow._scroll_by(50_000)
        pane.grab()
        first = [column.flow.first_byte for column in columns(pane)]
        assert first[0] > 10_000 and np.ptp(first) < 100

    run_async(body())


def test_a_clicked_token_is_explained_step_by_step(pane, run_async):
    async def body():
        await pane.settled()
        mode, told = pane.mode, []
        pane.inspection.connect(told.append)
        token = next(i for i, at in enumerate(columns(pane)[0].flow.tokens.ends) if at > 5)
        columns(pane)[0].flow._choose(token)
        await pane.settled()
        drawer, making = mode.view.drawer, mode.chosen.making
        assert drawer.isVisible() and making.data == columns(pane)[0].flow.tokens.slice(token)
        assert pane.player.length == len(making.moments) > 2
        assert told[-1].pinned and told[-1].step.code.startswith("core.tokenization.bpe")
        assert pane.headline == making.moments[mode.chosen.result].step.title
        pane.player.seek(0)
        assert told[-1].step.name == "encoding.normalizer"
        pane.grab()
        assert pane.cancel() and not drawer.isVisible() and not pane.cancel()
        assert told[-1].step.name.startswith("rates.") and pane.player.length == 3

    run_async(body())


def test_what_the_text_costs_is_played_before_a_token_is_chosen(pane, run_async):
    async def body():
        await pane.settled()
        told = []
        pane.inspection.connect(told.append)
        pane.mode.inspect()
        for step, name in enumerate(("bytes-per-token", "tokens-per-word", "cost")):
            pane.player.seek(step)
            assert told[-1].step.name == f"rates.{name}" and len(told[-1].rows) == 2
        assert float(told[-2].step.value("words")) == 6
        QTest.keyClicks(pane.mode.view.editor, "a ")
        await pane.settled()
        assert pane.player.step == 2  # typing leaves the cursor alone

    run_async(body())


def test_a_hovered_token_is_explained_until_the_pointer_leaves(pane, run_async):
    async def body():
        await pane.settled()
        told = []
        pane.inspection.connect(told.append)
        flow = columns(pane)[1].flow
        flow._hover(0)
        async with asyncio.timeout(100):
            while not told or told[-1].step.name.startswith("rates."):
                await asyncio.sleep(0.02)
        assert told[-1].step.name == "encoding.model" and not told[-1].pinned
        flow._hover(-1)
        assert told[-1].step.name.startswith("rates.")
        await pane.settled()

    run_async(body())


def test_a_change_of_the_text_closes_what_was_explained(pane, run_async):
    async def body():
        await pane.settled()
        columns(pane)[0].flow._choose(0)
        await pane.settled()
        assert pane.mode.view.drawer.isVisible()
        pane.mode.set_text("a hat")
        await pane.settled()
        assert not pane.mode.view.drawer.isVisible() and pane.mode.chosen.making is None

    run_async(body())


def test_a_token_is_looked_at_inside(pane, run_async):
    async def body():
        await pane.settled()
        columns(pane)[0].flow._choose(1)
        await pane.settled()
        wishes = []
        pane.mode.modeRequested.connect(lambda *wish: wishes.append(wish))
        pane.mode.view.drawer.inside.click()
        ((name, wish),) = wishes
        assert name == "inside" and wish == {
            "tokenizer": "model",
            "text": pane.mode.chosen.making.text,
        }

    run_async(body())


def test_differences_of_a_long_text_are_found_off_the_gui_thread(pane, run_async, monkeypatch):
    from explorer.panes.tokenizers.compare import differences

    threads = []

    def watched(splits):
        threads.append(threading.current_thread())
        return differing(splits)

    monkeypatch.setattr(differences, "differing", watched)

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
