"""Paints the likeliest tokens as bars, the cuts between them, and the number that is drawn."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPolygonF

from explorer import theme
from explorer.panes.transformer.generate import text
from explorer.panes.transformer.generate.scene import SCORES, Scene
from explorer.widgets.base import LEFT, RIGHT, elide, put_text
from explorer.widgets.token_strip import chip

NAME, NUMBER, GAP = 124, 150, 8  # px: tokens; numbers and names of cuts; between two things
LEAST, MOST = 12, 24  # px: a row
STRIP, FOOT = 18, 40  # px: all tokens side by side; with the mark above and the words below


class BarsLayout:
    """Where rows stand, and below them all tokens side by side."""

    def __init__(self, area: QRectF, scene: Scene) -> None:
        now = theme.current()
        self.area, self.scene = area, scene
        room = area.height() - now.px(FOOT) - now.px(STRIP)
        self.count = len(scene.pieces) + 1
        self.pitch = min(max(room / self.count, now.px(LEAST)), now.px(MOST))
        self.left = area.left() + now.px(NAME)
        self.right = area.right() - now.px(NUMBER)
        bottom = area.bottom() - now.px(FOOT) / 2
        self.strip = QRectF(area.left(), bottom - now.px(STRIP), area.width(), now.px(STRIP))

    def row(self, place: int) -> QRectF:
        """A token's whole row; the last one is of all others."""
        top = self.area.top() + place * self.pitch
        return QRectF(self.area.left(), top, self.area.width(), self.pitch)

    def bar(self, place: int, length: float) -> QRectF:
        row, wide = self.row(place), max((self.right - self.left) * length, 1.0)
        return QRectF(self.left, row.top() + 1, wide, self.pitch - 2)

    def row_at(self, point: QPointF) -> int | None:
        """The token at a point; None for the others and beside the rows."""
        place = int((point.y() - self.area.top()) // self.pitch)
        return place if 0 <= place < self.count - 1 and point.y() < self.strip.top() else None

    def segment(self, place: int) -> QRectF:
        start, end = self.scene.segments[place]
        wide = self.strip.width()
        return QRectF(
            self.strip.left() + start * wide, self.strip.top(), (end - start) * wide,
            self.strip.height(),
        )  # fmt: skip


def draw_bars(painter: QPainter, layout: BarsLayout, position: float, hovered: int) -> None:
    """`position` in the steps; `hovered`: the row under the pointer, -1 for none."""
    now, scene = theme.current(), layout.scene
    stage, lengths = scene.stage(int(position)), scene.lengths_at(position)
    is_drawn = stage.name in ("draw", "append") or scene.drawn is None
    font, label = now.font("mono", mono=True), now.font("label")
    for place in range(layout.count):
        row, is_rest = layout.row(place), place == layout.count - 1
        if row.bottom() > layout.strip.top():
            break
        came = is_drawn and place == scene.came
        if place == hovered:
            painter.fillRect(row, now.color("raised"))
        if is_rest:
            words, ink = stage.words[-1] if stage.name in SCORES else text.REST, "muted"
        else:
            words, ink = chip(0, scene.pieces[place]).text, "accent" if came else "text"
        name = QRectF(row.left(), row.top(), layout.left - row.left() - now.px(GAP), row.height())
        used = label if is_rest else font
        put_text(painter, name, elide(words, used, name.width()), used, now.color(ink), RIGHT)
        bar = layout.bar(place, float(lengths[place]))
        is_cut = bool(stage.cut[place])
        color = now.color("muted") if is_rest else now.color("accent") if came else now.series(0)
        painter.fillRect(bar, now.color("raised") if is_cut else color)
        if is_cut:
            painter.fillRect(bar, now.hatch())
        if is_rest and stage.name in SCORES:
            continue
        told = QRectF(bar.right() + now.px(4), row.top(), now.px(NUMBER), row.height())
        put_text(painter, told, stage.words[place], label, now.color("muted"), LEFT)
    _draw_cuts(painter, layout)
    _draw_strip(painter, layout, is_drawn)


def _draw_cuts(painter: QPainter, layout: BarsLayout) -> None:
    """A line below the last token that a cut keeps; names of cuts at one place stand in a row."""
    now, font = theme.current(), theme.current().font("label", 600)
    right: dict[int, float] = {}
    for words, rows in layout.scene.cuts:
        y = layout.area.top() + rows * layout.pitch
        if y > layout.strip.top():
            continue
        painter.setPen(now.pen("accent", 1.5))
        painter.drawLine(QPointF(layout.left, y), QPointF(layout.area.right(), y))
        wide = now.metrics("label", 600).horizontalAdvance(words) + now.px(GAP)
        end = right.get(rows, layout.area.right())
        place = QRectF(end - wide, y - now.px(15), wide, now.px(14))
        painter.fillRect(place, now.color("surface"))
        put_text(painter, place, words, font, now.color("accent"))
        right[rows] = end - wide


def _draw_strip(painter: QPainter, layout: BarsLayout, is_drawn: bool) -> None:
    """All that is drawn from side by side, each token as wide as it is likely, and the number."""
    now, scene, strip = theme.current(), layout.scene, layout.strip
    painter.fillRect(strip, now.color("raised"))
    for place in range(len(scene.pieces)):
        segment = layout.segment(place)
        came = is_drawn and place == scene.came
        painter.fillRect(segment, now.color("accent") if came else now.series(0))
        painter.setPen(now.pen("surface"))
        painter.drawLine(segment.topRight(), segment.bottomRight())
        words, font = chip(0, scene.pieces[place]).text, now.font("label")
        if now.metrics("label").horizontalAdvance(words) < segment.width() - 4:
            ink = theme.ink_on(now.color("accent") if came else now.series(0))
            put_text(painter, segment, words, font, ink)
    below = QRectF(
        strip.left(), strip.bottom(), strip.width(), layout.area.bottom() - strip.bottom()
    )
    words = text.drawn(scene.drawn) if is_drawn and scene.drawn is not None else text.STRIP
    put_text(painter, below, words, now.font("label"), now.color("muted"), LEFT)
    if is_drawn and scene.drawn is not None:
        x, half = strip.left() + scene.drawn * strip.width(), now.px(5)
        painter.setPen(now.pen("text", 2))
        painter.drawLine(QPointF(x, strip.top() - 2), QPointF(x, strip.bottom() + 2))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("text"))
        top = strip.top() - 2
        corners = (QPointF(x, top), QPointF(x - half, top - half), QPointF(x + half, top - half))
        painter.drawPolygon(QPolygonF(corners))
