"""Draws the likeliest tokens as bars, the cuts between them, and the random number."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.transformer.generate import text
from explorer.panes.transformer.generate.scene import Scene
from explorer.widgets.bars import NAME, draw_named_bar
from explorer.widgets.base import LEFT, put_longest, put_text
from explorer.widgets.token_strip import chip

NUMBER, LABEL = 80, 15  # px: width of a number; height of a name above its line
LEAST, MOST = 12, 24  # px: height of a row
STRIP, FOOT = 18, 20  # px: the strip of all tokens; the words below it and the mark above it


class BarsLayout:
    """Positions of the rows, the last one for all other tokens, and of the strip below them. `cuts`
    holds each name with its box above a line; the bars with their numbers end at `right`.
    """

    def __init__(self, area: QRectF, scene: Scene) -> None:
        now = theme.current()
        left, top, wide = area.left(), area.top(), area.width()
        high, foot, count = now.px(STRIP), now.px(FOOT), len(scene.pieces) + 1
        self.strip = QRectF(left, area.bottom() - foot - high, wide, high)
        room = (self.strip.top() - foot - top) / count
        pitch = min(max(room, now.px(LEAST)), now.px(MOST))
        rows = [QRectF(left, top + at * pitch, wide, pitch) for at in range(count)]
        self.rows = [row for row in rows if row.bottom() <= self.strip.top()]
        self.cuts, metrics, label = (
            list[tuple[str, QRectF]](),
            now.metrics("label", 600),
            now.px(LABEL),
        )
        for names, row in scene.boundaries:
            long, y = metrics.horizontalAdvance(names) + now.px(8), top + row * pitch
            if y <= self.strip.top():
                self.cuts.append((names, QRectF(area.right() - long, y - label, long, label)))
        self.right = min([name.left() for _, name in self.cuts], default=area.right())


def draw_bars(
    painter: QPainter, layout: BarsLayout, scene: Scene, position: float, hovered: int
) -> None:
    """Draws a scene; `position` counts steps; `hovered` is the row under the pointer, or -1."""
    now, step = theme.current(), scene.step(position)
    lengths, came, room = scene.lengths_at(position), scene.came_at(step), now.px(NUMBER)
    for place, row in enumerate(layout.rows):
        if place == hovered:
            painter.fillRect(row, now.color("raised"))
        name, font, color = text.REST, now.font("label"), now.color("muted")
        is_cut = False
        if place < len(scene.pieces):
            name, font = chip(0, scene.pieces[place]).text, now.font("mono", mono=True)
            color = now.color("accent") if place == came else now.series(0)
            is_cut = not scene.table.kept[step, place]
        line = QRectF(row.left(), row.top(), layout.right - row.left(), row.height())
        color = now.color("raised") if is_cut else color
        bar = draw_named_bar(
            painter, line, name, lengths[place], scene.words[step][place], color, font,
            place == came, room,
        )  # fmt: skip
        if is_cut:
            painter.fillRect(bar, now.hatch())
    for names, box in layout.cuts:
        painter.setPen(now.pen("accent", 1.5))
        painter.drawLine(
            QPointF(layout.strip.left() + now.px(NAME), box.bottom()), box.bottomRight()
        )
        put_text(painter, box, names, now.font("label", 600), now.color("accent"))
    _draw_strip(painter, layout.strip, scene, came)


def _draw_strip(painter: QPainter, strip: QRectF, scene: Scene, came: int | None) -> None:
    """Draws all remaining tokens side by side, as wide as their probabilities, and the number
    drawn.
    """
    now, drawn = theme.current(), scene.drawn
    words = text.STRIP_LEFT if scene.is_cut else text.STRIP
    painter.fillRect(strip, now.color("raised"))
    for place, (start, end) in enumerate(scene.table.segments * strip.width()):
        segment = QRectF(strip.left() + start, strip.top(), end - start, strip.height())
        fill = now.color("accent") if place == came else now.series(0)
        painter.fillRect(segment, fill)
        painter.setPen(now.pen("surface"))
        painter.drawLine(segment.topRight(), segment.bottomRight())
        name = chip(0, scene.pieces[place]).text
        put_longest(painter, segment, [name], now.font("label"), theme.ink_on(fill))
    if drawn is not None and came is not None:
        words, x = text.DRAWN.format(drawn), strip.left() + drawn * strip.width()
        painter.setPen(now.pen("text", 3))
        painter.drawLine(QPointF(x, strip.top() - now.px(6)), QPointF(x, strip.bottom() + 2))
    below = strip.translated(0, strip.height())
    put_text(painter, below, words, now.font("label"), now.color("muted"), LEFT)
