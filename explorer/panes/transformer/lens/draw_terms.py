"""A bar for each part: to the right if it raises the logit, to the left if it lowers it."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter

from core.numbers import format_fixed
from explorer import theme
from explorer.panes.transformer.lens import text
from explorer.panes.transformer.lens.scene import Scene
from explorer.widgets.base import LEFT, RIGHT, Columns
from explorer.widgets.choice_picture import NONE, ChoicePicture
from explorer.widgets.grid_keys import arrow
from explorer.widgets.sketch import Sketch

LINE, WORDS, NUMBER, GAP = 18, 84, 40, 3  # px
NARROWEST = 124  # px: least width
DOWN, UP = 0, 1  # indices of series colors


class Terms(ChoicePicture[Scene]):
    """Draws a bar for each part, with an outline of the bar before the change. Emits
    `picked(place)`, and `opened(place)` on a right click or the Right key.
    """

    NAME = "What each part adds to the logit"
    opened = Signal(int)
    marked = NONE  # the bar whose steps are played

    def set_marked(self, place: int) -> None:
        self.marked = place
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        found, (before, after) = self.scene.found, zip(*self.scene.found.terms, strict=True)
        columns = {
            "part": np.array([term.name for term in after]),
            "value": np.array([term.value for term in after]),
            "off": np.array([found.is_off(term) for term in after]),
        }
        if found.is_changed:
            columns["before"] = np.array([term.value for term in before])
        return Columns(columns)

    def rects(self, scene: Scene) -> list[QRectF]:
        line = theme.current().px(LINE)
        return [QRectF(0, at * line, self.width(), line) for at in range(len(scene.found.terms))]

    def draw_scene(self, painter: QPainter, scene: Scene) -> None:
        sketch, now, found, rows = Sketch(painter), theme.current(), scene.found, self.rects(scene)
        values = [term.value for terms in found.terms for term in terms]
        low, high = min(0.0, *values), max(1e-9, *values)
        left, right = now.px(WORDS), self.width() - now.px(NUMBER)
        scale = (right - left) / (high - low)
        zero = left - low * scale

        def bar(row: QRectF, value: float) -> QRectF:
            place = QRectF(zero, row.top() + GAP, value * scale, row.height() - 2 * GAP)
            return place.normalized()

        for place, (row, (before, term)) in enumerate(zip(rows, found.terms, strict=True)):
            if not row.intersects(self.exposed):
                continue
            if place == self.hovered and term.part is not None:
                sketch.fill(row, "raised")
            is_gray, is_off = term.kind == "unexplained", found.is_off(term)
            fill = now.color("muted") if is_gray else now.series(UP if term.value > 0 else DOWN)
            sketch.fill(bar(row, term.value), fill)
            if found.is_changed:
                sketch.frame(bar(row, before.value).adjusted(0, -1, 0, 1), "muted", 1.5, 0)
            ink = "accent" if place == self.marked else "muted" if is_gray or is_off else "text"
            name = row.adjusted(0, 0, now.px(WORDS - 8) - row.width(), 0)
            sketch.text(name, term.name, ink, RIGHT, cut=True)
            number = row.adjusted(row.width() - now.px(NUMBER - 6), 0, 0, 0)
            sketch.text(number, text.OFF if is_off else format_fixed(term.value), align=LEFT)
        sketch.line(QPointF(zero, 0), QPointF(zero, rows[-1].bottom()), "outline")

    def told(self, thing: int) -> str:
        return text.term_tip(self.scene, thing) if self.scene is not None else ""

    def minimumSizeHint(self) -> QSize:
        now, lines = theme.current(), len(self.scene.found.terms) if self.scene is not None else 1
        return QSize(now.px(NARROWEST), now.px(LINE) * lines)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        if event.button() == Qt.MouseButton.RightButton and self.hovered != NONE:
            self.opened.emit(self.hovered)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if arrow(event) == (0, 1) and self.hovered != NONE:
            self.opened.emit(self.hovered)
        else:
            super().keyPressEvent(event)
