"""Draws the graph: decides which nodes and edges are visible, and how each looks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QPainterPath, QPixmap

from core.autograd import NumericGradient
from explorer import theme
from explorer.panes.backprop.expression.draw_edges import (
    LEAST,
    draw_edge,
    draw_joints,
    draw_local,
)
from explorer.panes.backprop.expression.draw_motion import (
    draw_arithmetic,
    draw_motion,
)
from explorer.panes.backprop.expression.draw_nodes import ALL, BLOCKS, NAMES, draw_node
from explorer.panes.backprop.expression.edge_routing import Routes
from explorer.panes.backprop.expression.hit_testing import Hit
from explorer.panes.backprop.expression.scene import Edge, GraphScene, Instant, subject_at
from explorer.panes.backprop.expression.viewport import Camera

TEXT_FROM, NAMES_FROM = 0.52, 0.24  # the smallest scales at which numbers and names are drawn
MANY_EDGES = 80  # with more, factors are drawn only on highlighted edges
STRONGER = 1.5  # ratio at which one edge looks wider than another
AROUND = 6.0  # px around a node, for its ring


@dataclass(frozen=True)
class Looked:
    """What is hovered, chosen and marked in the graph.

    chosen   a node, until another is chosen; `way` are the edges from it to the output
    fixed    the leaves that take no step
    numeric  gradients by nudging
    """

    hovered: Hit
    edge: Edge | None
    chosen: Hit
    way: frozenset[Edge]
    fixed: frozenset[str]
    numeric: Mapping[int, NumericGradient]


@dataclass(frozen=True, eq=False)
class GraphDrawing:
    """room  the graph's part of the widget"""

    scene: GraphScene
    routes: Routes
    camera: Camera
    room: QRectF
    instant: Instant
    looked: Looked

    @cached_property
    def area(self) -> QRectF:
        """The visible area, in the picture's units."""
        left, top = self.camera.at(0, 0)
        right, bottom = self.camera.at(self.room.width(), self.room.height())
        return QRectF(left, top, right - left, bottom - top)

    @cached_property
    def detail(self) -> int:
        scale = self.camera.scale
        return ALL if scale >= TEXT_FROM else NAMES if scale >= NAMES_FROM else BLOCKS

    @cached_property
    def moving(self) -> set[int]:
        """The nodes of the current step: they and their incoming edges are drawn on top."""
        place = self.instant.place
        return set() if place is None else {place.node, self.subject}

    @cached_property
    def paths(self) -> dict[Edge, QPainterPath]:
        """The visible part of each edge: the whole path of a highlighted edge, or of one that is
        wider than every edge that shares its path and continues beyond it.
        """
        flows, instant, whole = self.scene.computed.plan.flows, self.instant, set(self.lit)
        for fan in self.routes.fans:
            most = 10.0**LEAST  # smaller ones are equally thin
            for edge in fan:
                size = abs(self.scene.peaks[edge]) if edge in flows else 0.0
                if size > STRONGER * most and instant.done(flows[edge]):
                    whole.add(edge)
                    most = size
        return self.routes.paths_in(self.area) | {one: self.routes.path(one) for one in whole}

    @cached_property
    def nodes(self) -> list[int]:
        """The visible nodes."""
        x, y, width, height = np.array(self.scene.layout.places).T
        area = self.area.adjusted(-AROUND, -AROUND, AROUND, AROUND)
        seen = (x < area.right()) & (x + width > area.left())
        seen &= (y < area.bottom()) & (y + height > area.top())
        return [int(number) for number in np.flatnonzero(seen)]

    @cached_property
    def static_edges(self) -> list[Edge]:
        return [edge for edge in self.paths if edge[0] not in self.moving]

    @cached_property
    def static_nodes(self) -> list[int]:
        return [number for number in self.nodes if number not in self.moving]

    def has_same_static_part(self, other: GraphDrawing) -> bool:
        """True if the static part has the same look and position."""
        return (
            self.scene is other.scene
            and self.routes is other.routes
            and (self.camera, self.room) == (other.camera, other.room)
            and self.instant.moment == other.instant.moment
            and self.looked == other.looked
        )

    # appearance

    def look_of(self, number: int) -> object:
        """Returns a key that is equal for nodes that look the same, also across formulas. It
        compares raw numbers, which is faster than formatting them.
        """
        scene, computed, moment = self.scene, self.scene.computed, self.instant.moment
        value, gradient = computed.value(number), computed.gradient_at(number, moment)
        return (
            scene.nodes[number],
            self.instant.done(computed.plan.appears[number]),
            self._frame(number),
            value.shape,
            value.tobytes(),
            gradient.tobytes() if gradient is not None else computed.gradient(number) is None,
            computed.is_final(number, moment),
            self.looked.numeric.get(number),
        )

    def _frame(self, number: int) -> tuple[str, bool, int]:
        """Returns the color of the ring, whether the leaf is fixed, and the selected element."""
        node, looked = self.scene.nodes[number], self.looked
        chosen = number == looked.chosen[0]
        current = self.instant.place is not None and number == self.subject
        ring = "accent" if chosen or current else "outline" if number == looked.hovered[0] else ""
        element = looked.chosen[1] if chosen else -1
        if element < 0 and number == looked.hovered[0] and node.is_grid:
            element = looked.hovered[1]
        if chosen and node.kind == "leaf" and element < 0:
            element = 0
        return ring, node.kind == "leaf" and node.label in looked.fixed, element

    @cached_property
    def subject(self) -> int:
        return subject_at(self.scene.computed, self.instant.moment)

    @cached_property
    def lit(self) -> set[Edge]:
        """The highlighted edges: those of the step, and of the hovered and chosen nodes."""
        place, looked = self.instant.place, self.looked
        found = set(looked.way)
        if looked.edge is not None:
            found.add(looked.edge)
        for number in {looked.hovered[0], looked.chosen[0]} - {-1}:
            found |= {*self.scene.uses[number], *self._into(number)}
        if place is not None:
            found |= {edge for edge in self._into(place.node) if place.input in (None, edge[1])}
        return found

    def _into(self, number: int) -> list[Edge]:
        count = len(self.scene.computed.graph.nodes[number].inputs)
        return [(number, index) for index in range(count)]

    @cached_property
    def factors(self) -> Collection[Edge]:
        """The edges whose local derivative is drawn, if there is room for it."""
        if self.detail < ALL or self.scene.is_tight:
            return ()
        return self.routes.by_edge if len(self.routes.by_edge) <= MANY_EDGES else self.lit

    # drawing

    def corner(self, number: int, ratio: float) -> QPointF:
        """Returns the corner of a node's picture, on a whole device pixel to make it reusable."""
        left, top, _, _ = self.scene.layout.places[number]
        x, y = self.camera.seen(left - AROUND, top - AROUND)
        return QPointF(round(x * ratio) / ratio, round(y * ratio) / ratio)

    def picture_of(self, number: int, ratio: float) -> QPixmap:
        """Returns a node as a pixmap, with a margin of AROUND for its ring."""
        _, _, width, height = self.scene.layout.places[number]
        wide, tall = ((side + 2 * AROUND) * self.camera.scale for side in (width, height))
        picture = theme.device_pixmap(wide, tall, ratio)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_node_at(painter, number, QPointF(0.0, 0.0))
        painter.end()
        return picture

    def draw_nodes(self, painter: QPainter, numbers: Iterable[int], ratio: float) -> None:
        """Draws nodes; those with text are aligned as their pixmaps are."""
        painter.save()
        if self.detail < ALL:
            self._to_graph(painter)
        for number in numbers:
            if self.detail < ALL:
                self._draw_node(painter, number)
            else:
                self._draw_node_at(painter, number, self.corner(number, ratio))
        painter.restore()

    def _draw_node_at(self, painter: QPainter, number: int, corner: QPointF) -> None:
        left, top, _, _ = self.scene.layout.places[number]
        painter.save()
        painter.translate(corner)
        painter.scale(self.camera.scale, self.camera.scale)
        painter.translate(AROUND - left, AROUND - top)
        self._draw_node(painter, number)
        painter.restore()

    def _draw_node(self, painter: QPainter, number: int) -> None:
        ring, fixed, element = self._frame(number)
        draw_node(
            painter,
            self.scene,
            number,
            self.instant,
            detail=self.detail,
            ring=ring,
            fixed=fixed,
            element=element,
            numeric=self.looked.numeric.get(number),
        )

    def _to_graph(self, painter: QPainter) -> None:
        painter.translate(self.camera.x, self.camera.y)
        painter.scale(self.camera.scale, self.camera.scale)

    def draw_edges(self, painter: QPainter, edges: Sequence[Edge]) -> None:
        """Draws edges, and above them their factors."""
        painter.save()
        self._to_graph(painter)
        for edge in edges:
            lit, path = edge in self.lit, self.paths[edge]
            draw_edge(painter, self.scene, edge, self.instant, lit, path)
        for edge in edges:
            if edge in self.factors:
                draw_local(painter, self.scene, self.routes, edge, self.instant)
        painter.restore()

    def draw_static(self, painter: QPainter) -> None:
        """Draws the part that a step does not change, as vectors."""
        self.draw_edges(painter, self.static_edges)
        self.draw_nodes(painter, self.static_nodes, 1.0)

    def draw_above(self, painter: QPainter, ratio: float) -> None:
        """Draws the nodes of the step, the numbers in motion, and the arithmetic."""
        self.draw_edges(painter, [edge for edge in self.paths if edge[0] in self.moving])
        self.draw_nodes(painter, [one for one in self.nodes if one in self.moving], ratio)
        painter.save()
        self._to_graph(painter)
        if self.detail == ALL:  # above all edges, which may cross there
            draw_joints(painter, self.scene, self.routes, self.instant, self.area)
        draw_motion(painter, self.scene, self.routes, self.instant)
        unit = theme.current().zoom / self.camera.scale  # one pixel at the UI zoom
        draw_arithmetic(painter, self.scene, self.routes, self.instant, self.area, unit)
        painter.restore()
