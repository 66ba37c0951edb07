"""Histograms of each layer: its activations and its gradients."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_number, format_percent, format_short
from core.optimization.statistics import Histogram, LayerStatistics
from explorer import theme
from explorer.widgets.base import LEFT, Picture
from explorer.widgets.sketch import Sketch

ROWS = ("activations", "gradients")
SIZES = ("spread \u03c3", "rms size")
SIGNS = ("\u03c3", "rms")
SIGN = "\u26a0"  # marks a layer with an almost vanished gradient
SPIKE = 4.0  # px: least width of a histogram
TINY = 1e-3  # share of the largest gradient below which a layer's has almost vanished


def size_text(value: float, row: int, width: float) -> str:
    """Returns the number below a histogram as precisely as it fits. If there is no room for
    numbers, returns "": the tooltip has them.
    """
    now = theme.current()
    metrics, room = now.metrics("label"), width - now.px(4)
    if metrics.horizontalAdvance("0.00") > room:  # numbers for only some would mislead
        return ""
    texts = [
        f"{SIGNS[row]} {format_number(value)}",
        format_number(value, 2),
        *(format_short(value, letters) for letters in (5, 4)),
    ]
    return next((text for text in texts if metrics.horizontalAdvance(text) <= room), "")


class Histograms(Picture):
    """Two rows of histograms, activations and gradients, with a column for each layer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Activations and gradients by layer", parent)
        self._layers: tuple[LayerStatistics, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_layers(self, layers: tuple[LayerStatistics, ...]) -> None:
        self._layers = layers
        self.setAccessibleDescription(self.describe())
        self.data_changed()

    def describe(self) -> str:
        return ", ".join(
            f"{self._title(column)}: gradient size {format_number(layer.gradients.size)}"
            for column, layer in enumerate(self._layers)
        )

    def displayed(self) -> dict[str, np.ndarray]:
        shown: dict[str, np.ndarray] = {}
        for layer in self._layers:
            for row in ROWS:
                histogram: Histogram = getattr(layer, row)
                middle = (histogram.edges[:-1] + histogram.edges[1:]) / 2
                shown[f"{layer.name} {row}"] = np.stack([middle, histogram.counts], 1)
        return shown

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(320), theme.current().px(160))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(200), theme.current().px(96))

    def _title(self, column: int) -> str:
        return "output" if column == len(self._layers) - 1 else f"layer {column + 1}"

    def _cell(self, row: int, column: int) -> QRectF:
        now = theme.current()
        left, head = now.px(64), now.px(15)
        width = (self.width() - left) / max(1, len(self._layers))
        height = (self.height() - head) / 2
        return QRectF(left + column * width, head + row * height, width, height)

    def draw(self, painter: QPainter) -> None:
        sketch, now = Sketch(painter), theme.current()
        if not self._layers:
            sketch.text(QRectF(self.rect()), "No training points", size="body")
            return
        largest = max(layer.gradients.size for layer in self._layers)
        reaches = (None, max(float(layer.gradients.edges[-1]) for layer in self._layers))
        for row, name in enumerate(ROWS):
            cell, each = self._cell(row, 0), now.px(14)
            lines = [name, "same scale", "\u221a counts"] if row else [name, "\u221a counts"]
            room = cell.height() - now.px(16)
            lines = lines[: max(1, int(room // each))]
            top = cell.top() + (room - each * len(lines)) / 2
            for number, line in enumerate(lines):
                sketch.text(QRectF(0, top + each * number, cell.left(), each), line, align=LEFT)
            below = QRectF(0, cell.bottom() - now.px(15), cell.left(), each)
            sketch.text(below, SIZES[row], align=LEFT)
        for column, layer in enumerate(self._layers):
            head = self._cell(0, column)
            head.setRect(head.left(), 0, head.width(), now.px(15))
            brief = "out" if column == len(self._layers) - 1 else str(column + 1)
            sketch.text(head, brief if head.width() < now.px(48) else self._title(column), "text")
            for row, kind in enumerate(ROWS):
                histogram = getattr(layer, kind)
                vanished = row == 1 and histogram.size < TINY * largest
                cell = self._cell(row, column)
                self._draw_cell(sketch, cell, histogram, row, vanished, reaches[row])

    def _draw_cell(
        self,
        sketch: Sketch,
        cell: QRectF,
        histogram: Histogram,
        row: int,
        vanished: bool,
        reach: float | None,
    ) -> None:
        """Draws a histogram. `reach` is the value at the cell's edge; None fits this histogram."""
        now = sketch.now
        area = cell.adjusted(3, 2, -3, -now.px(15))
        counts = np.sqrt(histogram.counts)  # root: one full bin must not hide the others
        share = 1.0 if reach is None else float(histogram.edges[-1]) / reach
        step = max(area.width() * share, SPIKE) / len(counts)
        left, ground = area.center().x() - step * len(counts) / 2, area.bottom()
        tops = (ground - counts / (float(counts.max()) or 1.0) * area.height()).tolist()
        outline = [QPointF(left, ground)]
        for number, top in enumerate(tops):
            x = left + number * step
            outline += [QPointF(x, top), QPointF(x + step, top)]
        outline.append(QPointF(left + step * len(counts), ground))
        fill = QColor(now.series(row))
        fill.setAlphaF(0.75 if area.width() * share > SPIKE else 1.0)
        sketch.painter.setPen(Qt.PenStyle.NoPen)
        sketch.painter.setBrush(fill)
        sketch.painter.drawPolygon(QPolygonF(outline))
        sketch.line(area.bottomLeft(), area.bottomRight(), "divider")
        middle = QPointF(area.center().x(), area.bottom())
        sketch.line(middle, middle + QPointF(0, 3), "divider")
        words = QRectF(cell.left(), area.bottom() + 1, cell.width(), now.px(14))
        text = size_text(histogram.size if row else histogram.std, row, cell.width())
        ink = "warning" if vanished else "muted"
        sketch.text(words, text, ink)
        if vanished:  # above the number
            sketch.text(QRectF(area.left(), area.top(), now.px(12), now.px(14)), SIGN, ink)

    def told(self, row: int, column: int) -> str:
        """Returns the two lines of a cell's tooltip."""
        layer = self._layers[column]
        histogram: Histogram = getattr(layer, ROWS[row])
        mean, spread = format_number(histogram.mean), format_number(histogram.std)
        reach = float(histogram.edges[-1])
        if row:
            what = "dL/da, the gradients of its outputs"
            reach = max(float(one.gradients.edges[-1]) for one in self._layers)
        else:
            what = "the outputs a of its neurons"
        limit = format_number(reach)
        flat = (
            f", {format_percent(layer.saturated)} saturated" if not row and layer.saturated else ""
        )
        return (
            f"{self._title(column)}: {what}, from \u2212{limit} to {limit}\n"
            f"mean {mean}, standard deviation {spread}{flat}"
        )

    def said_at(self, point: QPointF) -> str:
        places = [(row, at) for row in range(len(ROWS)) for at in range(len(self._layers))]
        return next((self.told(*one) for one in places if self._cell(*one).contains(point)), "")
