"""The legend below the map: the optimizers' trails and the symbols star, diamond and ring."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.backprop.optimizers.draw_surface import draw_diamond, draw_ring, draw_star
from explorer.panes.backprop.optimizers.line_style import color_of, trail_pen
from explorer.widgets.base import LEFT, put_text

ROW, SAMPLE, GAP = 20, 20, 10  # px: height of a line, width of a sample, gap between entries


@dataclass(frozen=True)
class Entry:
    """An entry of the legend: `sample` is painted around a point, `text` next to it."""

    text: str
    sample: Callable[[QPainter, QPointF], None]
    strong: bool = False


def trail_entry(name: str, title: str, chosen: bool) -> Entry:
    """Returns the entry of an optimizer."""
    return Entry(title, lambda painter, at: draw_sample(painter, at, name), chosen)


START, MINIMUM, SADDLE = (
    Entry("start", draw_ring),
    Entry("minimum", draw_star),
    Entry("saddle", draw_diamond),
)


def draw_sample(painter: QPainter, at: QPointF, name: str) -> None:
    """Draws a piece of an optimizer's trail, with the dot at its head."""
    half = theme.current().px(SAMPLE) / 2
    painter.setPen(trail_pen(name, 2.5))
    painter.drawLine(at - QPointF(half - 1, 0), at + QPointF(half - 5, 0))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color_of(name))
    painter.drawEllipse(at + QPointF(half - 5, 0), 4, 4)


def places_of(entries: Sequence[Entry], width: float) -> list[QRectF]:
    """Returns the box of each entry, from (0, 0) on, in as many lines as needed."""
    now = theme.current()
    metrics, row, x, y = now.metrics("label", 600), now.px(ROW), 0.0, 0.0
    found = []
    for one in entries:
        wide = now.px(SAMPLE + 4) + metrics.horizontalAdvance(one.text) + 1
        if x > 0 and x + wide > width:
            x, y = 0.0, y + row
        found.append(QRectF(x, y, wide, row))
        x += wide + now.px(GAP)
    return found


def draw_legend(painter: QPainter, entries: Sequence[Entry], strip: QRectF) -> None:
    """Draws the legend into the strip."""
    now = theme.current()
    painter.fillRect(strip, now.color("surface"))
    side = now.px(SAMPLE)
    for one, place in zip(entries, places_of(entries, strip.width()), strict=True):
        box = place.translated(strip.topLeft())
        one.sample(painter, QPointF(box.left() + side / 2, box.center().y()))
        font = now.font("label", 600 if one.strong else 400)
        color = now.color("text" if one.strong else "muted")
        put_text(painter, box.adjusted(side + now.px(4), 0, 0, 0), one.text, font, color, LEFT)
