"""Paints the likeliest tokens as bars, the cuts between them, and the number that is drawn."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.transformer.generate import text
from explorer.panes.transformer.generate.scene import Scene
from explorer.widgets.base import LEFT, RIGHT, elide, put_text
from explorer.widgets.token_strip import chip

NAME, NUMBER, GAP = 124, 80, 8  # px: tokens; numbers; between two things
LEAST, MOST = 12, 24  # px: a row
STRIP, FOOT = 18, 40  # px: all tokens side by side; with the mark above and the words below


class BarsLayout:
    """Where rows stand, the last one of all other tokens, and below them all side by side."""

    def __init__(self, area: QRectF, scene: Scene) -> None:
        now = theme.current()
        self.scene, self.top, strip = scene, area.top(), now.px(STRIP)
        room, count = area.height() - now.px(FOOT) - strip, len(scene.ids) + 1
        self.pitch = pitch = min(max(room / count, now.px(LEAST)), now.px(MOST))
        wide, bottom = area.width(), area.bottom() - now.px(FOOT) / 2
        self.strip = QRectF(area.left(), bottom - strip, wide, strip)
        rows = [QRectF(area.left(), area.top() + at * pitch, wide, pitch) for at in range(count)]
        self.rows = [row for row in rows if row.bottom() <= self.strip.top()]
        self.cuts = list(self._placed(area.right()))
        self.left = area.left() + now.px(NAME)
        edge = min((place.left() for _, place in self.cuts), default=area.right())
        self.right = edge - now.px(NUMBER)

    def _placed(self, right: float) -> Iterator[tuple[str, QRectF]]:
        """Names of cuts above their lines; those at one place stand in a row."""
        now, ends = theme.current(), dict[int, float]()
        for words, rows in self.scene.boundaries:
            wide = now.metrics("label", 600).horizontalAdvance(words) + now.px(GAP)
            ends[rows] = ends.get(rows, right) - wide
            y = self.top + rows * self.pitch
            if y <= self.strip.top():
                yield words, QRectF(ends[rows], y - now.px(15), wide, now.px(14))


def draw_bars(painter: QPainter, layout: BarsLayout, position: float, hovered: int) -> None:
    """`position` in the steps; `hovered`: the row under the pointer, -1 for none."""
    now, scene = theme.current(), layout.scene
    step, lengths = scene.step(position), scene.lengths_at(position)
    came, gap = scene.came_at(step), now.px(GAP)
    mono, label = now.font("mono", mono=True), now.font("label")
    for place, row in enumerate(layout.rows):
        is_rest = place == len(scene.ids)
        if place == hovered:
            painter.fillRect(row, now.color("raised"))
        name, font, ink, fill = text.REST, label, "muted", now.color("muted")
        if not is_rest:
            name, font, ink = chip(0, scene.pieces[place]).text, mono, "text"
            fill = now.series(0)
        if place == came:
            ink, fill = "accent", now.color("accent")
        box = QRectF(row.left(), row.top(), layout.left - row.left() - gap, row.height())
        put_text(painter, box, elide(name, font, box.width()), font, now.color(ink), RIGHT)
        wide = max((layout.right - layout.left) * float(lengths[place]), 1.0)
        bar = QRectF(layout.left, row.top() + 1, wide, layout.pitch - 2)
        is_cut = bool(scene.cut[step, place])
        painter.fillRect(bar, now.color("raised") if is_cut else fill)
        if is_cut:
            painter.fillRect(bar, now.hatch())
        told = QRectF(bar.right() + gap / 2, row.top(), now.px(NUMBER), row.height())
        put_text(painter, told, scene.words[step][place], label, now.color("muted"), LEFT)
    _draw_boundaries(painter, layout)
    _draw_strip(painter, layout, came)


def _draw_boundaries(painter: QPainter, layout: BarsLayout) -> None:
    """A line below the last token that a cut keeps, and its name."""
    now = theme.current()
    for words, box in layout.cuts:
        y = box.top() + now.px(15)
        painter.setPen(now.pen("accent", 1.5))
        painter.drawLine(QPointF(layout.left, y), QPointF(layout.strip.right(), y))
        put_text(painter, box, words, now.font("label", 600), now.color("accent"))


def _draw_strip(painter: QPainter, layout: BarsLayout, came: int | None) -> None:
    """All that is drawn from side by side, each token as wide as it is likely, and the number."""
    now, scene, strip = theme.current(), layout.scene, layout.strip
    font, metrics = now.font("label"), now.metrics("label")
    painter.fillRect(strip, now.color("raised"))
    for place, piece in enumerate(scene.pieces):
        left, right = strip.left() + scene.segments[place] * strip.width()
        segment = QRectF(left, strip.top(), right - left, strip.height())
        fill = now.color("accent") if place == came else now.series(0)
        painter.fillRect(segment, fill)
        painter.setPen(now.pen("surface"))
        painter.drawLine(segment.topRight(), segment.bottomRight())
        words = chip(0, piece).text
        if metrics.horizontalAdvance(words) < segment.width() - 4:
            put_text(painter, segment, words, font, theme.ink_on(fill))
    drawn = scene.drawn if came is not None else None
    below = strip.translated(0, strip.height())
    words = text.STRIP if drawn is None else text.drawn(drawn)
    put_text(painter, below, words, font, now.color("muted"), LEFT)
    if drawn is not None:
        x = strip.left() + drawn * strip.width()
        painter.setPen(now.pen("text", 3))
        painter.drawLine(QPointF(x, strip.top() - now.px(6)), QPointF(x, strip.bottom() + 2))
