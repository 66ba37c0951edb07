"""What is written on the map: heights of levels, minima, saddles, and the bar of its tints."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPolygonF

from core.optimization.surfaces import Span
from explorer import theme
from explorer.panes.backprop.optimizers.looks import inks
from explorer.panes.backprop.optimizers.relief import Relief
from explorer.panes.backprop.optimizers.text import plain, short
from explorer.widgets.base import LEFT, RIGHT, put_text, put_words
from explorer.widgets.plots.math import linear_ticks, tick_texts

Seen = Callable[[np.ndarray], np.ndarray]  # from the plane to pixels
BAR = (112, 8)
MOST_WORDS = 4  # of more places of a kind, the first alone is named
_ONE = "height {}"


def draw_labels(painter: QPainter, relief: Relief, area: QRectF) -> None:
    """The height of each level, along its line."""
    now = theme.current()
    font, metrics = now.font("label"), now.metrics("label")
    for label in relief.labels:
        text = plain(label.value)
        wide, high = metrics.horizontalAdvance(text) + 6, metrics.height() - 1
        painter.save()
        painter.translate(
            area.left() + label.x * area.width(), area.top() + label.y * area.height()
        )
        painter.rotate(label.angle)
        box = QRectF(-wide / 2, -high / 2, wide, high)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("surface", 0.75))
        painter.drawRoundedRect(box, 3, 3)
        put_text(painter, box, text, font, now.color("muted"))
        painter.restore()


def label_boxes(relief: Relief, area: QRectF) -> list[QRectF]:
    """About where they are written: `area` is where the relief lies."""
    now = theme.current()
    wide, high = now.px(28), now.px(14)
    return [
        QRectF(
            area.left() + label.x * area.width() - wide / 2,
            area.top() + label.y * area.height() - high / 2,
            wide,
            high,
        )
        for label in relief.labels
    ]


def draw_places(
    painter: QPainter,
    seen: Seen,
    minima: Sequence[tuple[float, float]],
    saddles: Sequence[tuple[float, float]],
    clip: QRectF,
) -> None:
    """A star where the surface is lowest, a diamond at a saddle."""
    now = theme.current()
    size = now.px(6)
    painter.setBrush(now.color("surface"))
    painter.setPen(now.pen("text", 1.5))
    for _, (x, y) in _seen_places("minimum", minima, seen, clip):
        painter.drawPolygon(_star(x, y, size + 1))
    for _, (x, y) in _seen_places("saddle", saddles, seen, clip):
        corners = ((x, y - size), (x + size, y), (x, y + size), (x - size, y))
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))


def _seen_places(
    word: str, places: Sequence[tuple[float, float]], seen: Seen, clip: QRectF
) -> list[tuple[str, np.ndarray]]:
    """The word and where in pixels each is that is seen."""
    found = [(word, seen(np.array(place))) for place in places]
    return [(word, at) for word, at in found if clip.contains(QPointF(*at))]


def worded(
    seen: Seen,
    minima: Sequence[tuple[float, float]],
    saddles: Sequence[tuple[float, float]],
    clip: QRectF,
) -> list[tuple[str, np.ndarray]]:
    """The words of those places that are seen, and where in pixels these are."""

    def named(places: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
        return places if len(places) <= MOST_WORDS else places[:1]

    return [
        *_seen_places("minimum", named(minima), seen, clip),
        *_seen_places("saddle", named(saddles), seen, clip),
    ]


def draw_axes(painter: QPainter, span: Span, frame: QRectF) -> None:
    """Numbers of x along the lower edge and of y along the left one."""
    now = theme.current()
    font, metrics, muted = now.font("label"), now.metrics("label"), now.color("muted")
    high = metrics.height() - 1
    left, right, bottom, top = span
    room = max(2, round(frame.width() / now.px(110))), max(2, round(frame.height() / now.px(80)))
    painter.setPen(now.pen("outline"))
    places = []
    for low, up, count, axis in ((left, right, room[0], "x"), (bottom, top, room[1], "y")):
        ticks = linear_ticks(low, up, count)
        for tick, text in zip(ticks, tick_texts(ticks), strict=True):
            share = (tick - low) / (up - low)
            wide = metrics.horizontalAdvance(text) + 6
            if axis == "x":
                x = frame.left() + share * frame.width()
                painter.drawLine(QPointF(x, frame.bottom() - 5), QPointF(x, frame.bottom()))
                box = QRectF(x - wide / 2, frame.bottom() - 6 - high, wide, high)
                fits = frame.left() + 40 < box.left() and box.right() < frame.right() - 20
            else:
                y = frame.bottom() - share * frame.height()
                painter.drawLine(QPointF(frame.left(), y), QPointF(frame.left() + 5, y))
                box = QRectF(frame.left() + 7, y - high / 2, wide, high)
                fits = frame.top() + 52 < box.top() and box.bottom() < frame.bottom() - 42
            if fits:
                places.append((box, text))
    names = (
        (frame.right() - 16, frame.bottom() - 6 - high),
        (frame.left() + 7, frame.bottom() - 38),
    )
    places += [(QRectF(*names[0], 12, high), "x"), (QRectF(*names[1], 12, high), "y")]
    for box, text in places:
        painter.fillRect(box, now.color("surface", 0.7))
        put_text(painter, box, text, font, muted)


def _star(x: float, y: float, size: float) -> QPolygonF:
    angles = np.pi * (np.arange(10) / 5 - 0.5)
    radii = np.where(np.arange(10) % 2, 0.45, 1.15) * size
    return QPolygonF(
        [QPointF(x + r * np.cos(a), y + r * np.sin(a)) for r, a in zip(radii, angles, strict=True)]
    )


def bar_box(relief: Relief | None, frame: QRectF) -> QRectF:
    """What the bar and its words take of the map."""
    now = theme.current()
    if relief is None or not relief.is_finite:
        return QRectF()
    width = now.metrics("label").horizontalAdvance
    low, high = short(relief.low), short(relief.high)
    if low == high:
        wide = width(_ONE.format(low))
    else:  # the word in the middle, clear of the longer number
        wide = max(now.px(BAR[0]), 2 * max(width(low), width(high)) + width("height") + now.px(16))
    return QRectF(frame.left() + 8, frame.top() + 8, wide + 12, now.px(BAR[1] + 18) + 4)


def note_box(relief: Relief | None, note: str, frame: QRectF) -> QRectF:
    """Where a note stands: above the numbers of x, and on a map without heights in its middle."""
    now = theme.current()
    if not note:
        return QRectF()
    inner = frame.adjusted(now.px(48), 0, -now.px(48), 0)
    middle = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
    box = now.metrics("body").boundingRect(inner.toRect(), middle, note)
    box = QRectF(box).adjusted(-8, -3, 8, 3)
    if relief is not None and relief.is_finite:
        box.moveBottom(frame.bottom() - now.px(30))
    return box


def draw_note(painter: QPainter, box: QRectF, note: str) -> None:
    """What is to be known of the surface itself."""
    now = theme.current()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(now.color("surface", 0.85))
    painter.drawRoundedRect(box, 4, 4)
    put_words(painter, box, note, now.font("body"), now.color("text"))


def draw_bar(painter: QPainter, relief: Relief, frame: QRectF) -> None:
    """What the tints mean: the lowest and the highest that is seen."""
    now = theme.current()
    if not relief.is_finite:
        return
    font = now.font("label")
    ends = short(relief.low), short(relief.high)
    back = bar_box(relief, frame)
    box = QRectF(back.left() + 6, back.top() + 4, back.width() - 12, now.px(BAR[1]))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(now.color("surface", 0.85))
    painter.drawRoundedRect(back, 4, 4)
    if ends[0] == ends[1]:
        put_text(painter, back, _ONE.format(ends[0]), font, now.color("muted"))
        return
    high = box.height()
    tones = inks()
    bands = max(2, relief.levels.size + 1)
    for band in range(bands):
        share = band / (bands - 1)
        mixed = [round(a + share * (b - a)) for a, b in zip(tones.low, tones.high, strict=True)]
        color = now.color("surface")
        color.setRgb(*mixed)
        left = box.left() + box.width() * band / bands
        painter.fillRect(QRectF(left, box.top(), box.width() / bands + 1, high), color)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(now.pen("outline"))
    painter.drawRect(box)
    words = QRectF(box.left(), box.bottom() + 2, box.width(), now.px(14))
    muted = now.color("muted")
    put_text(painter, words, ends[0], font, muted, LEFT)
    put_text(painter, words, "height", font, muted)
    put_text(painter, words, ends[1], font, muted, RIGHT)
