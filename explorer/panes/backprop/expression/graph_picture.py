"""The graph, taken hold of: by the mouse, the wheel and the keyboard."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from explorer.panes.backprop.expression.draw_nodes import badge_box, node_box, part
from explorer.panes.backprop.expression.graph_view import GraphView, Hit
from explorer.panes.backprop.expression.scene import Edge, GraphScene
from explorer.panes.backprop.expression.text import arithmetic, title, told
from explorer.widgets.typing_pause import TypingPause

WHEEL = 1.15  # one notch
PIXELS_TO = 120.0  # of a drag double what is dragged, or change it by 1

_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class GraphPicture(GraphView):
    """What a GraphView is, and what a person does with it:

    nodeHovered(node)          -1: none
    nodeClicked(node, element) -1, -1: the ground
    leafMoved(name, element, value)   a leaf is dragged, wheeled or nudged by keys
    leafReleased()             the drag is over, or nothing more is wheeled or nudged for a while
    edgeClicked(node, input)   an edge is asked what flows along it
    editRequested(name, element)      its value is to be typed
    """

    nodeHovered = Signal(int)
    nodeClicked = Signal(int, int)
    leafMoved = Signal(str, int, float)
    leafReleased = Signal()
    editRequested = Signal(str, int)
    edgeClicked = Signal(int, int)

    def __init__(self, name: str = "Graph of the formula", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._drag: tuple[str, QPointF, Hit, float] | None = None
        self._pause = TypingPause(self)
        self._pause.reached.connect(self.leafReleased)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)

    # what is under the pointer

    def hit(self, point: QPointF) -> Hit:
        """The node at a point, and which of its elements' values, if any."""
        if self.scene is None:
            return (-1, -1)
        at = QPointF(*self._camera.at(point.x(), point.y()))
        for number in range(len(self.scene.faces) - 1, -1, -1):
            if node_box(self.scene, number).contains(at) or (
                self.scene.faces[number].badge and badge_box(self.scene, number).contains(at)
            ):
                return (number, self._element(number, at))
        return (-1, -1)

    def _element(self, number: int, at: QPointF) -> int:
        assert self.scene is not None
        face = self.scene.faces[number]
        if not face.is_grid:
            return 0 if face.kind == "leaf" else -1
        areas = [part(self.scene, number, face.grid(gradient)) for gradient in (False, True)]
        area = next((area for area in areas if area.contains(at)), None)
        if area is None:
            return -1
        column = min(int((at.x() - area.x()) / face.cell[0]), face.columns - 1)
        row = min(int((at.y() - area.y()) / face.cell[1]), face.rows - 1)
        return row * self.scene.computed.value(number).shape[-1] + column

    def _is_leaf(self, hit: Hit) -> bool:
        return (
            self.scene is not None
            and hit[0] >= 0
            and hit[1] >= 0
            and self.scene.faces[hit[0]].kind == "leaf"
        )

    def _value(self, hit: Hit) -> float:
        assert self.scene is not None
        return float(self.scene.computed.value(hit[0]).reshape(-1)[hit[1]])

    # the mouse

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is None:
            self._hover(event.position())
            return
        kind, start, hit, value = self._drag
        moved = event.position() - start
        if kind == "ground":
            self.set_by_hand(self._camera.moved(moved.x(), moved.y()))
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
        if edge != self.hovered_edge:
            self.hovered_edge = edge
            self.setToolTip("" if edge is None else self._edge_tip(edge))
            self.update()
        if hit != (self.hovered, self.hovered_element):
            if hit[0] != self.hovered:
                self.setToolTip(self._tip(hit))
            self.hovered, self.hovered_element = hit
            self.nodeHovered.emit(hit[0])
            self.update()

    def _tip(self, hit: Hit) -> str:
        if hit[0] < 0 or self.scene is None:
            return ""
        said = told(self.scene.computed, hit[0])
        if self.scene.faces[hit[0]].kind == "leaf":
            said += "\nDrag it sideways, turn the wheel, or double-click to type a value"
        return said

    def _edge_tip(self, edge: Edge) -> str:
        assert self.scene is not None
        computed = self.scene.computed
        at = computed.plan.flows.get(edge)
        if at is None:
            return "Nothing flows back here: this input is a constant"
        steps = range(at, 0, -1)
        places = computed.plan.places
        at = next(one for one in steps if places[one] and places[one].phase == "backward")
        pieces = "".join(text for text, _ in arithmetic(computed, at))
        return f"{title(computed, at)}: {pieces}\nClick to see this step"

    def leaveEvent(self, event: QEvent) -> None:
        self.hovered_edge = None
        if self.hovered != -1:
            self.hovered = self.hovered_element = -1
            self.nodeHovered.emit(-1)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        hit = self.hit(event.position())
        edge = self.edge_at(event.position()) if hit[0] < 0 else None
        if event.button() == Qt.MouseButton.LeftButton and edge is not None:
            self.edgeClicked.emit(*edge)
        elif event.button() == Qt.MouseButton.MiddleButton or (
            event.button() == Qt.MouseButton.LeftButton and hit[0] < 0
        ):
            self._drag = ("ground", event.position(), (-1, -1), 0.0)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() == Qt.MouseButton.LeftButton:
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
            assert self.scene is not None
            self._drag = None
            self.editRequested.emit(self.scene.faces[hit[0]].label, hit[1])
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
            self.set_by_hand(self._camera.moved(delta.x() / 2, delta.y() / 2))
        event.accept()

    # leaves

    def nudge(self, hit: Hit, steps: float) -> None:
        """Moves a leaf by a tenth of its order of magnitude (at least 0.1) for each step."""
        size = max(abs(self._value(hit)), 1.0)
        unit = 10.0 ** math.floor(math.log10(size)) / 10 if math.isfinite(size) else 0.1
        self._move(hit, float(f"{self._value(hit) + steps * unit:.8g}"))
        self._pause.restart()

    def _move(self, hit: Hit, value: float) -> None:
        assert self.scene is not None
        self.leafMoved.emit(self.scene.faces[hit[0]].label, hit[1], value)

    # the keyboard

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, plain = (
            Qt.Key(event.key()),
            not (
                event.modifiers()
                & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
            ),
        )
        if self.scene is None or not plain or not self._keyed(key, event):
            super().keyPressEvent(event)

    def _keyed(self, key: Qt.Key, event: QKeyEvent) -> bool:
        assert self.scene is not None
        shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        chosen = self.chosen
        if key in _STEPS:
            if shifted and self._turn(*_STEPS[key]):
                return True
            node = neighbor(self.scene, chosen[0], *_STEPS[key])
            if node != chosen[0]:
                self.nodeClicked.emit(node, 0 if self.scene.faces[node].kind == "leaf" else -1)
            return True
        leaf = chosen if chosen[1] >= 0 else (chosen[0], 0)
        if event.text() in ("+", "-", "\u2212", "=") and self._is_leaf(leaf):
            self.nudge(leaf, 1 if event.text() in "+=" else -1)
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F2) and self._is_leaf(leaf):
            self.editRequested.emit(self.scene.faces[leaf[0]].label, leaf[1])
            return True
        if event.text().lower() == "f":
            self.fit()
            return True
        return False

    def _turn(self, dx: int, dy: int) -> bool:
        """Another element of the chosen tensor."""
        number, element = self.chosen
        if self.scene is None or number < 0 or not self.scene.faces[number].is_grid:
            return False
        columns = self.scene.computed.value(number).shape[-1]
        row, column = divmod(max(0, element), columns)
        rows = self.scene.computed.value(number).size // columns
        row, column = min(max(0, row + dy), rows - 1), min(max(0, column + dx), columns - 1)
        self.nodeClicked.emit(number, row * columns + column)
        return True


def neighbor(scene: GraphScene, number: int, dx: int, dy: int) -> int:
    """The node that an arrow key leads to: along an edge, or up and down in the same layer."""
    layout = scene.layout
    if number < 0:
        return len(scene.faces) - 1

    def middle(one: int) -> float:
        return layout.places[one][1] + layout.places[one][3] / 2

    if dx < 0:
        near = list(scene.computed.graph.nodes[number].inputs)
        return near[0] if near else number
    if dx > 0:
        near = [edge[0] for edge in scene.uses[number]]
    else:
        near = [
            one
            for one, layer in enumerate(layout.layers)
            if layer == layout.layers[number] and (middle(one) - middle(number)) * dy > 0
        ]
    return min(near, key=lambda one: abs(middle(one) - middle(number)), default=number)
