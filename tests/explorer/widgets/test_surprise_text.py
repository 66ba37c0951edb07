"""A text colored by surprise: laid out in whole rows, chosen by mouse and keys."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest

from explorer import theme
from explorer.widgets import surprise_text
from explorer.widgets.surprise_text import RING, SurpriseScale, SurpriseText

PIECES = [[b" once", b" upon", b"\xff"], [b"a"] * 3]
LOSSES = np.array([[0.0, 4.0, 9.0], [1.0, 1.0, 1.0]])


def shown(qtbot, width=400, height=200):
    widget = SurpriseText()
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.set_text(PIECES, LOSSES, 8.0)
    widget.grab()
    assert widget.broken is None
    return widget


def test_the_more_surprising_the_stronger_the_color(qtbot):
    widget, now = shown(qtbot), theme.current()
    assert widget.color_of(0.0) == now.color("surface")
    assert widget.color_of(8.0) == widget.color_of(80.0) == now.series(1)
    assert (
        widget.told(0, 1) == "“␣upon”: 4.00 nats"
        and widget.told(0, 2) == "\u201cFF\u201d: 9.00 nats"
    )
    assert widget.displayed()["loss (nats)"].tolist() == LOSSES.reshape(-1).tolist()


def test_each_sequence_begins_a_row_and_rows_break(qtbot):
    widget = shown(qtbot)
    assert widget.rect_of(1, 0).x() == 0 and widget.rect_of(1, 0).y() > widget.rect_of(0, 2).y()
    narrow = shown(qtbot, 60)
    assert narrow.rect_of(0, 1).x() == 0 and narrow.rect_of(0, 1).y() > narrow.rect_of(0, 0).y()


def test_where_there_is_no_room_it_scrolls_to_the_chosen_token(qtbot):
    low = shown(qtbot, 400, 30)
    assert low.rect().toRectF().contains(low.rect_of(0, 0))
    assert not low.rect().toRectF().intersects(low.rect_of(1, 0))
    low.set_chosen(1, 0)
    assert low.rect().toRectF().contains(low.rect_of(1, 0))
    assert low.token_at(low.rect_of(1, 0).center()) == (1, 0)
    assert low.rect_of(0, 0).bottom() <= 0


def test_what_is_shown_already_is_not_painted_again(qtbot, monkeypatch):
    widget = shown(qtbot)
    widget.set_chosen(0, 1)
    asked = []
    monkeypatch.setattr(widget, "update", lambda: asked.append(1))
    widget.set_text([list(row) for row in PIECES], LOSSES.copy(), 8.0)
    widget.set_chosen(0, 1)
    assert not asked
    widget.set_chosen(0, 2)
    assert len(asked) == 1 and widget.accessibleDescription() == "\u201cFF\u201d: 9.00 nats"
    for pieces, losses, most in (
        (PIECES[::-1], LOSSES, 8.0),
        (PIECES[::-1], LOSSES + 1, 8.0),
        (PIECES[::-1], LOSSES + 1, 9.0),
    ):
        asked.clear()
        widget.set_text(pieces, losses, most)
        assert asked


def test_it_tells_how_high_a_text_would_be(qtbot):
    widget, line = shown(qtbot), theme.current().px(26)
    assert widget.height_of(2000, 5) == RING + line
    assert widget.height_of(60, 3) == RING + 3 * line


def test_a_token_is_chosen_by_mouse_and_by_arrows(qtbot):
    widget = shown(qtbot)
    found = []
    widget.chosen.connect(lambda sequence, place: found.append((sequence, place)))
    widget.chosen.connect(widget.set_chosen)
    assert widget.token_at(QPointF(399, 199)) is None
    place = widget.rect_of(0, 2).center().toPoint()
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=place)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Left):
        QTest.keyClick(widget, key)
    assert found == [(0, 2), (1, 0), (0, 2)]
    assert widget.accessibleDescription() == "\u201cFF\u201d: 9.00 nats"


def test_texts_that_scroll_together_show_the_same_lines(qtbot, monkeypatch):
    first, second = shown(qtbot, 60, 70), shown(qtbot, 60, 70)
    first.scroll_with(second)
    begins = [b"text"] * 6
    for widget, more in ((first, 1), (second, 5)):
        widget.set_text([[*begins, *[b"more"] * more]], np.zeros((1, 6 + more)), 8.0)
        widget.set_chosen(0, 6, (0, 5 + more))
    line = theme.current().px(26)
    for widget in (first, second):  # no further, or the first one would show nothing
        assert widget.rect_of(0, 6).y() == RING and widget.rect_of(0, 5).y() == RING - line
    first.set_chosen(0, 0, (0, 2))
    second.set_chosen(0, 1, (0, 1))
    for widget in (first, second):
        assert widget.rect_of(0, 0).y() == RING
    second.set_chosen(0, 1, (0, 2))
    first.set_chosen(0, 1, (0, 2))
    for widget in (first, second):
        assert widget.rect_of(0, 1).y() == RING
    for turn, lines in ((-30, 1), (-30, 2), (-1200, 9), (60, 8), (1200, 0)):
        event = QWheelEvent(
            QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, turn), Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        first.wheelEvent(event)
        assert {widget.rect_of(0, 0).y() for widget in (first, second)} == {RING - lines * line}
    asked = []
    monkeypatch.setattr(second, "update", lambda: asked.append(1))
    first.set_chosen(0, 1, (0, 3))
    assert len(asked) == 1
    first.set_chosen(0, 1, (0, 2))
    assert len(asked) == 1  # it shows the same lines as before


def test_the_scale_goes_from_the_palest_to_the_darkest_color(qtbot):
    scale, text = SurpriseScale(8.0), shown(qtbot)
    qtbot.addWidget(scale)
    scale.resize(400, 15)
    image = scale.grab().toImage()
    assert scale.broken is None and scale.displayed()["loss (nats)"].tolist() == [0, 8]
    row = np.array([image.pixelColor(x, 7).getRgb()[:3] for x in range(400)])
    off = {loss: np.abs(row - text.color_of(loss).getRgb()[:3]).sum(1) for loss in (4.0, 8.0)}
    assert max(one.min() for one in off.values()) < 12 and off[4.0].argmin() < off[8.0].argmin()


def test_a_token_is_drawn_again_only_in_another_color_or_another_zoom(qtbot, monkeypatch):
    widget, drawn = shown(qtbot), []

    def draw(painter, rect, text, *colors):
        drawn.append(text)

    monkeypatch.setattr(surprise_text, "draw_chip", draw)
    widget.set_chosen(0, 1)
    widget.grab()
    assert not drawn
    widget.set_text(PIECES, np.array([[0.0, 4.0, 2.0], [1.0, 1.0, 3.0]]), 8.0)
    widget.grab()
    assert drawn == ["FF", "a"]
    drawn.clear()
    widget.on_theme_changed()
    widget.grab()
    assert drawn == ["␣once", "␣upon", "FF", "a", "a"]
