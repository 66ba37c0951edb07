"""States of a picture, and cards: what is waited for, what went wrong, what can be done."""

import numpy as np
import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from explorer import theme
from explorer.widgets.base import Picture
from explorer.widgets.card import MOST_SHOWN, NARROW, TITLE_LINES, Card, breakable
from explorer.widgets.heat_map import HeatMap
from explorer.widgets.stateful import Empty, StatefulPicture, Veil
from tests.explorer.waiting import turn, wait_until


def test_a_picture_goes_stale_instead_of_blank(qtbot):
    time = [0.0]
    heat = HeatMap("Attention")
    picture = StatefulPicture(heat, clock=lambda: time[0])
    qtbot.addWidget(picture)
    assert picture.state == "loading"
    states = []
    picture.stateChanged.connect(states.append)
    heat.set_values(np.eye(3))
    picture.show_ready()
    picture.show_loading("waiting for step 3")
    assert picture.state == "stale" and heat.isVisibleTo(picture)
    picture.resize(300, 300)
    picture.show()
    time[0] = 3.0
    picture.grab()
    assert picture.waited == 3.0
    picture.show_ready()
    retried = []
    picture.retryRequested.connect(lambda: retried.append(1))
    picture.show_error("It broke: try again.")
    picture.findChild(Card).actionTriggered.emit("Retry")
    assert retried == [1] and picture.message == "It broke: try again."
    picture.show_empty("Nothing here.", "Do it")
    assert states == ["ready", "stale", "ready", "error", "empty"]
    picture.hide()
    assert not any(timer.isActive() for timer in picture.findChildren(QTimer))


def test_words_in_a_pictures_place_ask_for_no_height_of_their_own(qtbot):
    """Else the pane around a run without heads was higher than its room, and scrolled."""
    heat, outer = HeatMap(), QWidget()
    picture = StatefulPicture(heat)
    column = QVBoxLayout(outer)
    column.addWidget(picture)
    qtbot.addWidget(outer)
    picture.show_empty("The run stopped before its heads were recorded. " * 3)
    outer.show()
    column.invalidate()
    assert column.activate() and not column.hasHeightForWidth()


def test_an_empty_picture_with_little_room_leaves_its_icon_out(qtbot):
    picture = StatefulPicture(HeatMap("weights"))
    qtbot.addWidget(picture)
    picture.show_empty("A log of another program holds no heads.")
    icon = picture.findChild(Empty).findChild(Picture)
    for height, shown in ((200, True), (40, False), (200, True)):
        picture.setFixedSize(200, height)
        picture.show()
        assert icon.isVisible() is shown, height
    sentence = picture.findChild(Empty).findChild(QLabel)
    assert sentence.geometry().top() >= icon.geometry().bottom()


@pytest.mark.parametrize("zoom", [1.0, 2.0])
def test_the_icon_of_an_empty_picture_is_whole(qapp, qtbot, zoom):
    theme.apply(qapp, "light", zoom, "off")
    picture = StatefulPicture(HeatMap("weights"))
    qtbot.addWidget(picture)
    picture.show_empty("Nothing is recorded yet.")
    picture.resize(600, 600)
    picture.show()
    painted = picture.findChild(Empty).findChild(Picture).grab().toImage()
    ground = painted.pixel(0, 0)
    rows = [
        any(painted.pixel(x, y) != ground for x in range(painted.width()))
        for y in range(painted.height())
    ]
    assert 20 * zoom < sum(rows) <= 32 * zoom
    assert not rows[0] and not rows[-1]


def test_an_error_while_painting_shows_the_error_state(qtbot, caplog):
    heat = HeatMap()
    picture = StatefulPicture(heat)
    qtbot.addWidget(picture)
    heat.set_values(np.eye(2))
    picture.show_ready()
    heat.paintFailed.emit(RuntimeError("torn"))
    assert picture.state == "error" and "torn" in picture.message


def test_a_long_wait_can_be_ended_where_that_helps(qtbot):
    time, asked = [0.0], []
    picture = StatefulPicture(HeatMap(), clock=lambda: time[0])
    qtbot.addWidget(picture)
    picture.cancelRequested.connect(lambda: asked.append(1))
    picture.show_ready()
    picture.resize(300, 300)
    picture.show()
    for cancellable, waited, offered in (
        (True, 0.2, False),
        (False, 2.0, False),
        (True, 2.0, True),
    ):
        picture.set_cancellable(cancellable)
        picture.show_ready()
        time[0] = 0.0
        picture.set_waiting("waiting for step 3")
        time[0] = waited
        picture.hide()
        picture.show()  # the wait goes on while nobody looks
        assert picture.cancel.isVisible() is offered
    picture.cancel.click()
    assert asked == [1]
    picture.show_error("You have cancelled the look.")
    assert not picture.cancel.isVisible()


def test_a_card_shows_the_beginning_and_the_remedy_of_a_long_message(qtbot):
    heat = HeatMap()
    picture = StatefulPicture(heat)
    qtbot.addWidget(picture)
    long = "The file holds " + "x" * 5_000_000 + ": get it again."
    picture.show_error(long)
    error = picture.findChild(Card)
    shown = error.message_label.text().replace("\u200b", "")
    assert len(shown) <= MOST_SHOWN + 3 and len(error.accessibleName()) < 2 * MOST_SHOWN
    assert shown.startswith("The file holds x") and " … " in shown
    assert shown.endswith(": get it again.")
    assert picture.message == long
    card = Card("error", long)
    qtbot.addWidget(card)
    assert card.message_label.text().replace("\u200b", "") == shown


@pytest.mark.parametrize("on_top", [False, True])
def test_an_error_scrolls_only_where_its_words_have_no_room(qtbot, on_top):
    """Its hint is for another width than the one it has: it asked for twice its height."""
    picture = StatefulPicture(HeatMap("Attention"), errors_on_top=on_top)
    qtbot.addWidget(picture)
    message = (
        "Or run python3 dev.py vocabularies in a terminal.\n\nexample.org does not answer (there "
        "is no network): check the network connection and try again"
    )
    picture.show_error(message, "Retry", "Open a file", title="GPT-4 (cl100k) could not be fetched")
    picture.resize(340, 300)
    picture.show()
    bar = picture.findChild(QScrollArea).verticalScrollBar()
    for width in range(310, 420, 10):
        picture.resize(width, 300)
        turn()
        assert picture.card.heightForWidth(width) < 300 and not bar.isVisible()
    picture.resize(310, 60)
    turn()
    assert bar.isVisible()


@pytest.mark.parametrize("width", [112, 130, 180, 400, 600])
def test_an_error_is_read_to_its_last_word_however_narrow_the_picture(qtbot, qapp, width):
    picture = StatefulPicture(QWidget())
    qtbot.addWidget(picture)
    path = "/home/somebody/a_folder_with_a_long_name/tokenizer.json"
    said = f"{path} holds a tokenizer of a kind that is not known: choose another file"
    picture.resize(width, 160)
    picture.show()
    picture.show_error(said)
    for _ in range(4):
        qapp.processEvents()
    card, message = picture.findChild(Card), picture.findChild(Card).message_label
    area = card.window().findChild(QScrollArea)
    assert card.width() <= area.viewport().width() <= width
    assert message.height() >= message.heightForWidth(message.width())
    assert message.geometry().right() < card.width()
    metrics = message.fontMetrics()
    words = message.text().replace("\u200b", " ").split()
    assert max(metrics.horizontalAdvance(word) for word in words) <= message.width()
    area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
    button = card.findChild(QPushButton)
    bottom = button.mapTo(area.viewport(), button.rect().bottomLeft()).y()
    assert bottom < area.viewport().height()  # it is reached by scrolling
    assert message.text().replace("\u200b", "") == said == card.message
    assert ("\u200b" in message.text()) == (width < 600)
    assert (card.arrangement == "narrow") == (width < NARROW)


@pytest.mark.parametrize("width", [93, 120, 160, 300])
@pytest.mark.parametrize("name", ["GPT-2", "BERT base, uncased", "a_tokenizer_of_mine.json"])
def test_the_title_of_a_narrow_card_wraps_and_is_seen_whole(qtbot, width, name):
    card = Card("error", "huggingface.co does not answer", ["Retry"], actions_first=True)
    qtbot.addWidget(card)
    title, label = f"{name} could not be fetched", card.title_label
    card.set_title(title)
    card.resize(width, 400)
    card.show()
    card.layout().activate()
    lines = label.height() / label.fontMetrics().lineSpacing()
    assert card.width() == width and card.rect().contains(label.geometry())
    assert label.height() >= label.heightForWidth(label.width()) and lines <= TITLE_LINES
    if label.text().endswith("\u2026"):
        assert label.toolTip() == title and width <= 120
    else:
        assert label.text().replace("\u200b", "") == title
    if width == 93:  # one of six columns: the name of a host is broken at its dots
        assert "openaipublic\u200b" in breakable("openaipublic.blob.core.windows.net")
        assert card.message_label.width() >= 82


def test_a_card_that_says_something_else_has_room_for_it(qtbot):
    """New buttons take room at once, or the message beside them is cut."""
    actions = ["The usual rate", "A tenth of the rate"]
    card = Card("warning", "", title="Lost", closable=True, compact=True)
    qtbot.addWidget(card)
    card.setFixedWidth(543)
    card.show()
    for rate in ("1", "2"):
        card.set_message(f"SGD ran away at step 1: a rate of {rate} is too high here")
        card.set_actions(actions)
        assert card.arrangement == "two lines", rate


def test_a_card_counts_and_offers_its_actions(qtbot):
    card = Card("error", "It broke.", ["Retry", "Report"], closable=True)
    qtbot.addWidget(card)
    card.set_count(3)
    assert "(3 times)" in card.title_label.text()
    assert card.accessibleName() == "Error: It broke."
    pressed = []
    card.actionTriggered.connect(pressed.append)
    card.findChildren(QPushButton)[1].click()
    assert pressed == ["Report"]


def test_a_wait_paints_the_picture_anew_under_its_line_alone(qtbot):
    painted = []

    class Painted(QWidget):
        def paintEvent(self, event):
            painted.append(event.rect().height())

    stateful = StatefulPicture(Painted())
    qtbot.addWidget(stateful)
    stateful.resize(300, 200)
    with qtbot.waitExposed(stateful):
        stateful.show()
    stateful.show_ready()
    stateful.set_waiting("reading")
    wait_until(lambda: 200 in painted)
    painted.clear()
    stateful.set_waiting("reading more")
    wait_until(lambda: bool(painted))
    assert max(painted) < 60
    painted.clear()
    stateful.show_stale()
    wait_until(lambda: 200 in painted)


def test_a_short_wait_leaves_the_picture_alone(qtbot):
    time = [0.0]
    stateful = StatefulPicture(QWidget(), clock=lambda: time[0])
    qtbot.addWidget(stateful)
    stateful.resize(300, 200)
    with qtbot.waitExposed(stateful):
        stateful.show()
    stateful.show_ready()
    (veil,) = stateful.findChildren(Veil)
    stateful.set_waiting("reading")
    time[0] = 0.1
    stateful.set_waiting("reading more")
    assert veil.isHidden()
    time[0] = 0.2
    wait_until(veil.isVisible)
    assert veil.height() < 60, "on the line and the words alone"
    stateful.show_stale()
    assert veil.size() == stateful.size()
    stateful.show_ready()
    assert veil.isHidden()
