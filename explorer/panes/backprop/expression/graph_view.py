"""The graph as a picture: drawn at any position of the cursor, moved and zoomed."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPainterPathStroker, QPixmap
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.backprop.expression.draw_edges import draw_edge, draw_joints, draw_local
from explorer.panes.backprop.expression.draw_legend import draw_legend
from explorer.panes.backprop.expression.draw_more import draw_more
from explorer.panes.backprop.expression.draw_motion import (
    draw_bubble,
    draw_motion,
    moving_at,
    subject,
)
from explorer.panes.backprop.expression.draw_nodes import (
    ALL,
    BLOCKS,
    NAMES,
    draw_node,
    node_box,
)
from explorer.panes.backprop.expression.numbers import labels_of, numbers_of
from explorer.panes.backprop.expression.paths import edges_on_the_way
from explorer.panes.backprop.expression.scene import Edge, Instant, Scene, instant_at
from explorer.panes.backprop.expression.sight import GraphSight
from explorer.panes.backprop.expression.ways import Ways
from explorer.panes.backprop.expression.words import told

TEXT_FROM, NAMES_FROM = 0.52, 0.24  # the scales from which numbers and names are drawn
GRASP = 5.0  # pixels beside an edge that still count
MANY_EDGES = 80  # with more, factors are drawn only where something is looked at
Hit = tuple[int, int]  # a node, and the element of it; -1 where it is none


class GraphView(GraphSight):
    """`set_scene(scene)`, `set_position(position)`, `set_choice(node, element)`;
    `set_fixed(names)`, and `set_faint` while the formula cannot be read.

    `cameraMoved()`: the view is another, by hand.
    """

    def __init__(self, name: str = "Graph of the formula", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.hovered = self.hovered_element = -1
        self.hovered_edge: Edge | None = None
        self.chosen: Hit = (-1, -1)
        self._fixed: frozenset[str] = frozenset()
        self._faint = False
        self._way: frozenset[Edge] = frozenset()  # from the chosen node to the end
        self._numeric: dict[int, np.ndarray] = {}
        self._layer: tuple[object, QPixmap] | None = None  # what rests during a step, and of when

    # what is shown

    def set_scene(self, scene: Scene | None, ways: Ways | None = None) -> None:
        """Another graph (`ways`: its edges, if known), or other values: then the view stays."""
        if not self._set_scene(scene, ways):
            self.hovered, self.hovered_element, self.hovered_edge = -1, -1, None
        self.data_changed()

    def set_position(self, position: float) -> None:
        """Where the cursor is; what the step is about comes into sight."""
        if position == self._position:
            return
        self._position = position
        if self.scene is not None:
            self._follow(instant_at(self.scene.computed, position))
        self.update()

    def set_choice(self, node: int, element: int = -1) -> None:
        if (node, element) != self.chosen:
            self.chosen = (node, element)
            self._way = frozenset()
            if self.scene is not None and node >= 0:
                self._way = edges_on_the_way(self.scene.computed, node)
                self.setAccessibleDescription(told(self.scene.computed, node))
                self._show(node)
            self.update()

    def set_fixed(self, names: frozenset[str]) -> None:
        """Leaves that take no gradient step."""
        if names != self._fixed:
            self._fixed = names
            self.update()

    def set_numeric(self, numeric: dict[int, np.ndarray]) -> None:
        """Gradients by nudging, for those nodes that have been checked."""
        self._numeric = numeric
        if self.scene is not None and self.scene.checks:
            self.update()

    def set_faint(self, faint: bool) -> None:
        """The formula has moved on and cannot be read: the old graph stays, at 45 %."""
        if faint != self._faint:
            self._faint = faint
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        """A row for each node: its value and gradient; of a tensor how long these are."""
        numeric = self._numeric if self.scene is not None and self.scene.checks else {}
        return {} if self.scene is None else numbers_of(self.scene, self._position, numeric)

    def table_labels(self) -> dict[str, tuple[list[str], list[str]]]:
        return {} if self.scene is None else labels_of(self.scene)

    def edge_at(self, point: QPointF) -> Edge | None:
        """The edge under a point of the widget, with some pixels to spare."""
        at = QPointF(*self._camera.at(point.x(), point.y()))
        near = GRASP / self._camera.scale
        stroker = QPainterPathStroker()
        stroker.setWidth(2 * near)
        for edge, path in self._ways.paths.items():
            box = path.controlPointRect().adjusted(-near, -near, near, near)
            if box.contains(at) and stroker.createStroke(path).contains(at):
                return edge
        return None

    # painting

    def draw(self, painter: QPainter) -> None:
        if self.shows_focus:
            theme.current().focus_ring(painter, QRectF(self.rect()).adjusted(4, 4, -4, -4))
        if self.scene is None:
            return
        instant = instant_at(self.scene.computed, self._position)
        moving = moving_at(self.scene, instant)
        painter.save()
        painter.setClipRect(self._room)
        if instant.share < 1:  # frame after frame only these differ
            painter.drawPixmap(0, 0, self._resting(instant, moving))
        else:
            self._layer = None
            self._draw_graph(painter, instant, set(range(len(self.scene.faces))) - moving)
        self._draw_graph(painter, instant, moving, last=True)
        painter.restore()
        line = QRectF(self.rect()).adjusted(0, self._room.height(), 0, 0)
        draw_legend(painter, line, self.scene, instant)
        draw_more(painter, self._camera, self.scene.layout, self._room)
        if self._faint:
            painter.fillRect(self.rect(), theme.current().color("window", 1 - theme.STALE_OPACITY))

    def about(self) -> int:
        """The node that is looked at: pointed at, chosen, or the one that the step changes."""
        if self.scene is None:
            return -1
        for looked in (self.hovered, self.chosen[0]):
            if looked >= 0:
                return looked
        instant = instant_at(self.scene.computed, self._position)
        return -1 if instant.place is None else subject(self.scene, instant)

    def _resting(self, instant: Instant, moving: set[int]) -> QPixmap:
        """Everything else, drawn once for all frames of a step."""
        assert self.scene is not None
        now = theme.current()
        key = (instant.moment, self._camera, self.scene, now, self.size(), self.ratio)
        key = (*key, self.hovered, self.hovered_element, self.hovered_edge)
        key = (*key, self.chosen, self._fixed)
        if self._layer is None or self._layer[0] != key:
            layer = theme.device_pixmap(self.width(), self.height(), self.ratio)
            inner = QPainter(layer)
            inner.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._draw_graph(inner, instant, set(range(len(self.scene.faces))) - moving)
            inner.end()
            self._layer = (key, layer)
        return self._layer[1]

    def _draw_graph(
        self, painter: QPainter, instant: Instant, nodes: set[int], last: bool = False
    ) -> None:
        """These nodes and the edges into them; `last` also what is on its way."""
        assert self.scene is not None
        painter.save()
        painter.translate(self._camera.x, self._camera.y)
        painter.scale(self._camera.scale, self._camera.scale)
        scale = self._camera.scale
        detail = ALL if scale >= TEXT_FROM else NAMES if scale >= NAMES_FROM else BLOCKS
        left, top = self._camera.at(0, 0)
        right, bottom = self._camera.at(self._room.width(), self._room.height())
        room = QRectF(left, top, right - left, bottom - top)
        self._draw_edges(painter, instant, room, detail, nodes)
        for number in sorted(nodes):
            if room.intersects(node_box(self.scene, number).adjusted(-40, -8, 8, 8)):
                self._draw_node(painter, number, instant, detail)
        if last:
            if detail == ALL:  # above all edges, which may cross there
                draw_joints(painter, self.scene, self._ways, instant, room)
            draw_motion(painter, self.scene, self._ways, instant)
            draw_bubble(painter, self.scene, self._ways, instant, room, self._unit)
        painter.restore()

    @property
    def _unit(self) -> float:
        """A pixel of the screen at the UI zoom, in units of the picture."""
        return theme.current().zoom / self._camera.scale

    def _draw_edges(
        self, painter: QPainter, instant: Instant, room: QRectF, detail: int, nodes: set[int]
    ) -> None:
        assert self.scene is not None
        place = instant.place
        looked = {self.hovered, self.chosen[0]} - {-1}
        shown = []
        for edge, path in self._ways.in_sight(room).items():
            if edge[0] not in nodes:
                continue
            before = self.scene.computed.graph.nodes[edge[0]].inputs[edge[1]]
            active = place is not None and place.node == edge[0]
            lit = active and place is not None and place.input in (None, edge[1])
            lit = lit or edge[0] in looked or before in looked or edge == self.hovered_edge
            lit = lit or edge in self._way
            draw_edge(painter, self.scene, edge, instant, lit, path, self._ways.paths[edge])
            shown.append((edge, lit))
        if detail == ALL and not self.scene.is_tight:
            few = len(self._ways.paths) <= MANY_EDGES
            for edge, lit in shown:
                if few or lit:
                    draw_local(painter, self.scene, self._ways, edge, instant)

    def _draw_node(self, painter: QPainter, number: int, instant: Instant, detail: int) -> None:
        assert self.scene is not None
        name = self.scene.faces[number].label
        chosen = number == self.chosen[0]
        current = instant.place is not None and number == subject(self.scene, instant)
        ring = "accent" if chosen or current else "outline" if number == self.hovered else ""
        element = self.chosen[1] if chosen else -1
        if element < 0 and number == self.hovered and self.scene.faces[number].is_grid:
            element = self.hovered_element
        if chosen and self.scene.faces[number].kind == "leaf" and element < 0:
            element = 0
        draw_node(
            painter,
            self.scene,
            number,
            instant,
            detail=detail,
            ring=ring,
            fixed=name in self._fixed and self.scene.faces[number].kind == "leaf",
            element=element,
            numeric=self._numeric.get(number),
        )
