"""The pyqtgraph side of a line plot: a scene with two axes, lines, dots and two rules.

Importing this module brings pyqtgraph (a quarter of a second), so the first plot imports it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, sqrt

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen, QPicture, QTransform
from PySide6.QtWidgets import QGraphicsItem, QWidget

from explorer import theme
from explorer.widgets.plots.data import Line

Ticks = list[tuple[float, str]]
DOT = 6.0  # px
MANY = 160  # points from which on wide strokes would cost milliseconds
_OVER = (-2.0, -4.0, 4.0, 4.0)  # a line on the edge of the axes keeps its whole width


class _Box(pg.ViewBox):
    """The area inside the axes: no mouse, no menu, no range of its own."""

    def __init__(self) -> None:
        super().__init__(enableMouse=False, enableMenu=False, defaultPadding=0)
        self.disableAutoRange()

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(self.boundingRect().adjusted(*_OVER))
        return path


class _Axis(pg.AxisItem):
    """An axis with given ticks; the numbers at its ends may stand a little outside."""

    def __init__(self, side: str, box: _Box) -> None:
        super().__init__(side)
        self.enableAutoSIPrefix(False)
        self.setStyle(autoExpandTextSpace=False, hideOverlappingLabels=False)
        self._specs: tuple | None = None
        self.linkToView(box)

    def boundingRect(self) -> QRectF:
        return super().boundingRect().adjusted(-24, -8, 24, 8)

    def paint(self, p: QPainter, option: object, widget: QWidget | None = None) -> None:
        """Straight from what is to be drawn: to play pyqtgraph's QPicture takes twice as long."""
        if self.picture is None:  # pyqtgraph's sign that something has changed
            self.picture = QPicture()
            if self.style["tickFont"]:
                p.setFont(self.style["tickFont"])
            self._specs = self.generateDrawSpecs(p)
        if self._specs is not None:
            self.drawPicture(p, *self._specs)

    def generateDrawSpecs(self, p: QPainter) -> tuple | None:
        """The axis line as long as the plot, on its edge: pyqtgraph lets it cross the other one."""
        specs = super().generateDrawSpecs(p)
        if specs is None:
            return None
        (pen, _, _), ticks, texts = specs
        edge = self.mapRectFromParent(self.geometry())
        if self.orientation == "left":
            right = edge.right() - 1
            line = (pen, QPointF(right, edge.top()), QPointF(right, edge.bottom()))
        else:
            line = (pen, edge.topLeft(), edge.topRight())
        return line, ticks, texts


class _Curve(pg.PlotCurveItem):
    """A line that stays fast when it is wide, and as wide on a dense screen as on any other.

    Qt takes 400 ms for a zigzag of 1,000 peaks with a 2 px pen, and 2 ms with one of a single
    device pixel: such a line is thin ones side by side.
    """

    def paint(self, p: QPainter, opt: object, widget: QWidget | None = None) -> None:
        if self.xData is None or not len(self.xData):
            return
        p.setRenderHint(QPainter.RenderHint.Antialiasing)
        ratio = _ratio(p)
        pen = _cosmetic(self.opts["pen"], ratio)
        wide = pen.widthF()
        if len(self.xData) < MANY or wide <= 1:
            p.setPen(pen)
            p.drawPath(self.getPath())
            return
        if pen.style() == Qt.PenStyle.CustomDashLine:
            pen.setDashPattern([wide * dash for dash in pen.dashPattern()])
        pen.setWidthF(1)
        p.setPen(pen)
        path, place = self.getPath(), p.worldTransform()
        for move in (np.arange(ceil(wide)) - (ceil(wide) - 1) / 2) / ratio:
            p.setWorldTransform(place * QTransform.fromTranslate(move, 0))
            p.drawPath(path)
            if pen.color().alpha() == 255:  # a faint line would grow darker with every stroke
                p.setWorldTransform(place * QTransform.fromTranslate(0, move))
                p.drawPath(path)
        p.setWorldTransform(place)


class _Rule(pg.InfiniteLine):
    """A vertical line, as wide on a dense screen as on any other."""

    def paint(self, p: QPainter, *args: object) -> None:
        thin, self.currentPen = self.currentPen, _cosmetic(self.currentPen, _ratio(p))
        super().paint(p, *args)
        self.currentPen = thin


class _Words(QGraphicsItem):
    """Everything written over the lines; `draw` paints it in the widget's pixels."""

    def __init__(self, draw: Callable[[QPainter], None]) -> None:
        super().__init__()
        self._draw = draw
        self._rect = QRectF()

    def set_rect(self, rect: QRectF) -> None:
        if rect != self._rect:
            self.prepareGeometryChange()
            self._rect = rect
        self.update()

    def boundingRect(self) -> QRectF:
        return self._rect

    def paint(self, painter: QPainter, option: object, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw(painter)


class PlotView(pg.GraphicsView):
    """The scene, filling its parent. `prepare` is called before it is painted."""

    def __init__(
        self, parent: QWidget, prepare: Callable[[], None], draw: Callable[[QPainter], None]
    ) -> None:
        super().__init__(parent, background=None)
        self.setAntialiasing(True)
        self.setCacheMode(self.CacheModeFlag(0))  # a cached background would not be transparent
        self.viewport().setAutoFillBackground(False)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._look: tuple[str, float] | None = None
        self._box = _Box()
        self._left, self._bottom = _Axis("left", self._box), _Axis("bottom", self._box)
        self._curves: list[_Curve] = []
        self._dots = pg.ScatterPlotItem(size=DOT, pen=None, useCache=False, antialias=True)
        self._cursor, self._rule = _Rule(), _Rule()
        self._words = _Words(draw)
        for axis in (self._left, self._bottom):
            axis.setZValue(-1000)
            self.addItem(axis)
        self.addItem(self._box)
        self.addItem(self._words)
        self._dots.setZValue(10)
        self._box.addItem(self._dots, ignoreBounds=True)
        for rule in (self._cursor, self._rule):
            rule.setZValue(20)
            rule.hide()
            self._box.addItem(rule, ignoreBounds=True)
        self.scene().sigPrepareForPaint.connect(prepare)

    def restyle(self) -> None:
        """Pens and fonts of the theme in force; they cost a good part of a frame to set."""
        now = theme.current()
        look = (now.name, now.zoom)
        if look == self._look:
            return
        self._look = look
        self._left.setGrid(255)  # the ticks of the left axis are the grid
        self._left.setStyle(tickLength=0, tickAlpha=theme.GRID_OPACITY, tickTextOffset=now.px(6))
        self._bottom.setStyle(tickLength=4, tickTextOffset=now.px(2))
        self._left.setTickPen(now.pen("text"))
        for axis in (self._left, self._bottom):
            axis.setPen(now.pen("outline"))
            axis.setTextPen(now.pen("muted"))
            axis.setTickFont(now.font("label"))
        self._cursor.setPen(_cosmetic(now.pen("text", 1.5)))
        self._rule.setPen(_cosmetic(now.pen("outline")))

    def place(self, rect: QRectF, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Puts the axes round `rect` (the widget's pixels) and gives them their ranges."""
        whole = QRectF(0, 0, self.width(), self.height())
        self._left.setWidth(rect.left() + 1)
        self._left.setGeometry(QRectF(0, rect.top(), rect.left() + 1, rect.height()))
        below = whole.bottom() - rect.bottom()
        self._bottom.setHeight(below)
        self._bottom.setGeometry(QRectF(rect.left(), rect.bottom(), rect.width(), below))
        self._box.setGeometry(rect)
        self._box.setRange(xRange=x, yRange=y, padding=0)
        self._box.updateMatrix()
        self._words.set_rect(whole)

    def set_ticks(self, x: Ticks, y: Ticks) -> None:
        self._bottom.setTicks([x])
        self._left.setTicks([y])

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Draws these lines, the first one lowest."""
        while len(self._curves) > len(lines):
            self._box.removeItem(self._curves.pop())
        while len(self._curves) < len(lines):
            curve = _Curve(connect="finite")
            curve.setZValue(len(self._curves) / 1000)
            self._box.addItem(curve, ignoreBounds=True)
            self._curves.append(curve)
        for curve, line in zip(self._curves, lines, strict=True):
            curve.setData(line.x, line.y, pen=_cosmetic(line.pen))
        dotted = [line for line in lines if line.dots.size]
        self._dots.setData(
            x=np.concatenate([line.x[line.dots] for line in dotted] or [np.empty(0)]),
            y=np.concatenate([line.y[line.dots] for line in dotted] or [np.empty(0)]),
            brush=[line.pen.color() for line in dotted for _ in line.dots],
        )

    def set_rules(self, cursor: float | None, hover: float | None) -> None:
        """Where the transport stands and where the pointer is; None hides the rule."""
        for rule, x in ((self._cursor, cursor), (self._rule, hover)):
            rule.setVisible(x is not None)
            if x is not None:
                rule.setValue(x)

    def pixel(self, x: float, y: float) -> QPointF:
        """Where a point of the view's coordinates lies in the widget."""
        return self._box.mapViewToScene(QPointF(x, y))

    def write(self) -> None:
        """Paints the words again."""
        self._words.update()


def _cosmetic(pen: QPen, ratio: float = 1.0) -> QPen:
    """The same pen, as wide on the screen whatever the axes' scale, in pixels `ratio` as dense."""
    pen = QPen(pen)
    pen.setCosmetic(True)
    pen.setWidthF(pen.widthF() * ratio)
    return pen


def _ratio(painter: QPainter) -> float:
    """Device pixels per pixel of the view, while an item is painted."""
    world = abs(painter.worldTransform().determinant())
    return round(sqrt(abs(painter.deviceTransform().determinant()) / world), 3) if world else 1.0
