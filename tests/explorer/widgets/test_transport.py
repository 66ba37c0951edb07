"""The scrubber's marks, and what screen readers are told while the transport plays."""

import itertools

import numpy as np
from PySide6 import QtGui
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent, QImage, QMouseEvent
from PySide6.QtWidgets import QToolTip

from explorer import theme
from explorer.state.player import Player
from explorer.state.tracks import ListTrack, Track
from explorer.widgets import announcer
from explorer.widgets.scrubber import Scrubber
from explorer.widgets.transport import TransportBar
from explorer.widgets.transport_parts import LiveBadge
from tests.explorer.waiting import turn

MARKS = {100: "checkpoint, step 1,000", 200: "checkpoint, step 2,000"}


class Kept(ListTrack):
    """A run of many moments, some of them checkpoints."""

    @property
    def marks(self):
        return MARKS


def bound(qtbot, track: Track):
    now = [0.0]
    bar, player = TransportBar(clock=lambda: now[0]), Player(clock=lambda: now[0])
    qtbot.addWidget(bar)
    bar.resize(900, 72)
    bar.show()
    player.setParent(bar)
    player.set_motion("off")
    player.set_track(track)
    bar.bind(player)
    return bar, player, now


def drag(scrubber: Scrubber, x: float, kind=QEvent.Type.MouseMove) -> None:
    place = QPointF(x, scrubber.height() / 2)
    left = Qt.MouseButton.LeftButton
    event = QMouseEvent(kind, place, place, left, left, Qt.KeyboardModifier.NoModifier)
    {
        QEvent.Type.MouseButtonPress: scrubber.mousePressEvent,
        QEvent.Type.MouseMove: scrubber.mouseMoveEvent,
        QEvent.Type.MouseButtonRelease: scrubber.mouseReleaseEvent,
    }[kind](event)


def test_a_title_has_as_many_lines_as_the_longest_one_needs(qtbot):
    titles = ["short", "after 1,250 steps: loss 0.569," + 5 * " after 1,250 steps", "short again"]
    bar, player, _ = bound(qtbot, ListTrack(titles))
    assert bar.height() == theme.current().px("transport") and len(bar.title.lines()) == 1
    heights = []
    for width in (900, 500):
        bar.resize(width, 72)
        for step in range(3):
            player.seek(float(step))
            assert " ".join(bar.title.lines()) == titles[step].strip()
            turn()
            heights.append(bar.height())
            assert bar.title.height() >= len(bar.title.lines()) * bar.title.line_height
            assert bar.rect().contains(bar.play_button.geometry())
    assert heights[0] == heights[1] == heights[2], "it has room for two"
    assert heights[4] == heights[5] > heights[3]


def test_a_drag_stands_on_a_mark_that_it_comes_near(qtbot):
    bar, player, _ = bound(qtbot, Kept([f"moment {i}" for i in range(400)]))
    scrubber = bar.scrubber
    assert scrubber.displayed()["marks"].tolist() == [100, 200]
    mark = scrubber.x_of(100)
    drag(scrubber, mark - 60, QEvent.Type.MouseButtonPress)
    assert player.position == round(scrubber.position_at(mark - 60)) != 100
    drag(scrubber, mark + 4)
    assert player.position == 100 and scrubber.position_at(mark + 4) > 101
    drag(scrubber, mark + 8.7)
    assert player.position == scrubber.position_at(mark + 8.7)  # a little further it is free
    drag(scrubber, mark - 3, QEvent.Type.MouseButtonRelease)
    assert player.position == 100


def test_page_up_and_down_go_from_mark_to_mark(qtbot):
    bar, player, _ = bound(qtbot, Kept([f"moment {i}" for i in range(400)]))
    player.seek(150)
    places = []
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp, Qt.Key.Key_PageUp):
        qtbot.keyClick(bar.scrubber, key)
        places.append(player.position)
    assert places == [200, 200, 100, 100]


def test_a_mark_is_seen_and_says_what_it_is(qtbot, monkeypatch):
    bar, player, _ = bound(qtbot, Kept([f"moment {i}" for i in range(400)]))
    said = []
    monkeypatch.setattr(QToolTip, "showText", lambda place, text, widget: said.append(text))
    scrubber = bar.scrubber
    for x in (scrubber.x_of(200) + 3, scrubber.x_of(150)):
        place = QPoint(round(x), 14)
        scrubber.event(QHelpEvent(QEvent.Type.ToolTip, place, place))
    assert said == ["checkpoint, step 2,000", ""]
    player.seek(150)
    pictures = []
    for marks in (MARKS, {}):
        scrubber.set_marks(marks)
        image = QImage(scrubber.size(), QImage.Format.Format_RGB32)
        image.fill(0xFFFFFF)
        scrubber.render(image)
        pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1)
        pictures.append(pixels.copy())
    columns = np.flatnonzero((pictures[0] != pictures[1]).any(axis=0))
    for step in (100, 200):
        assert (abs(columns - scrubber.x_of(step)) < 4).any()
    assert all(
        min(abs(column - scrubber.x_of(step)) for step in (100, 200)) < 8 for column in columns
    )


def test_step_titles_are_announced_at_most_once_a_second_while_playing(qtbot):
    bar, player, now = bound(qtbot, ListTrack([f"step {i}" for i in range(12)]))
    said = []
    bar.announcer.say = lambda widget, text: said.append((now[0], text))
    player.forward()
    player.seek(0)
    assert said == [], "by hand the focused control speaks"
    player.set_speed(4.0)
    player.play()
    while player.playing:
        now[0] += 0.05
        player.tick()
    times = [at for at, _ in said[:-1]]
    assert 3 <= len(said) < 12, "steps at four times the speed come faster than one a second"
    assert all(later - earlier >= 1 for earlier, later in itertools.pairwise(times))
    assert said[-1][1] == "step 11", "where it stopped is said, whatever was skipped before"


def test_an_announcement_is_left_out_where_qt_has_none(qtbot, monkeypatch):
    bar, _, _ = bound(qtbot, ListTrack(["one"]))
    told = []
    monkeypatch.setattr(announcer.QAccessible, "updateAccessibility", told.append)
    announcer.announce(bar, "one")
    assert [event.message() for event in told] == ["one"]
    monkeypatch.delattr(QtGui, "QAccessibleAnnouncementEvent")
    announcer.announce(bar, "two")
    assert len(told) == 1


def test_a_title_that_needs_more_lines_changes_no_height_while_a_layout_is_under_way(qtbot):
    """Qt would lay the bar out anew in the midst of laying it out, and crash."""
    bar, _, _ = bound(qtbot, ListTrack(["after 1,250 steps: loss 0.569"]))
    bar.resize(500, 72)
    turn()
    before = bar.maximumHeight()
    bar.title.resize(60, bar.title.height())  # as its layout does
    assert len(bar.title.lines()) > 1 and bar.maximumHeight() == before


def test_the_live_button_names_its_key_only_where_that_leads_elsewhere(qtbot):
    badge = LiveBadge()
    qtbot.addWidget(badge)
    for live in (True, False):
        badge.set_live(live)
        assert ("(End)" in badge.toolTip()) is not live
