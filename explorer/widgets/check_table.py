"""A table of things with check boxes and columns of details; a click toggles one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, Columns
from explorer.widgets.choice_picture import ChoicePicture
from explorer.widgets.sketch import Sketch

HEAD, ROW, BOX, GAP = 16, 24, 14, 10  # px
CHECK = ((0.22, 0.52), (0.43, 0.73), (0.8, 0.28))  # relative to the box


@dataclass(frozen=True)
class CheckRow:
    """A row: `color` is a series number or a color role; a non-empty `why` says why it cannot be
    checked and replaces its cells.
    """

    name: str
    color: int | str
    checked: bool
    cells: tuple[str, ...]
    why: str = ""


class CheckTable(ChoicePicture[Sequence[CheckRow]]):
    """Emits `picked(row)` when a row is to be toggled; `tell(row)` returns its tooltip."""

    def __init__(
        self,
        name: str,
        titles: Sequence[str],
        tell: Callable[[int], str],
        parent: QWidget | None = None,
    ) -> None:
        """Creates the table; the first of `titles` is that of the names, the rest of the cells."""
        super().__init__(name, parent)
        self._titles, self._tell = tuple(titles), tell

    def rects(self, scene: Sequence[CheckRow]) -> list[QRectF]:
        now = theme.current()
        head, high = now.px(HEAD), now.px(ROW)
        return [QRectF(0, head + at * high, self.width(), high) for at in range(len(scene))]

    def told(self, thing: int) -> str:
        return self._tell(thing)

    def draw_scene(self, painter: QPainter, scene: Sequence[CheckRow]) -> None:
        sketch, now = Sketch(painter), theme.current()
        head = QRectF(0, 0, self.width(), now.px(HEAD))
        sketch.text(head, self._titles[0], align=LEFT)
        for title, place in zip(self._titles[1:], self._columns(head, scene), strict=True):
            sketch.text(place, title, align=RIGHT)
        for at, (row, place) in enumerate(zip(scene, self.rects(scene), strict=True)):
            if at == self.hovered:
                sketch.fill(place, "raised")
            self._draw_box(sketch, place, row)
            ink, weight = "muted" if row.why else "text", 600 if row.checked else 400
            name = place.adjusted(now.px(BOX + 8), 0, 0, 0)
            sketch.text(name, row.name, ink, LEFT, "body", weight)
            if row.why:
                sketch.text(place, row.why, ink, RIGHT, "body")
            for column, words in zip(self._columns(place, scene), row.cells, strict=False):
                sketch.text(column, words, ink, RIGHT, "body")

    def _columns(self, place: QRectF, scene: Sequence[CheckRow]) -> list[QRectF]:
        """Returns the cells of a row from the right, as wide as the widest text of a column."""
        now, right, cells = theme.current(), place.right(), []
        for at, title in reversed([*enumerate(self._titles[1:])]):
            words = [row.cells[at] for row in scene if at < len(row.cells)]
            widths = [now.metrics("body").horizontalAdvance(one) for one in words]
            wide = max([now.metrics("label").horizontalAdvance(title), *widths]) + now.px(GAP)
            right -= wide
            cells.append(QRectF(right, place.y(), wide, place.height()))
        return cells[::-1]

    def _draw_box(self, sketch: Sketch, place: QRectF, row: CheckRow) -> None:
        """Draws the check box in the row's color, filled if it is checked."""
        side, ink = sketch.now.px(BOX), self._ink(row)
        box = QRectF(1, place.center().y() - side / 2, side, side)
        if not row.checked:
            sketch.frame(box, ink, 1.5, 2)
            return
        sketch.fill(box, ink)
        left, low, right = (QPointF(box.x() + x * side, box.y() + y * side) for x, y in CHECK)
        sketch.line(left, low, "surface", 2)
        sketch.line(low, right, "surface", 2)

    def _ink(self, row: CheckRow) -> QColor:
        now = theme.current()
        return now.series(row.color) if isinstance(row.color, int) else now.color(row.color)

    def displayed(self) -> dict[str, np.ndarray]:
        rows = list(self.scene or ())
        names = {"name": np.array([row.name for row in rows])}
        checked = {"checked": np.array([row.checked for row in rows])}
        cells = {
            title: np.array([row.why or row.cells[at] for row in rows])
            for at, title in enumerate(self._titles[1:])
        }
        return Columns(names | checked | cells)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        now, count = theme.current(), len(self.scene or ())
        return QSize(now.px(200), now.px(HEAD) + count * now.px(ROW))
