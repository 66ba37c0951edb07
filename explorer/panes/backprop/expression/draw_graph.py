"""Draws the graph: which nodes and edges are in sight, and how each of them looks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from core.autograd import NumericGradient
from explorer import theme
from explorer.panes.backprop.expression.draw_edges import (
    draw_edge,
    draw_joints,
    draw_local,
    local_words,
)
from explorer.panes.backprop.expression.draw_motion import (
    draw_arithmetic,
    draw_motion,
    moving_at,
)
from explorer.panes.backprop.expression.draw_nodes import ALL, BLOCKS, NAMES, draw_node
from explorer.panes.backprop.expression.edge_routing import Routes
from explorer.panes.backprop.expression.hit_testing import Hit
from explorer.panes.backprop.expression.scene import Edge, GraphScene, Instant, subject_at
from explorer.panes.backprop.expression.viewport import Camera

TEXT_FROM, NAMES_FROM = 0.52, 0.24  # the scales from which numbers and names are drawn
MANY_EDGES = 80  # with more, factors are drawn only where something is looked at
AROUND = 24.0  # a node, its ring and badge, and whatever else of it
BESIDE = 10.0  # an edge and its halo
FACTOR = np.array([32.0, 10.0, 32.0, 10.0])  # around the middle of what is written beside an edge
OUT = np.array([-1.0, -1.0, 1.0, 1.0])

Item = int | Edge  # a node, or an edge


@dataclass(frozen=True, eq=False)
class Looked:
    """What a person looks at.

    chosen   a node, kept until another is; `way` are the edges from it to the end
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
    """room  the part of the widget that the graph has"""

    scene: GraphScene
    routes: Routes
    camera: Camera
    room: QRectF
    instant: Instant
    looked: Looked

    @cached_property
    def area(self) -> QRectF:
        """What is seen, in the picture's units."""
        left, top = self.camera.at(0, 0)
        right, bottom = self.camera.at(self.room.width(), self.room.height())
        return QRectF(left, top, right - left, bottom - top)

    @cached_property
    def detail(self) -> int:
        scale = self.camera.scale
        return ALL if scale >= TEXT_FROM else NAMES if scale >= NAMES_FROM else BLOCKS

    @cached_property
    def moving(self) -> set[int]:
        """The nodes that the step is about: they and the edges into them are drawn above."""
        return moving_at(self.scene, self.instant)

    @cached_property
    def edges(self) -> list[Edge]:
        """Those in sight."""
        return self.routes.edges_in(self.area)

    @cached_property
    def nodes(self) -> list[int]:
        """Those in sight."""
        x, y, width, height = np.array(self.scene.layout.places).T
        area = self.area.adjusted(-AROUND, -AROUND, AROUND, AROUND)
        seen = (x < area.right()) & (x + width > area.left())
        seen &= (y < area.bottom()) & (y + height > area.top())
        return [int(number) for number in np.flatnonzero(seen)]

    @cached_property
    def static(self) -> list[Item]:
        """All others in sight."""
        edges = [edge for edge in self.edges if edge[0] not in self.moving]
        return [*edges, *(number for number in self.nodes if number not in self.moving)]

    # how each looks

    def marks(self) -> dict[Item, object]:
        """For all that rests and is in sight: equal where it looks the same and is at the same
        place, also in the graph of another formula. The values that a node tells are compared, and
        not how they are written: that is quicker found out.
        """
        return {
            item: self._node_mark(item) if isinstance(item, int) else self._edge_mark(item)
            for item in self.static
        }

    def _edge_mark(self, edge: Edge) -> object:
        at, lit = self.scene.computed.plan.flows.get(edge), edge in self.lit
        done = 0.0 if at is None else self.instant.done(at)
        words = local_words(self.scene, edge, self.instant) if edge in self.factors else ""
        peak = self.scene.peaks[edge] if done else 0.0
        return (self.routes.marks[edge], lit, done, peak, words)

    def _node_mark(self, number: int) -> object:
        computed, moment = self.scene.computed, self.instant.moment
        there = self.instant.done(computed.plan.appears[number])
        where = (self.scene.layout.places[number], self.scene.nodes[number])
        if self.detail < ALL:
            broken = computed.broken is not None and computed.is_broken(number)
            return (*where, there, broken, self._frame(number))
        gradient = computed.gradient_at(number, moment)
        checked: object = None
        if self.scene.checks:
            numeric = self.looked.numeric.get(number)
            final = computed.is_final(number, moment)
            known = () if numeric is None else (numeric.slopes.tobytes(), numeric.errors.tobytes())
            checked = (final, *known)
        value = computed.value(number)
        return (
            *where,
            there,
            self._frame(number),
            value.shape,
            value.tobytes(),
            gradient.tobytes() if gradient is not None else computed.gradient(number) is None,
            checked,
        )

    def _frame(self, number: int) -> tuple[str, bool, int]:
        """The color of the ring around a node, whether it is fixed, and which number is held."""
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
        """The edges that stand out: those of the step, and of what is looked at."""
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
        """The edges that have their local derivative beside them, where it is to be read."""
        if self.detail < ALL or self.scene.is_tight:
            return ()
        return self.routes.paths if len(self.routes.paths) <= MANY_EDGES else self.lit

    def boxes(self, items: Sequence[Item]) -> tuple[np.ndarray, np.ndarray]:
        """Where nodes and edges in sight are in the widget, and a little more: (B, 4) left, top,
        right and bottom of each node and of each line and curve of an edge, and (B,) of which of
        `items` that is.
        """
        at = {item: index for index, item in enumerate(items)}
        nodes = [one for one in items if isinstance(one, int)]
        edges = [at.get(edge, -1) for edge in self.routes.paths]
        x, y, width, height = (
            np.array([self.scene.layout.places[one] for one in nodes]).reshape(-1, 4).T
        )
        boxes = [np.stack([x, y, x + width, y + height], axis=1) + AROUND * OUT]
        owners = [np.array([at[one] for one in nodes], int)]
        seen = self.routes.seen(self.area.adjusted(-BESIDE, -BESIDE, BESIDE, BESIDE))
        owner = np.array([*edges, -1])[self.routes.owners]
        seen &= owner >= 0
        boxes.append(self.routes.boxes[seen] + BESIDE * OUT)
        owners.append(owner[seen])
        if self.detail == ALL:
            told = [one for one in items if not isinstance(one, int) and one in self.factors]
            middles = [self.routes.middles[one] for one in told]
            center = np.array([(one.x(), one.y()) for one in middles]).reshape(-1, 2)
            boxes.append(np.hstack([center, center]) + FACTOR * OUT)
            owners.append(np.array([at[one] for one in told], int))
        camera = self.camera
        moved = np.array([camera.x, camera.y] * 2)
        return np.concatenate(boxes) * camera.scale + moved, np.concatenate(owners)

    # drawing

    def draw(self, painter: QPainter, items: Collection[Item]) -> None:
        """Edges, what stands beside them, and nodes above: those of `items` that are in sight."""
        painter.save()
        painter.translate(self.camera.x, self.camera.y)
        painter.scale(self.camera.scale, self.camera.scale)
        with_factor = []
        for edge in self.edges:
            if edge in items:
                path = self.routes.paths[edge]
                draw_edge(painter, self.scene, edge, self.instant, edge in self.lit, path)
                if edge in self.factors:
                    with_factor.append(edge)
        for edge in with_factor:
            draw_local(painter, self.scene, self.routes, edge, self.instant)
        for number in self.nodes:
            if number in items:
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
        painter.restore()

    def draw_above(self, painter: QPainter) -> None:
        """What the step is about, what is on its way, and the arithmetic."""
        self.draw(painter, {*self.moving, *(edge for edge in self.edges if edge[0] in self.moving)})
        painter.save()
        painter.translate(self.camera.x, self.camera.y)
        painter.scale(self.camera.scale, self.camera.scale)
        if self.detail == ALL:  # above all edges, which may cross there
            draw_joints(painter, self.scene, self.routes, self.instant, self.area)
        draw_motion(painter, self.scene, self.routes, self.instant)
        unit = theme.current().zoom / self.camera.scale  # a pixel at the UI zoom
        draw_arithmetic(painter, self.scene, self.routes, self.instant, self.area, unit)
        painter.restore()
