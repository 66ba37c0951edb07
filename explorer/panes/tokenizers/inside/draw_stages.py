"""Draws the text after each stage, with lines from each part to the parts it has become."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize
from PySide6.QtGui import QMouseEvent, QPainter

from explorer import theme
from explorer.panes.tokenizers.draw_piece import draw_piece
from explorer.panes.tokenizers.encoding.compute import STAGES, ExplainedText
from explorer.panes.tokenizers.inside.scene import SPELLED, Part, Row, Span, rows_of
from explorer.widgets.base import LEFT, Picture
from explorer.widgets.sketch import FAINT, Sketch

ROW, BOX, NAMES, PAD, GAP = 33, 22, 104, 6, 4  # px


class StagesPicture(Picture):
    """The picture; call `set_inside(inside)`, then `set_stage(stage)`."""

    def __init__(self) -> None:
        super().__init__("The stages of the text")
        self.setObjectName("tokenizers.inside.stages")
        self.rows: list[Row] = []
        self._inside: ExplainedText | None = None
        self._stage, self._word = len(STAGES) - 1, -1
        self._hover: Span | None = None
        self.setMouseTracking(True)

    def set_inside(self, inside: ExplainedText | None) -> None:
        self._inside, self._hover = inside, None
        self._lay_out()
        self.data_changed()

    def set_stage(self, stage: int, word: int = -1) -> None:
        """Fades the rows of later stages and marks the part at index `word`; -1 for none."""
        if (stage, word) != (self._stage, self._word):
            self._stage, self._word = stage, word
            self.data_changed()

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns the spans of each row's parts."""
        return {
            row.name: np.array([part.span for part in row.parts], dtype=np.int64).reshape(-1, 2)
            for row in self.rows
        }

    # geometry

    def _lay_out(self) -> None:
        now = theme.current()
        advance, pad = now.metrics(12, mono=True).horizontalAdvance, 2 * now.px(PAD)
        self.rows = []
        if self._inside is not None:
            self.rows = rows_of(self._inside, lambda text: advance(text) + pad, now.px(GAP))
        self.updateGeometry()
        self.setMinimumSize(self.sizeHint())

    def sizeHint(self) -> QSize:
        now = theme.current()
        right = max((part.left + part.width for row in self.rows for part in row.parts), default=0)
        high = now.px(ROW) * max(1, len(self.rows))
        return QSize(round(now.px(NAMES) + right + now.px(8)), high)

    def box(self, row: int, part: Part) -> QRectF:
        now = theme.current()
        top = row * now.px(ROW) + (now.px(ROW) - now.px(BOX)) / 2
        return QRectF(now.px(NAMES) + part.left, top, part.width, now.px(BOX))

    # drawing

    def draw(self, painter: QPainter) -> None:
        sketch = Sketch(painter)
        for place, row in enumerate(self.rows):
            is_coming = row.name in STAGES and STAGES.index(row.name) > self._stage
            with sketch.faint(is_coming, FAINT):
                if place:
                    self._draw_lines(sketch, place)
                self._draw_row(sketch, place)

    def _draw_lines(self, sketch: Sketch, place: int) -> None:
        """Draws lines from each part to the parts of the row above that share its bytes."""
        for part in self.rows[place].parts:
            lit, below = self._is_lit(part), self.box(place, part)
            for other in self.rows[place - 1].parts:
                if not other.comes_from(part.span):
                    continue
                above, x = self.box(place - 1, other), below.center().x()
                start = QPointF(min(max(x, above.left() + 3), above.right() - 3), above.bottom())
                ink, width = ("accent", 2) if lit else ("outline", 1)
                sketch.line(start, QPointF(x, below.top()), ink, width)

    def _draw_row(self, sketch: Sketch, place: int) -> None:
        now, row = theme.current(), self.rows[place]
        current, spelled = row.name == STAGES[self._stage], row.name in SPELLED
        words = QRectF(0, place * now.px(ROW), now.px(NAMES) - 8, now.px(ROW))
        ink, weight = ("accent", 600) if current else ("muted", 400)
        sketch.text(words, row.name, ink, LEFT, weight=weight)
        for index, part in enumerate(row.parts):
            is_worked_on = row.name == "pre-tokenizer" and index == self._word
            marked = is_worked_on or self._is_lit(part)
            draw_piece(
                sketch.painter,
                self.box(place, part),
                part.text,
                part.data,
                fill="ink" if spelled else "surface",
                pen="accent" if marked else "" if spelled else "outline",
                width=2 if marked else 1,
            )

    def _is_lit(self, part: Part) -> bool:
        """Returns True if the hovered part comes from some of the same bytes."""
        return self._hover is not None and part.comes_from(self._hover)

    # mouse

    def part_at(self, point: QPointF) -> tuple[Row, Part] | None:
        place = int(point.y() // theme.current().px(ROW))
        if 0 <= place < len(self.rows):
            for part in self.rows[place].parts:
                if self.box(place, part).contains(point):
                    return self.rows[place], part
        return None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self.part_at(event.position())
        self._set_hover(found[1].span if found is not None else None)

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hover(None)

    def _set_hover(self, span: Span | None) -> None:
        if span != self._hover:
            self._hover = span
            self.update()

    def said_at(self, point: QPointF) -> str:
        """Returns the tooltip: the part at a point and the bytes of the text it comes from."""
        if (found := self.part_at(point)) is None:
            return ""
        row, part = found
        start, end = part.span
        where = f"bytes {start} to {end}" if start < end else "stands for no character of the text"
        return f"{row.name}: {part.text}\n{where}"

    def on_theme_changed(self) -> None:
        self._lay_out()
        super().on_theme_changed()
