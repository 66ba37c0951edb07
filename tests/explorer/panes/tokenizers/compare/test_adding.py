"""Which tokenizers Compare shows: added, removed, dropped as files, downloaded."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QMenu, QPushButton

from core.tokenization import ByteLevelBPE
from explorer.panes.tokenizers.shown_tokenizers import MOST, Missing
from explorer.panes.tokenizers.tokenizer_menu import fill_menu
from tests.explorer.panes.tokenizers.compare.conftest import TEXT, columns, ids
from tests.explorer.panes.tokenizers.small import saved_bpe, small_bpe
from tests.explorer.waiting import until


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
            columns(pane)[0].asked.emit("remove")
        assert len(columns(pane)) == 1
        await pane.settled()
        mode.shown_ones.replace(0, "model")
        await pane.settled()
        assert ids(pane, 0) == pane.catalogue.get("model").tokenizer.encode_ids(TEXT)

    run_async(body())


def test_a_tokenizer_is_replaced_in_its_place(pane, run_async):
    async def body():
        await pane.settled()
        pane.catalogue.add_trained("third", small_bpe(262))
        menu = pane.mode.inputs.add.menu()
        for _ in range(2):  # it is filled anew each time
            pane.mode.inputs.add.menuOpening.emit()
        titles = ["Replace mine", "Replace letters"]
        inner = [action.menu() for action in menu.actions() if action.text() in titles]
        assert len(inner) == 2
        inner[0].aboutToShow.emit()
        next(one for one in inner[0].actions() if one.text() == "third").trigger()
        await pane.settled()
        assert pane.mode.shown_ones.ids == ["trained:third", "trained:letters"]
        assert ids(pane, 0) == pane.catalogue.get("trained:third").tokenizer.encode_ids(TEXT)

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
        assert "bad.json" in fourth.body.message
        assert fourth.body.card.title_label.text() == "tokenizer-bad.json could not be opened"
        assert "tokenizer-bad.json" not in offered(pane), "nobody is to choose it again"
        saved_bpe(bad)
        fourth.asked.emit("retry")
        await pane.settled()
        assert fourth.body.state == "ready" and ids(pane, 3) == ids(pane, 2)
        assert "tokenizer-bad.json" in offered(pane)

    run_async(body())


def offered(pane):
    """The words of the menu of tokenizers."""
    menu = QMenu()
    fill_menu(menu, pane.catalogue, (), lambda name: None, lambda: None)
    words = [action.text() for action in menu.actions()]
    menu.deleteLater()
    return words


def test_another_tokenizer_to_compare_closes_the_drawer_of_a_token(pane, run_async):
    async def body():
        await pane.settled()
        pane.mode.look_at(0, 0)
        await pane.settled()
        assert pane.mode.view.drawer.isVisible()
        pane.catalogue.add_trained("new", small_bpe(262))
        pane.mode.take({"add": "trained:new"})
        await pane.settled()
        assert not pane.mode.view.drawer.isVisible() and len(columns(pane)) == 3

    run_async(body())


def test_the_headline_forgets_a_tokenizer_that_is_taken_away(pane, run_async):
    async def body():
        await pane.settled()
        assert "letters needs" in pane.headline
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


def test_the_menu_offers_what_is_here_and_what_can_be_had(pane, run_async):
    from PySide6.QtWidgets import QWidgetAction

    async def body():
        await pane.settled()
        chosen = []
        shown = QMenu()
        fill_menu(shown, pane.catalogue, pane.mode.shown_ones.ids, chosen.append, lambda: None)
        by_text = {action.text(): action for action in shown.actions()}
        assert not by_text["mine"].isEnabled() and not by_text["letters"].isEnabled()
        gpt2 = next(act for text, act in by_text.items() if text.startswith("Download GPT-2, "))
        titles = [act for act in shown.actions() if isinstance(act, QWidgetAction)]
        assert [act.defaultWidget().text() for act in titles][-1] == "To download"
        assert titles[0].text() == "On this machine" and not titles[0].isEnabled()
        shown.popup(QPoint(0, 0))  # they are seen, in every style
        assert all(act.defaultWidget().isVisible() for act in titles)
        assert all(shown.actionGeometry(act).height() >= 16 for act in titles)
        shown.hide()
        assert gpt2.isEnabled() and "MIT" in gpt2.toolTip()
        bert = next(act for text, act in by_text.items() if text.startswith("Download BERT"))
        assert "vocab.txt\nWithout a network" in bert.toolTip()
        gpt2.trigger()
        assert chosen == ["known:gpt2"]
        shown.deleteLater()

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
        await until(lambda: column.body.message == "downloading, 25\u2009%")
        assert column.body.state == "loading"
        column.body.cancelRequested.emit()
        await pane.settled()
        assert len(columns(pane)) == 2
        assert pane.catalogue.downloading("known:gpt2") is None

    run_async(body())


def test_a_row_that_is_added_is_seen_and_says_that_it_failed(pane, run_async, monkeypatch):
    def steps(name):
        raise ValueError("GPT-2 could not be had: the connection is gone; " + "try again " * 40)
        yield

    monkeypatch.setattr("core.tokenization.getting.get_steps", steps)

    async def body():
        pane.resize(1000, 420)
        pane.mode.choose(layout="rows")
        for number in range(3):
            pane.catalogue.add_trained(f"more {number}", small_bpe(262 + number))
            pane.mode.shown_ones.add(f"trained:more {number}")
        await pane.settled()
        pane.mode.view.body.picture.verticalScrollBar().setValue(0)
        assert columns(pane)[-1].visibleRegion().isEmpty(), "else there is nothing to scroll"
        pane.mode.shown_ones.add("known:gpt2")
        await pane.settled()
        row = columns(pane)[-1]
        await until(lambda: row.visibleRegion().boundingRect() == row.rect())
        card = row.body.card
        assert row.body.state == "error" and "the connection is gone" in card.message
        for part in (card.title_label, *card.findChildren(QPushButton)):
            assert part.visibleRegion().boundingRect() == part.rect()
            assert part.height() >= part.sizeHint().height()
        row.set_missing(Missing("GPT-2", waiting="downloading, 0%"))
        assert row.body.state == "loading"

    run_async(body())
