"""How the window shares its room between the pane and the inspector."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QPointF, QSize, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.shell.window import PANE_LEAST
from tests.explorer.waiting import wait_until


def test_the_headline_has_two_lines_and_is_cut_after_a_whole_word(make):
    _, window = make()
    window.pane.set_headline("“.\n\n” is\t1 token")
    assert window.headline.text() == "“.↵↵” is⇥1 token"
    long = "A sentence that is longer than the window is wide, " * 8
    window.pane.set_headline(long)
    first, second = window.headline.text().split("\n")
    assert long.startswith(f"{first} {second.removesuffix('…')}") and second.endswith(" …")
    assert window.headline.toolTip() == long
    assert window.headline.sizeHint().height() <= window.headline.height()


def test_the_inspector_folds_below_1180_px_and_comes_back(make):
    session, window = make()
    assert not window.inspector.collapsed
    window.resize(1150, 700)
    QTest.qWait(1)
    assert window.inspector.collapsed
    window.resize(1300, 700)
    QTest.qWait(1)
    assert not window.inspector.collapsed
    assert not session.settings.inspector_collapsed
    window.actions_list.run("view.inspector")
    assert window.inspector.collapsed and session.settings.inspector_collapsed
    assert window.inspector.width() == 36


@pytest.mark.parametrize(
    ("zoom", "width", "folds"), [(1.0, 1440, False), (1.33, 1440, True), (1.2, 1440, False)]
)
def test_the_inspector_folds_by_the_width_that_the_zoom_leaves(make, qapp, zoom, width, folds):
    _, window = make(width=width)
    QTest.qWait(1)
    assert not window.inspector.collapsed
    theme.apply(qapp, "light", zoom, "full")
    assert window.inspector.collapsed is folds
    theme.apply(qapp, "light", 1.0, "full")
    assert not window.inspector.collapsed


@pytest.mark.parametrize("zoom", [0.8, 1.0, 1.33, 1.5, 2.0])
def test_the_center_keeps_640_px_beside_an_inspector_that_was_asked_for(make, qapp, zoom):
    _, window = make(width=1100)
    theme.apply(qapp, "light", zoom, "full")
    window.inspector.set_collapsed(False)
    QTest.qWait(1)
    assert window.width() == 1100
    assert window.stack.width() >= 640 and window.inspector.width() >= 320


def test_the_center_keeps_640_px_at_the_smallest_size(make):
    _, window = make()
    window.resize(1100, 680)
    QTest.qWait(1)
    assert (window.width(), window.height()) == (1100, 680)
    assert window.stack.width() >= 640


@pytest.mark.parametrize(
    ("zoom", "size", "scrolls"),
    [
        (1.0, (1280, 720), (False, False)),
        (1.0, (1100, 680), (False, False)),
        (1.0, (1000, 600), (False, True)),
        (1.5, (1920, 1080), (False, False)),
        (2.0, (1280, 720), (True, True)),
        (2.0, (1000, 600), (True, True)),
    ],
)
def test_a_pane_that_would_have_too_little_room_scrolls(make, qapp, qtbot, zoom, size, scrolls):
    """With the headline and the inputs above it; the transport stays where it is."""
    _, window = make()
    window.resize(*size)
    theme.apply(qapp, "light", zoom, "full")
    QTest.qWait(1)
    bars = window.room.horizontalScrollBar(), window.room.verticalScrollBar()
    wait_until(lambda: tuple(bar.maximum() > 0 for bar in bars) == scrolls)
    assert (window.width(), window.height()) == size
    assert window.stack.size() == window.stack.size().expandedTo(PANE_LEAST * zoom)
    assert window.transport.mapTo(window, window.transport.rect().bottomLeft()).y() < size[1]


def test_a_pane_has_the_room_that_its_parts_ask_for(make, qtbot):
    """Also when they come to ask for more, or for less."""
    _, window = make()
    QTest.qWait(1)
    usual = window.stack.size()
    for more in (QSize(200, 200), QSize(0, 0)):
        window.pane.minimumSizeHint = lambda asked=usual + more: asked
        window.pane.updateGeometry()
        wait_until(lambda room=usual + more: window.stack.size() == room)


def test_all_panes_have_an_entry_in_the_rail_of_a_low_window(make, qapp, qtbot):
    _, window = make()
    window.resize(1000, 600)
    theme.apply(qapp, "light", 2.0, "full")
    QTest.qWait(1)
    rail = window.rail
    wait_until(lambda: rail.height() < 600)
    assert rail.rect().contains(rail.entry_rect(len(window.specs) - 1).toRect())


def test_a_notice_takes_no_more_room_than_its_words_and_the_page_does_not_scroll(make, qapp):
    _, window = make()
    QTest.qWait(1)
    before = window.stack.height()
    window.notices.offer("long", "error", "That did not work", "A message of many words. " * 8, {})
    QTest.qWait(1)
    qapp.processEvents()
    assert window.notices.height() < 150
    assert window.room.verticalScrollBar().maximum() == 0
    assert window.stack.height() == before - window.notices.height()


class Zoomed(QWidget):
    """A picture that the wheel zooms."""

    turns = 0

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.turns += 1
        event.accept()


def test_the_wheel_scrolls_the_page_save_over_a_picture_that_takes_it(make, qapp, qtbot):
    _, window = make()
    window.resize(1000, 600)
    theme.apply(qapp, "light", 2.0, "full")
    zoomed = Zoomed(window.pane)
    zoomed.setGeometry(0, 0, 50, 50)
    zoomed.show()
    QTest.qWait(1)
    bar = window.room.verticalScrollBar()
    wait_until(lambda: bar.maximum() > 0)
    for widget, turns, scrolls in ((zoomed, 1, False), (window.room.viewport(), 1, True)):
        down, none = QPoint(0, -120), QPoint()
        place = QPointF(5, 5)
        event = QWheelEvent(
            place, widget.mapToGlobal(place), none, down, Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        qapp.sendEvent(widget, event)
        assert (zoomed.turns, bar.value() > 0) == (turns, scrolls)
