"""Paints who told it: to the right what pushes the logit up, to the left what pushes it down."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from core.numbers import format_fixed
from explorer import theme
from explorer.panes.transformer.lens import text
from explorer.panes.transformer.lens.scene import Scene
from explorer.widgets.base import LEFT, RIGHT
from explorer.widgets.sketch import Sketch

LINE, NAME, NUMBER, GAP = 18, 84, 40, 3  # px
DOWN, UP = 0, 1  # series


def draw_terms(
    painter: QPainter, rows: Sequence[QRectF], scene: Scene, exposed: QRectF, marks: tuple[int, int]
) -> None:
    """A bar a row, an outline around what it was. `marks`: the one that the pointer is at, and one
    whose name has the accent's color.
    """
    sketch, now, line = Sketch(painter), theme.current(), rows[0]
    values = [term.value for terms in scene.terms for term in terms]
    low, high = min(0.0, *values), max(1e-9, *values)
    left, right = line.left() + now.px(NAME), line.right() - now.px(NUMBER)
    scale = (right - left) / (high - low)
    zero = left - low * scale

    def bar(row: QRectF, value: float) -> QRectF:
        place = QRectF(zero, row.top() + GAP, value * scale, row.height() - 2 * GAP)
        return place.normalized()

    for place, (row, (before, term)) in enumerate(zip(rows, scene.terms, strict=True)):
        if not row.intersects(exposed):
            continue
        if place == marks[0] and term.part is not None:
            sketch.fill(row, "raised")
        is_gray, is_off = term.kind == "unexplained", scene.is_off(term)
        fill = now.color("muted") if is_gray else now.series(UP if term.value > 0 else DOWN)
        sketch.fill(bar(row, term.value), fill)
        if scene.found.is_changed:
            sketch.frame(bar(row, before.value).adjusted(0, -1, 0, 1), "muted", 1.5, 0)
        ink = "accent" if place == marks[1] else "muted" if is_gray or is_off else "text"
        name = row.adjusted(0, 0, now.px(NAME - 8) - row.width(), 0)
        sketch.text(name, term.name, ink, RIGHT, cut=True)
        number = row.adjusted(row.width() - now.px(NUMBER - 6), 0, 0, 0)
        sketch.text(number, text.OFF if is_off else format_fixed(term.value), align=LEFT)
    sketch.line(QPointF(zero, 0), QPointF(zero, rows[-1].bottom()), "outline")
