"""A table whose first column holds bars; one row can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, Columns
from explorer.widgets.choice_picture import ChoicePicture
from explorer.widgets.sketch import Sketch

HEAD, ROW, LINE = 24, (19, 28), 16  # px: column titles; a row, least and most; a note
NAME, BAR, NUMBER = 0.2, 0.36, 76  # shares of the width; px for the number after a bar
LEAST = 480  # px: the least width
SHORT = 0.08  # the shortest bar, as a share of the longest


@dataclass(frozen=True)
class BarRow:
    """A row: the `number` its bar shows, `cells` for the text after the bar and in the other
    columns, a `note` below the table and `help`, its own tooltip.
    """

    name: str
    number: float
    cells: tuple[str, ...]
    note: str = ""
    help: str = ""

    @property
    def words(self) -> str:
        return f"{self.name} *" if self.note else self.name


class BarTable(ChoicePicture[Sequence[BarRow]]):
    """Emits `picked(row)` on a click or Enter; `help` describes the effect. Bar lengths are
    logarithmic, or with `linear` the numbers themselves, 0 to 1. `bar` is the share of the width
    that bars take, `least` the table's least width in px. `chosen` is the name of a row.
    """

    def __init__(
        self, name: str, titles: Sequence[str], help: str, linear: bool = False, bar: float = BAR,
        least: int = LEAST, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name, parent)
        self._titles, self._help, self._chosen = tuple(titles), help, ""
        self._linear, self._bar, self._least = linear, bar, least

    @property
    def _notes(self) -> list[str]:
        return [f"* {row.name}: {row.note}" for row in self.scene or () if row.note]

    def set_titles(self, titles: Sequence[str]) -> None:
        self._titles = tuple(titles)
        self.data_changed()

    def set_chosen(self, name: str) -> None:
        self._chosen = name
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        rows = self.scene or ()
        table = {title: np.array([row.cells[at] for row in rows])
                 for at, title in enumerate(self._titles)}  # fmt: skip
        names, numbers = ([row.name for row in rows], [row.number for row in rows])
        return Columns({"name": np.array(names), "number": np.array(numbers), **table})

    def told(self, thing: int) -> str:
        row = self.scene[thing] if self.scene is not None else None
        return "" if row is None else f"{row.name}: {row.help or self._help}"

    def rects(self, scene: Sequence[BarRow]) -> list[QRectF]:
        now = theme.current()
        room = self.height() - now.px(HEAD) - now.px(LINE) * len(self._notes) - now.px(8)
        high = min(room / max(len(scene), 1), now.px(ROW[1]))
        return [QRectF(0, now.px(HEAD) + at * high, self.width(), high) for at in range(len(scene))]

    def _columns(self, row: QRectF) -> list[QRectF]:
        """Returns the cells of a row: the bar, right of the longest name, then the others."""
        wide, others, metrics = row.width(), len(self._titles) - 1, theme.current().metrics
        advance = metrics("body", 600).horizontalAdvance
        longest = max((advance(one.words) for one in self.scene or ()), default=0)
        left = max(NAME * wide, longest)
        bar = QRectF(left, row.top(), (NAME + self._bar) * wide - left, row.height())
        rest = (1 - NAME - self._bar) * wide / max(others, 1)
        return [bar, *(QRectF(bar.right() + at * rest, row.top(), rest, row.height())
                       for at in range(others))]  # fmt: skip

    def draw_scene(self, painter: QPainter, scene: Sequence[BarRow]) -> None:
        sketch, now = Sketch(painter), theme.current()
        head = QRectF(0, 0, self.width(), now.px(HEAD))
        for at, (place, title) in enumerate(zip(self._columns(head), self._titles, strict=True)):
            sketch.text(place.adjusted(now.px(12), 0, 0, 0), title, align=RIGHT if at else LEFT)
        sketch.line(head.bottomLeft(), head.bottomRight(), "divider")
        rects = self.rects(scene)
        for at, (place, row) in enumerate(zip(rects, scene, strict=True)):
            if row.name == self._chosen or at == self.hovered:
                sketch.fill(place, "selected" if row.name == self._chosen else "raised")
            self._draw_row(sketch, place, row)
        foot = max((place.bottom() for place in rects), default=head.bottom()) + now.px(6)
        for at, note in enumerate(self._notes):
            line = QRectF(4, foot + at * now.px(LINE), self.width(), now.px(LINE))
            sketch.text(line, note, align=LEFT, cut=True)

    def _draw_row(self, sketch: Sketch, place: QRectF, row: BarRow) -> None:
        now, (first, *others) = sketch.now, self._columns(place)
        name = QRectF(place.left(), place.top(), first.left(), place.height())
        sketch.text(name, row.words, "text", RIGHT, "body", 600)
        share = row.number
        if not self._linear:
            logs = np.log([one.number for one in self.scene or ()])
            share = SHORT + (1 - SHORT) * (np.log(row.number) - logs.min()) / (np.ptp(logs) or 1.0)
        long = max((first.width() - now.px(12 + NUMBER)) * float(share), 1.0)
        bar = QRectF(first.left() + now.px(12), place.top() + 3, long, place.height() - 6)
        sketch.fill(bar, now.series(0))
        told = QRectF(bar.right() + 6, place.top(), now.px(NUMBER), place.height())
        sketch.text(told, row.cells[0], "text", LEFT, "body")
        for column, words in zip(others, row.cells[1:], strict=True):
            sketch.text(column, words, "text", RIGHT, "body", cut=True)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        rows = now.px(ROW[0]) * len(self.scene or ()) + now.px(LINE) * len(self._notes)
        return QSize(now.px(self._least), now.px(HEAD + 8) + rows)
