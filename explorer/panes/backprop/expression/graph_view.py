"""The graph as a picture: drawn at any position of the cursor, moved and zoomed."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPaintEngine, QPainter
from PySide6.QtWidgets import QWidget

from core.autograd import NumericGradient
from explorer import theme
from explorer.panes.backprop.expression.draw_legend import draw_legend
from explorer.panes.backprop.expression.draw_more import draw_more
from explorer.panes.backprop.expression.numbers import labels_of, named_numbers, numbers_of
from explorer.panes.backprop.expression.painting import Hit, Looked, Painting
from explorer.panes.backprop.expression.paths import edges_on_the_way
from explorer.panes.backprop.expression.resting import Resting
from explorer.panes.backprop.expression.scene import Edge, GraphScene, instant_at, subject_at
from explorer.panes.backprop.expression.sight import GraphSight
from explorer.panes.backprop.expression.text import told
from explorer.panes.backprop.expression.ways import Ways
from explorer.widgets.base import Columns

GRASP = 5.0  # pixels beside an edge that still count


class GraphView(GraphSight):
    """`set_scene(scene)`, `set_position(position)`, `set_choice(node, element)`;
    `set_fixed(names)`, and `set_faint` while the formula cannot be read.
    """

    def __init__(self, name: str = "Graph of the formula", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.hovered = self.hovered_element = -1
        self.hovered_edge: Edge | None = None
        self.chosen: Hit = (-1, -1)
        self._fixed: frozenset[str] = frozenset()
        self._faint = False
        self._way: frozenset[Edge] = frozenset()  # from the chosen node to the end
        self._numeric: dict[int, NumericGradient] = {}
        self._resting = Resting()  # what is no part of the step

    # what is shown

    def set_scene(self, scene: GraphScene | None, ways: Ways | None = None) -> None:
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

    def set_numeric(self, numeric: dict[int, NumericGradient]) -> None:
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
        """A row for each number of each node: its value and gradient."""
        numeric = self._numeric if self.scene is not None and self.scene.checks else {}
        return {} if self.scene is None else numbers_of(self.scene, self._position, numeric)

    def as_columns(self) -> Columns:
        return Columns() if self.scene is None else named_numbers(self.scene, self.displayed())

    def table_labels(self) -> dict[str, tuple[list[str], list[str]]]:
        return {} if self.scene is None else labels_of(self.scene)

    def edge_at(self, point: QPointF) -> Edge | None:
        """The edge under a point of the widget, with some pixels to spare."""
        at = QPointF(*self._camera.at(point.x(), point.y()))
        return self._ways.at(at, GRASP / self._camera.scale)

    # painting

    def draw(self, painter: QPainter) -> None:
        if self.scene is not None:
            self._draw_scene(painter, self.scene)
        if self.shows_focus:
            theme.current().focus_ring(painter, QRectF(self.rect()).adjusted(4, 4, -4, -4))

    def _draw_scene(self, painter: QPainter, scene: GraphScene) -> None:
        instant = instant_at(scene.computed, self._position)
        looked = Looked(
            (self.hovered, self.hovered_element),
            self.hovered_edge,
            self.chosen,
            self._way,
            self._fixed,
            self._numeric,
        )
        painting = Painting(scene, self._ways, self._camera, self._room, instant, looked)
        painter.save()
        painter.setClipRect(self._room)
        resting = None
        if painter.paintEngine().type() == QPaintEngine.Type.Raster:  # others draw vectors
            resting = self._resting.picture(painting, self.size(), self.ratio)
        if resting is not None:
            painter.drawPixmap(0, 0, resting)
        else:
            painting.draw(painter, frozenset(painting.resting))
        painting.draw_above(painter)
        painter.restore()
        line = QRectF(self.rect()).adjusted(0, self._room.height(), -self._covered, 0)
        draw_legend(painter, line, scene, instant)
        draw_more(painter, self._camera, scene.layout, self._room)
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
        return subject_at(self.scene.computed, instant.moment)
