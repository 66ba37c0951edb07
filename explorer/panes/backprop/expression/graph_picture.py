"""The graph as a picture: follows the player, pans, zooms, and lets the user drag leaves."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QKeyEvent,
    QMouseEvent,
    QPaintEngine,
    QPainter,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.autograd import NumericGradient
from core.autograd.paths import edges_on_the_way
from explorer import theme
from explorer.panes.backprop.expression.draw_graph import GraphDrawing, Looked
from explorer.panes.backprop.expression.draw_legend import HEIGHT, draw_legend
from explorer.panes.backprop.expression.draw_nodes import badge_box, beginning, node_box
from explorer.panes.backprop.expression.draw_overflow import draw_overflow
from explorer.panes.backprop.expression.edge_routing import NO_ROUTES, Routes, routes_of
from explorer.panes.backprop.expression.hit_testing import (
    NOTHING,
    Hit,
    neighbor,
    next_element,
    node_at,
)
from explorer.panes.backprop.expression.number_table import names_of, numbers_of
from explorer.panes.backprop.expression.scene import Edge, GraphScene, instant_at, subject_at
from explorer.panes.backprop.expression.static_layer import StaticLayer
from explorer.panes.backprop.expression.text import edge_tip, leaf_tip, told
from explorer.panes.backprop.expression.viewport import MARGIN, Camera, fitting, readable, room_in
from explorer.widgets.base import Columns, Picture
from explorer.widgets.typing_pause import TypingPause

GRASP = 5.0  # px beside an edge that count as a hit
WHEEL = 1.15  # zoom factor per notch
PIXELS_TO = 120.0  # px of drag that double a value, or change a small one by 1
_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class GraphPicture(Picture):
    """Shows `set_scene` with `set_position`, `set_choice`, `set_fixed`, `set_numeric`, and
    `set_faint` while the formula is invalid. Signals:

    nodeHovered(node)          -1: none
    nodeClicked(node, element) -1, -1: the background
    leafMoved(name, element, value)   by dragging, the wheel or keys
    leafReleased()             the drag ended, or wheel and keys have paused
    edgeClicked(node, input)   show what flows along this edge
    editRequested(name, element)      edit its value as text
    roomChanged()              the graph needs a layout for `room`
    """

    nodeHovered = Signal(int)
    nodeClicked = Signal(int, int)
    leafMoved = Signal(str, int, float)
    leafReleased = Signal()
    editRequested = Signal(str, int)
    edgeClicked = Signal(int, int)
    roomChanged = Signal()

    def __init__(self, name: str = "Graph of the formula", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.scene: GraphScene | None = None
        self.routes: Routes = NO_ROUTES
        self.camera = Camera()
        self.fits = True  # until the user moves the view, it follows the window's size
        self.chosen: Hit = NOTHING
        self.hovered: Hit = NOTHING
        self.hovered_edge: Edge | None = None
        self._whole = False  # fit all of it, even below the readable scale
        self._covered = 0  # px at the legend's right end that another widget covers
        self._position = 0.0
        self._fixed: frozenset[str] = frozenset()
        self.faint = False
        self._way: frozenset[Edge] = frozenset()  # from the chosen node to the output
        self._numeric: dict[int, NumericGradient] = {}
        self.static_layer = StaticLayer()
        self._drag: tuple[str, QPointF, Hit, float] | None = None
        self._pause = TypingPause(self)
        self._pause.reached.connect(self.leafReleased)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    # content

    def set_scene(self, scene: GraphScene, routes: Routes | None = None) -> None:
        """Shows another graph, or the same one with other values or another layout."""
        known, self.scene = self.scene, scene
        same = known is not None and known.is_of(scene.computed)
        self.routes = routes or routes_of(scene)
        if known is None or not same:
            self.fits, self._whole = True, False
        if known is None or not same or scene.layout != known.layout:
            self.hovered, self.hovered_edge = NOTHING, None
            if self.fits:
                self._fit()
        self.data_changed()

    def set_position(self, position: float) -> None:
        """Sets the player's position and scrolls to the subject of the step."""
        if position == self._position:
            return
        self._position = position
        self._follow()
        self.update()

    def set_choice(self, node: int, element: int = -1) -> None:
        if (node, element) != self.chosen:
            self.chosen = (node, element)
            self._way = frozenset()
            if self.scene is not None and node >= 0:
                self._way = edges_on_the_way(self.scene.computed.graph, node)
                self.setAccessibleDescription(told(self.scene.computed, node))
                self._bring(node_box(self.scene, node))
            self.update()

    def set_fixed(self, names: frozenset[str]) -> None:
        """Sets the leaves that take no gradient step."""
        if names != self._fixed:
            self._fixed = names
            self.update()

    def set_numeric(self, numeric: dict[int, NumericGradient]) -> None:
        """Sets the numeric gradients of the nodes that are checked."""
        if numeric or self._numeric:
            self._numeric = numeric
            self.update()

    def set_faint(self, faint: bool) -> None:
        """Fades the old graph to 45 % while the new formula is invalid."""
        if faint != self.faint:
            self.faint = faint
            self.update()

    def set_covered(self, covered: int) -> None:
        """Sets how many px at the legend's right end are covered by another widget."""
        if covered != self._covered:
            self._covered = covered
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        """Returns a row for each element of each node: its value and gradient."""
        if self.scene is None:
            return {}
        return numbers_of(self.scene.computed, self._instant, self._numeric)

    def as_columns(self) -> Columns:
        if self.scene is None:
            return Columns()
        return Columns({"name": np.array(names_of(self.scene.computed)), **self.displayed()})

    def table_labels(self) -> dict[str, tuple[list[str], list[str]]]:
        names = [] if self.scene is None else names_of(self.scene.computed)
        return {column: (names, []) for column in self.displayed()}

    @property
    def _instant(self):
        assert self.scene is not None
        return instant_at(self.scene.computed, self._position)

    @property
    def about(self) -> int:
        """The node in focus: hovered, else chosen, else changed by the step; -1 for none."""
        if self.scene is None:
            return -1
        for looked in (self.hovered[0], self.chosen[0]):
            if looked >= 0:
                return looked
        return subject_at(self.scene.computed, self._instant.moment)

    # view

    @property
    def room(self) -> tuple[float, float]:
        """The space available to the graph, in the picture's units at scale 1."""
        if self.scene is not None and not self.fits:
            return self.scene.room  # a view that the user moved keeps its layout
        unit = theme.current().zoom
        return room_in((self._area.width(), self._area.height()), unit * readable(unit))

    @property
    def _area(self) -> QRectF:
        """The graph's part of the widget, above the legend."""
        return QRectF(0, 0, self.width(), max(1.0, self.height() - theme.current().px(HEIGHT)))

    @property
    def _size(self) -> tuple[float, float]:
        assert self.scene is not None
        return self.scene.layout.width, self.scene.layout.height

    def set_camera(self, camera: Camera) -> None:
        """Restores a saved view; fits the graph if that shows nothing, as its rows differ in a
        window of another size.
        """
        self.camera, self.fits = camera, False
        if self.scene is not None:
            left, top = camera.seen(0.0, 0.0)
            right, bottom = camera.seen(*self._size)
            if not QRectF(left, top, right - left, bottom - top).intersects(self._area):
                self.fits = True
                self._fit()
        self.update()

    def set_by_hand(self, camera: Camera) -> None:
        self.camera, self.fits = camera, False
        self.update()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        at = at if at is not None else QPointF(self.rect().center())
        self.set_by_hand(self.camera.zoomed(factor, at.x(), at.y()))

    def fit(self) -> None:
        """Fits the whole graph, however small."""
        self.fits = self._whole = True
        self._fit_again()

    def _fit(self) -> None:
        if self.scene is None:
            return
        unit = theme.current().zoom
        least = 0.0 if self._whole else readable(unit)
        self.camera = fitting(self._size, (self._area.width(), self._area.height()), unit, least)
        self._bring(beginning(self.scene))
        self._follow()
        self.update()

    def _fit_again(self) -> None:
        if self.fits:
            self._fit()
            if self.scene is not None and self.room != self.scene.room:
                self.roomChanged.emit()

    def _follow(self) -> None:
        """Scrolls to the nodes of the step, or at least to the one that changes; to the whole row
        if it fits.
        """
        if self.scene is None or self._instant.place is None:
            return
        node = self._instant.place.node
        box = node_box(self.scene, subject_at(self.scene.computed, self._instant.moment))
        both = box.united(node_box(self.scene, node)).united(badge_box(self.scene, node))
        most = self._area.height() / self.camera.scale
        if both.height() <= most - 2 * MARGIN:
            box = both
        for top, bottom in self.scene.layout.rows:
            if top < box.bottom() and box.top() < bottom:
                high, low = min(top, box.top()), max(bottom, box.bottom())
                if low - high <= most:
                    box = QRectF(box.left(), high, box.width(), low - high)
        self._bring(box)

    def _bring(self, box: QRectF) -> None:
        room = self._area.width(), self._area.height()
        moved = self.camera.showing((box.x(), box.y(), box.width(), box.height()), *room)
        moved = self.camera.staying(moved, self._size, room)
        if moved != self.camera:
            self.camera = moved
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_again()

    def on_theme_changed(self) -> None:
        self._fit_again()
        super().on_theme_changed()

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(640), theme.current().px(160))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(320), theme.current().px(140))

    # painting

    def draw(self, painter: QPainter) -> None:
        if self.scene is not None:
            self._draw_scene(painter, self.scene)
        if self.shows_focus:
            theme.current().focus_ring(painter, QRectF(self.rect()).adjusted(4, 4, -4, -4))

    def _draw_scene(self, painter: QPainter, scene: GraphScene) -> None:
        looked = Looked(
            self.hovered, self.hovered_edge, self.chosen, self._way, self._fixed, self._numeric
        )
        drawing = GraphDrawing(scene, self.routes, self.camera, self._area, self._instant, looked)
        painter.save()
        painter.setClipRect(self._area)
        if painter.paintEngine().type() == QPaintEngine.Type.Raster:
            painter.drawPixmap(0, 0, self.static_layer.picture(drawing, self.size(), self.ratio))
        else:  # a vector export
            drawing.draw_static(painter)
        drawing.draw_above(painter, self.ratio)
        painter.restore()
        line = QRectF(self.rect()).adjusted(0, self._area.height(), -self._covered, 0)
        draw_legend(painter, line, scene, self._instant, checked=bool(self._numeric))
        draw_overflow(painter, self.camera, scene.layout, self._area)
        if self.faint:
            painter.fillRect(self.rect(), theme.current().color("window", 1 - theme.STALE_OPACITY))

    # mouse

    def hit(self, point: QPointF) -> Hit:
        """Returns the node at a point of the widget, and which element of it."""
        at = QPointF(*self.camera.at(point.x(), point.y()))
        return NOTHING if self.scene is None else node_at(self.scene, at)

    def edge_at(self, point: QPointF) -> Edge | None:
        """Returns the edge within GRASP px of a point of the widget, or None."""
        at = QPointF(*self.camera.at(point.x(), point.y()))
        return self.routes.at(at, GRASP / self.camera.scale)

    def _is_leaf(self, hit: Hit) -> bool:
        there = self.scene is not None and min(hit) >= 0
        return there and self.scene.nodes[hit[0]].kind == "leaf"

    def _value(self, hit: Hit) -> float:
        assert self.scene is not None
        return float(self.scene.computed.value(hit[0]).reshape(-1)[hit[1]])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is None:
            self._hover(event.position())
            return
        kind, start, hit, value = self._drag
        moved = event.position() - start
        if kind == "ground":
            self.set_by_hand(self.camera.moved(moved.x(), moved.y()))
            self._drag = (kind, event.position(), hit, value)
        elif kind == "leaf" or abs(moved.x()) >= 3:
            self._drag = ("leaf", start, hit, value)
            fine = 0.1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
            to = value + moved.x() / PIXELS_TO * max(abs(value), 1.0) * fine
            self._move(hit, float(f"{to:.4g}"))

    def _hover(self, point: QPointF) -> None:
        hit = self.hit(point)
        edge = self.edge_at(point) if hit[0] < 0 else None
        cursor = Qt.CursorShape.SizeHorCursor if self._is_leaf(hit) else Qt.CursorShape.ArrowCursor
        self.setCursor(cursor if edge is None else Qt.CursorShape.PointingHandCursor)
        before = self.hovered, self.hovered_edge
        if (hit, edge) == before:
            return
        self.hovered, self.hovered_edge = hit, edge
        if (hit[0], edge) != (before[0][0], before[1]):
            self.setToolTip(self._tip())
        if hit != before[0]:
            self.nodeHovered.emit(hit[0])
        self.update()

    def _tip(self) -> str:
        if self.scene is None:
            return ""
        computed, number = self.scene.computed, self.hovered[0]
        if self.hovered_edge is not None:
            return edge_tip(computed, self.hovered_edge)
        return leaf_tip(computed, number) if number >= 0 else ""

    def leaveEvent(self, event: QEvent) -> None:
        before, self.hovered, self.hovered_edge = self.hovered, NOTHING, None
        if before != NOTHING:
            self.nodeHovered.emit(-1)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        hit = self.hit(event.position())
        edge = self.edge_at(event.position()) if hit[0] < 0 else None
        left = event.button() == Qt.MouseButton.LeftButton
        if left and edge is not None:
            self.edgeClicked.emit(*edge)
        elif event.button() == Qt.MouseButton.MiddleButton or (left and hit[0] < 0):
            self._drag = ("ground", event.position(), NOTHING, 0.0)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif left:
            self.nodeClicked.emit(*hit)
            if self._is_leaf(hit):
                self._drag = ("press", event.position(), hit, self._value(hit))
        else:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None and self._drag[0] == "leaf":
            self.leafReleased.emit()
        self._drag = None
        self._hover(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        hit = self.hit(event.position())
        if self._is_leaf(hit):
            self._drag = None
            self.editRequested.emit(self._name(hit), hit[1])
        elif hit[0] < 0 and self.edge_at(event.position()) is None:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120
        hit = self.hit(event.position())
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(WHEEL**notches, event.position())
        elif self._is_leaf(hit) and notches:
            self.nudge(hit, notches)
        else:
            delta = event.angleDelta()
            self.set_by_hand(self.camera.moved(delta.x() / 2, delta.y() / 2))
        event.accept()

    # leaves

    def nudge(self, hit: Hit, steps: float) -> None:
        """Changes a leaf by a tenth of its order of magnitude (at least 0.1) per step."""
        size = max(abs(self._value(hit)), 1.0)
        unit = 10.0 ** math.floor(math.log10(size)) / 10 if math.isfinite(size) else 0.1
        self._move(hit, float(f"{self._value(hit) + steps * unit:.8g}"))
        self._pause.restart()

    def _move(self, hit: Hit, value: float) -> None:
        self.leafMoved.emit(self._name(hit), hit[1], value)

    def _name(self, hit: Hit) -> str:
        assert self.scene is not None
        return self.scene.nodes[hit[0]].label

    # keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        others = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        if self.scene is None or event.modifiers() & others or not self._keyed(self.scene, event):
            super().keyPressEvent(event)

    def _keyed(self, scene: GraphScene, event: QKeyEvent) -> bool:
        key, number = Qt.Key(event.key()), self.chosen[0]
        if key in _STEPS:
            shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            element = next_element(scene, self.chosen, *_STEPS[key]) if shifted else -1
            node = neighbor(scene, number, *_STEPS[key]) if element < 0 else number
            if element >= 0:
                self.nodeClicked.emit(number, element)
            elif node != number:
                self.nodeClicked.emit(node, 0 if scene.nodes[node].kind == "leaf" else -1)
            return True
        leaf = (number, max(0, self.chosen[1]))
        if event.text() in ("+", "-", "\u2212", "=") and self._is_leaf(leaf):
            self.nudge(leaf, 1 if event.text() in "+=" else -1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2) and self._is_leaf(leaf):
            self.editRequested.emit(self._name(leaf), leaf[1])
        elif event.text().lower() == "f":
            self.fit()
        else:
            return False
        return True
