"""The text after each stage, one row a stage: what comes from the same characters is one below
the other, and lines lead from each part to what became of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Signal
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from core.tokenization.byte_level import to_characters
from core.tokenization.sentencepiece.normalizer import SPACE
from core.tokenization.tokenizer import Stage
from explorer import theme
from explorer.panes.tokenizers.draw_piece import draw_piece
from explorer.panes.tokenizers.encoding.compute import STAGES, ExplainedText
from explorer.panes.tokenizers.pieces import SymbolFace, face_of
from explorer.widgets.base import LEFT, Picture, put_text
from explorer.widgets.tokens import SIGNS

ROW, BOX, NAMES, PAD, GAP = 33, 22, 104, 6, 4  # px
FAINT = 0.35
SPELLED = ("model", "post-processor")  # their parts are pieces, each in its color
Span = tuple[int, int]


@dataclass(frozen=True)
class Part:
    """A part of a row: its words, its own bytes, where it comes from in the text, its place."""

    text: str
    data: bytes
    span: Span
    left: float
    width: float


class StagesPicture(Picture):
    """`set_inside(inside)`, then `set_stage(stage)`; `spanHovered(start, end)` in bytes."""

    spanHovered = Signal(int, int)

    def __init__(self, name: str = "The stages of the text", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._inside: ExplainedText | None = None
        self._stage = len(STAGES) - 1
        self._word = -1
        self._rows: list[tuple[str, list[Part]]] = []
        self._hover: Span | None = None
        self.setMouseTracking(True)

    def set_inside(self, inside: ExplainedText | None) -> None:
        self._inside, self._hover = inside, None
        self._lay_out()
        self.data_changed()

    def set_stage(self, stage: int, word: int = -1) -> None:
        """Rows behind this stage are still to come; `word` is the part that is worked on."""
        if (stage, word) != (self._stage, self._word):
            self._stage, self._word = stage, word
            self.data_changed()

    def _is_there(self, row: int) -> bool:
        name = self._rows[row][0]
        return name not in STAGES or STAGES.index(name) <= self._stage

    @property
    def current(self) -> str:
        """The name of the row that is made now."""
        return STAGES[self._stage]

    def displayed(self) -> dict[str, np.ndarray]:
        """The spans of each row's parts."""
        return {
            name: np.array([part.span for part in parts], dtype=np.int64).reshape(-1, 2)
            for name, parts in self._rows
        }

    # geometry

    def _lay_out(self) -> None:
        """Every byte of the text has a place; it is as far right as the widest parts before it."""
        now = theme.current()
        self._rows = []
        if self._inside is None:
            return
        data = self._inside.text.encode()
        size = len(data)
        rows = [("text", [(face_of_text(self._inside.text), (0, size))])]
        rows += [
            (
                stage.name,
                [
                    (shown(self._inside.kind, stage.name, part, data[slice(*span)]), span)
                    for part, span in parts_of(stage)
                ],
            )
            for stage in self._inside.stages
        ]
        metrics = now.metrics(12, mono=True)
        pad, gap = now.px(PAD), now.px(GAP)

        def wide(text: str) -> float:
            return metrics.horizontalAdvance(text) + 2 * pad

        parts = [one for _, row in rows for one in row if one[1][0] < one[1][1]]
        ending: dict[int, list[tuple[int, float]]] = {}
        for face, (start, end) in parts:
            ending.setdefault(min(end, size), []).append((start, wide(face.text) + gap))
        edges = [0.0] * (size + 1)
        for place in range(1, size + 1):
            least = [edges[start] + width for start, width in ending.get(place, ())]
            edges[place] = max([edges[place - 1], *least])
        first = max((self._added(row, wide, gap, before=True) for _, row in rows), default=0.0)
        for name, row in rows:
            left, laid, end_of_row = 0.0, [], first + edges[size]
            for face, (start, end) in row:
                if start < end:
                    at, width = first + edges[start], edges[min(end, size)] - edges[start] - gap
                else:  # what no character of the text stands for
                    width = wide(face.text)
                    at = left if end == 0 else max(end_of_row, left)
                laid.append(Part(face.text, face.data, (start, end), at, width))
                left = max(left, at + width + gap)
            self._rows.append((name, laid))
        self.updateGeometry()
        self.setMinimumSize(self.sizeHint())

    @staticmethod
    def _added(row, wide, gap: float, before: bool) -> float:
        """The room for what was put before the text."""
        return sum(wide(face.text) + gap for face, (start, end) in row if start == end == 0)

    def sizeHint(self) -> QSize:
        now = theme.current()
        right = max((part.left + part.width for _, row in self._rows for part in row), default=0)
        return QSize(
            round(now.px(NAMES) + right + now.px(8)), now.px(ROW) * max(1, len(self._rows))
        )

    def box(self, row: int, part: Part) -> QRectF:
        now = theme.current()
        top = row * now.px(ROW) + (now.px(ROW) - now.px(BOX)) / 2
        return QRectF(now.px(NAMES) + part.left, top, part.width, now.px(BOX))

    # drawing

    def draw(self, painter: QPainter) -> None:
        for row in range(len(self._rows)):
            painter.setOpacity(1.0 if self._is_there(row) else FAINT)
            if row:
                self._draw_lines(painter, row)
            self._draw_row(painter, row)
        painter.setOpacity(1.0)

    def _draw_lines(self, painter: QPainter, row: int) -> None:
        """From each part to the parts of the row above that it has bytes of."""
        now = theme.current()
        for part in self._rows[row][1]:
            below = self.box(row, part)
            for other in self._rows[row - 1][1]:
                if not overlap(part.span, other.span):
                    continue
                above = self.box(row - 1, other)
                lit = self._hover is not None and overlap(part.span, self._hover)
                painter.setPen(now.pen("accent" if lit else "outline", 2 if lit else 1))
                x = below.center().x()
                x = min(max(x, above.left() + 3), above.right() - 3)
                painter.drawLine(
                    QPointF(x, above.bottom()), QPointF(below.center().x(), below.top())
                )

    def _draw_row(self, painter: QPainter, row: int) -> None:
        now = theme.current()
        name, parts = self._rows[row]
        current = name == self.current
        font = now.font("label", 600 if current else 400)
        words = QRectF(0, row * now.px(ROW), now.px(NAMES) - 8, now.px(ROW))
        put_text(painter, words, name, font, now.color("accent" if current else "muted"), LEFT)
        for place, part in enumerate(parts):
            box = self.box(row, part)
            colored = name in SPELLED
            marked = (self._hover is not None and overlap(part.span, self._hover)) or (
                name == "pre-tokenizer" and place == self._word
            )
            draw_piece(
                painter,
                box,
                part.text,
                part.data,
                fill="ink" if colored else "surface",
                pen="accent" if marked else "" if colored else "outline",
                width=2 if marked else 1,
            )

    # hovering

    def part_at(self, point: QPointF) -> tuple[int, Part] | None:
        row = int(point.y() // theme.current().px(ROW))
        if 0 <= row < len(self._rows):
            for part in self._rows[row][1]:
                if self.box(row, part).contains(point):
                    return row, part
        return None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self.part_at(event.position())
        self.set_hover(found[1].span if found is not None else None)

    def leaveEvent(self, event: QEvent) -> None:
        self.set_hover(None)

    def set_hover(self, span: Span | None) -> None:
        if span != self._hover:
            self._hover = span
            self.spanHovered.emit(*(span or (-1, -1)))
            self.update()

    def said_at(self, point: QPointF) -> str:
        found = self.part_at(point)
        return self.describe(*found) if found else ""

    def describe(self, row: int, part: Part) -> str:
        start, end = part.span
        where = f"bytes {start} to {end}" if start < end else "stands for no character of the text"
        return f"{self._rows[row][0]}: {part.text}\n{where}"

    def on_theme_changed(self) -> None:
        self._lay_out()
        super().on_theme_changed()


def overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def parts_of(stage: Stage) -> list[tuple[str, Span]]:
    return list(zip(stage.parts, stage.spans, strict=True))


def face_of_text(text: str) -> SymbolFace:
    return SymbolFace(text.translate(SIGNS), text.encode())


def shown(kind: str, stage: str, part: str, data: bytes) -> SymbolFace:
    """A part as people read it; `data` is what it comes from. Where byte characters spell it, it
    is those bytes; else a sign for a space is the open box.
    """
    if kind == "bpe" and part != to_characters(data):
        kind = "sentencepiece-bpe"  # another library's, which spells as that does
    if stage in SPELLED or kind == "bpe":
        face = face_of(kind, part)
    else:
        face = face_of_text(part.replace(SPACE, " "))
    return face if face.text else SymbolFace("\u2205", part.encode())
