"""The methods with what each takes: a click chooses one to train, or drops it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QPainter

from core.numbers import format_count, format_duration
from explorer import theme
from explorer.panes.finetuning.tune import text
from explorer.panes.finetuning.tune.scene import MethodRow
from explorer.widgets.base import LEFT, RIGHT, Columns
from explorer.widgets.choice_picture import ChoicePicture
from explorer.widgets.sketch import Sketch

HEAD, ROW, BOX, TIME = 16, 24, 14, 56  # px


def ink_of(color: int) -> QColor:
    """Of a method, wherever it is drawn."""
    now, series = theme.current(), text.color_of(color)
    return now.series(series) if isinstance(series, int) else now.color(series)


class MethodList(ChoicePicture[Sequence[MethodRow]]):
    """`picked(row)`: to be trained, or no longer."""

    NAME = "What learns"

    def rects(self, scene: Sequence[MethodRow]) -> list[QRectF]:
        now = theme.current()
        head, high = now.px(HEAD), now.px(ROW)
        return [QRectF(0, head + at * high, self.width(), high) for at in range(len(scene))]

    def told(self, thing: int) -> str:
        return text.row_tip(self.scene[thing]) if self.scene is not None else ""

    def draw_scene(self, painter: QPainter, scene: Sequence[MethodRow]) -> None:
        sketch, now = Sketch(painter), theme.current()
        time = now.px(TIME)
        head = QRectF(0, 0, self.width(), now.px(HEAD))
        sketch.text(head, "Method", align=LEFT)
        sketch.text(head.adjusted(0, 0, -time, 0), text.LEARNS, align=RIGHT)
        sketch.text(head, text.TAKES, align=RIGHT)
        for at, (row, place) in enumerate(zip(scene, self.rects(scene), strict=True)):
            if at == self.hovered:
                sketch.fill(place, "raised")
            self._draw_box(sketch, place, row)
            ink = "muted" if row.error else "text"
            name = place.adjusted(now.px(BOX + 8), 0, 0, 0)
            sketch.text(name, text.TITLES[row.method], ink, LEFT, "body", 600 * row.chosen or 400)
            if not row.error:
                learns = place.adjusted(0, 0, -time, 0)
                sketch.text(learns, format_count(row.trainable), ink, RIGHT, "body")
                sketch.text(place, format_duration(row.seconds), ink, RIGHT, "body")
            else:
                sketch.text(place, "not here", ink, RIGHT, "body")

    def _draw_box(self, sketch: Sketch, place: QRectF, row: MethodRow) -> None:
        """A box in the method's color: full where it is chosen, with a check."""
        side, ink = sketch.now.px(BOX), ink_of(row.color)
        box = QRectF(1, place.center().y() - side / 2, side, side)
        if row.chosen:
            sketch.fill(box, ink)
            points = [QPointF(box.x() + x * side, box.y() + y * side)
                      for x, y in ((0.22, 0.52), (0.43, 0.73), (0.8, 0.28))]  # fmt: skip
            for start, end in pairwise(points):
                sketch.line(start, end, "surface", 2)
        else:
            sketch.frame(box, ink, 1.5, 2)

    def displayed(self) -> dict[str, np.ndarray]:
        rows = self.scene or ()
        names = ("method", "chosen", "trainable", "share", "bytes_peak", "bytes_saved", "seconds")
        return Columns({name: np.array([getattr(row, name) for row in rows]) for name in names})

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(160), now.px(HEAD) + len(text.TITLES) * now.px(ROW))
