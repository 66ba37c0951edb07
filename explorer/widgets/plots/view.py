"""The pyqtgraph side of a line plot: a scene with two axes, lines, dots and two rules.

Importing this module imports pyqtgraph (0.25 s), so the first plot does it.
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
MANY = 160  # points above which wide strokes would cost milliseconds
_OVER = (-2.0, -4.0, 4.0, 4.0)  # a line at the edge of the axes keeps its full width


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
    """An axis with given ticks; the numbers at its ends may extend a little beyond it."""

    def __init__(self, side: str, box: _Box) -> None:
        super().__init__(side)
        self.enableAutoSIPrefix(False)
        self.setStyle(autoExpandTextSpace=False, hideOverlappingLabels=False)
        self._specs: tuple | None = None
        self.linkToView(box)

    def boundingRect(self) -> QRectF:
        return super().boundingRect().adjusted(-24, -8, 24, 8)

    def paint(self, p: QPainter, option: object, widget: QWidget | None = None) -> None:
        """Draws the specs directly: playing pyqtgraph's QPicture takes twice as long."""
        if self.picture is None:  # pyqtgraph's sign of a change
            self.picture = QPicture()
            if self.style["tickFont"]:
                p.setFont(self.style["tickFont"])
            self._specs = self.generateDrawSpecs(p)
        if self._specs is not None:
            self.drawPicture(p, *self._specs)

    def generateDrawSpecs(self, p: QPainter) -> tuple | None:
        """Returns specs with an axis line as long as the plot: pyqtgraph's is longer."""
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
    """A line that stays fast when wide, and is equally wide on screens of any density.

    Qt takes 400 ms for a zigzag of 1,000 peaks with a 2 px pen, and 2 ms with a pen of one device
    pixel: a wide line is drawn as thin ones side by side.
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
            if pen.color().alpha() == 255:  # a translucent line would darken with every stroke
                p.setWorldTransform(place * QTransform.fromTranslate(0, move))
                p.drawPath(path)
        p.setWorldTransform(place)


class _Rule(pg.InfiniteLine):
    """A vertical line, equally wide on screens of any density."""

    def paint(self, p: QPainter, *args: object) -> None:
        thin, self.currentPen = self.currentPen, _cosmetic(self.currentPen, _ratio(p))
        super().paint(p, *args)
        self.currentPen = thin


class _Words(QGraphicsItem):
    """All text over the lines; `draw` paints it in the widget's pixels."""

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
    """The scene, which fills its parent. `prepare` is called before each paint."""

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
        """Applies the current theme's pens and fonts, which takes a good part of a frame."""
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
        """Places the axes around `rect` (in the widget's pixels) and sets their ranges."""
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
        """Moves the rules of the player and of the pointer; None hides one."""
        for rule, x in ((self._cursor, cursor), (self._rule, hover)):
            rule.setVisible(x is not None)
            if x is not None:
                rule.setValue(x)

    def pixel(self, x: float, y: float) -> QPointF:
        """Returns the widget position of a point in view coordinates."""
        return self._box.mapViewToScene(QPointF(x, y))

    def write(self) -> None:
        """Repaints the text."""
        self._words.update()


def _cosmetic(pen: QPen, ratio: float = 1.0) -> QPen:
    """Returns a pen whose width is independent of the axes' scale, in pixels `ratio` as dense."""
    pen = QPen(pen)
    pen.setCosmetic(True)
    pen.setWidthF(pen.widthF() * ratio)
    return pen


def _ratio(painter: QPainter) -> float:
    """Returns the device pixels per pixel of the view while an item is painted."""
    world = abs(painter.worldTransform().determinant())
    return round(sqrt(abs(painter.deviceTransform().determinant()) / world), 3) if world else 1.0
