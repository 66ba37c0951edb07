"""Draws the edges of a graph: thin while values go forward, as strong as what flows back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPolygonF

from explorer import theme
from explorer.panes.backprop.expression.draw_nodes import anchor, badge_box, node_box
from explorer.panes.backprop.expression.faces import FAN, MOST_FANNED
from explorer.panes.backprop.expression.inks import (
    TIMES,
    mono,
    sans,
    sign_color,
    sign_text,
    signed,
)
from explorer.panes.backprop.expression.scene import Edge, Instant, Scene
from explorer.theme_numbers import format_number
from explorer.widgets.base import put_text

THIN, STRONGEST = 1.0, 7.0  # px
LEAST, MOST = -3.0, 3.0  # powers of ten that are drawn so wide
BESIDE = 16.0  # of the room: what an edge and its halo may reach into it from there
INTO = 10.0  # between two edges that enter a node
JOINT = 8.0  # radius of the sign where contributions are added
LABEL = 6.2  # width of a letter beside it


@dataclass(frozen=True, eq=False)
class Ways:
    """The edges as curves, from an input's right side to the badge of what reads it.

    middles  where a factor stands
    parts    (N, 4): left, top, right and bottom of all that no words may hide
    words    where the arithmetic of a step has been put, by what that depends on
    """

    paths: dict[Edge, QPainterPath]
    middles: dict[Edge, QPointF]
    parts: np.ndarray
    words: dict[object, QRectF] = field(default_factory=dict)
    _sight: dict[object, dict[Edge, QPainterPath]] = field(default_factory=dict)

    def in_sight(self, room: QRectF) -> dict[Edge, QPainterPath]:
        """What is seen of each edge in a part of the picture; those without are left out. To draw
        one costs as much as it is long, and an edge may pass a hundred layers.
        """
        key = room.getRect()
        if key not in self._sight:  # the view has been moved
            found = {edge: _within(path, room) for edge, path in self.paths.items()}
            self._sight.clear()
            self._sight[key] = {edge: path for edge, path in found.items() if not path.isEmpty()}
        return self._sight[key]


NOWHERE = Ways({}, {}, np.empty((0, 4)))


def ways_of(scene: Scene) -> Ways:
    paths = {}
    for number, node in enumerate(scene.computed.graph.nodes):
        entry = badge_box(scene, number)
        count = len(node.inputs)
        for index, before in enumerate(node.inputs):
            fan = scene.uses[before]
            room = max(6.0, scene.layout.places[before][3] / 2 - 6)
            shift = (fan.index((number, index)) - (len(fan) - 1) / 2) * _fan(len(fan), room)
            into = (index - (count - 1) / 2) * INTO
            start = anchor(scene, before)
            start = QPointF(start.x(), start.y() + shift)
            end = QPointF(entry.left(), entry.center().y() + into)
            passing = scene.layout.ways[number][index][1:-1]
            paths[number, index] = _curve(start, passing, end)
    middles = {edge: _middle(scene, edge, path) for edge, path in paths.items()}
    return Ways(paths, middles, _parts(scene))


def _parts(scene: Scene) -> np.ndarray:
    """Nodes, their badges, and where the contributions of several uses meet."""
    count = range(len(scene.faces))
    boxes = [node_box(scene, number) for number in count]
    boxes += [badge_box(scene, number) for number in count if scene.faces[number].badge]
    boxes += [box for number in count if not (box := joint_box(scene, number)).isEmpty()]
    return np.array([(box.left(), box.top(), box.right(), box.bottom()) for box in boxes])


def _within(path: QPainterPath, room: QRectF) -> QPainterPath:
    """The curves and lines of a path that come near to the room."""
    near = room.adjusted(-BESIDE, -BESIDE, BESIDE, BESIDE)
    if near.contains(path.controlPointRect()):
        return path
    found = QPainterPath()
    at, number, drawn = QPointF(path.elementAt(0)), 1, False
    while number < path.elementCount():
        count = 3 if path.elementAt(number).isCurveTo() else 1
        points = [QPointF(path.elementAt(one)) for one in range(number, number + count)]
        if near.intersects(QPolygonF([at, *points]).boundingRect().adjusted(-1, -1, 1, 1)):
            if not drawn:
                found.moveTo(at)
            if count == 3:
                found.cubicTo(*points)
            else:
                found.lineTo(*points)
            drawn = True
        else:
            drawn = False
        at, number = points[-1], number + count
    return found


def _fan(count: int, room: float) -> float:
    """Between two of so many edges that leave a node, `room` above and below its middle."""
    return min(FAN, 2 * room / max(1, count - 1))


def _middle(scene: Scene, edge: Edge, path: QPainterPath) -> QPointF:
    """Where a factor stands: of a node that is used more than once the contributions come first."""
    fan = scene.uses[scene.computed.graph.nodes[edge[0]].inputs[edge[1]]]
    if len(fan) < 2:
        return path.pointAtPercent(0.56)
    return path.currentPosition() - QPointF(22, 0)  # an edge comes in flat


def _curve(start: QPointF, passing, end: QPointF) -> QPainterPath:
    path = QPainterPath(start)
    at = start
    points = [QPointF(x, y) for x, y in passing]
    straight = False
    for point in [*points, end]:
        if straight:
            path.lineTo(point)
        else:
            bend = max(18.0, (point.x() - at.x()) * 0.5)
            path.cubicTo(
                QPointF(at.x() + bend, at.y()), QPointF(point.x() - bend, point.y()), point
            )
        at, straight = point, not straight
    return path


def draw_edge(
    painter: QPainter,
    scene: Scene,
    edge: Edge,
    instant: Instant,
    lit: bool,
    path: QPainterPath,
    whole: QPainterPath,
) -> None:
    """Thin and gray before backward has come here; then as wide as its contribution is large.
    `path` is what is in sight of the whole.
    """
    now = theme.current()
    at = scene.computed.plan.flows.get(edge)
    done = 0.0 if at is None else instant.done(at)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if done < 1:
        painter.setPen(now.pen("accent" if lit else "outline", THIN + (0.7 if lit else 0), 0.7))
        painter.drawPath(path)
    if done > 0:
        total = scene.peaks[edge]
        pen = now.pen(sign_color(total), width_of(scene, edge))
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if now.contrast and total < 0:  # color is not alone there
            path = whole  # of which the dashes are
            pen.setDashPattern([2.0, 1.5])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if lit and done == 1:
            halo = now.pen("accent", width_of(scene, edge) + 6, 0.25)
            painter.setPen(halo)
            painter.drawPath(path)
        if done < 1 and not now.travels:
            painter.setOpacity(done)
            painter.setPen(pen)
            painter.drawPath(path)
            painter.setOpacity(1.0)
        elif done < 1:  # it grows from the operation towards its input
            length = whole.length()
            share = max(0.0, (done - 0.35) / 0.5)
            drawn = min(1.0, share) * length
            if drawn <= 0:
                return
            pen.setDashPattern([drawn / pen.widthF(), 2 * length / pen.widthF()])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawPath(whole.toReversed())
        else:
            painter.setPen(pen)
            painter.drawPath(path)


def width_of(scene: Scene, edge: Edge) -> float:
    """Of an edge that something has flowed along."""
    return width_for(scene.peaks[edge])


def width_for(flow: float) -> float:
    """By powers of ten, and whatever else flows: a gradient that vanishes becomes thin."""
    size = abs(flow)
    if size == 0:
        return THIN
    power = math.log10(size) if math.isfinite(size) else MOST
    share = (min(max(power, LEAST), MOST) - LEAST) / (MOST - LEAST)
    return THIN + (STRONGEST - THIN) * share


def draw_local(painter: QPainter, scene: Scene, ways: Ways, edge: Edge, instant: Instant) -> None:
    """The local derivative of an edge that has been gone through, as a factor beside it."""
    at = scene.computed.plan.flows.get(edge)
    if at is None or instant.done(at) < 0.35:
        return
    local = scene.computed.local(edge)
    if local is None or local.size != 1:
        return
    now = theme.current()
    middle = ways.middles[edge]
    text = f"{TIMES}{format_number(local.item())}"
    face = mono(10)
    width = 6.2 * len(text) + 6
    box = QRectF(middle.x() - width / 2, middle.y() - 7.5, width, 15)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(now.color("window", 0.97))
    painter.drawRoundedRect(box, 4, 4)
    put_text(painter, box, text, face, now.color("muted"))


def draw_joints(
    painter: QPainter, scene: Scene, ways: Ways, instant: Instant, room: QRectF
) -> None:
    """Those that are in sight."""
    for number in range(len(scene.faces)):
        if room.intersects(joint_box(scene, number)):
            draw_joint(painter, scene, ways, number, instant)


def draw_joint(painter: QPainter, scene: Scene, ways: Ways, number: int, instant: Instant) -> None:
    """Where the contributions of a node's uses meet and are added: each with its number."""
    edges = [edge for edge in scene.uses[number] if edge in scene.computed.plan.flows]
    plan = scene.computed.plan
    if len(edges) < 2 or all(instant.done(plan.flows[edge]) == 0 for edge in edges):
        return
    now = theme.current()
    center = anchor(scene, number) + QPointF(JOINT + 1, 0)
    for edge in edges if len(scene.uses[number]) <= MOST_FANNED else ():
        if instant.done(plan.flows[edge]) < 1:
            continue
        flow = scene.computed.flows.along[edge]
        if flow.size != 1:
            continue
        at = ways.paths[edge].elementAt(0)
        value = float(flow.reshape(-1)[0])
        box = QRectF(at.x + 2 * JOINT + 6, at.y - 6.5, 50, 13)
        text = signed(value).replace(",", "")  # a comma so small reads as a point
        ground = QRectF(box.x() - 2, box.y(), LABEL * len(text) + 4, 13)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("window", 0.88))
        painter.drawRoundedRect(ground, 3, 3)
        put_text(painter, box, text, mono(10, 600), sign_text(value), _LEFT)
    adding = instant.place is not None and instant.place.phase == "accumulate"
    target = adding and number == _target(scene, instant)
    painter.setPen(now.pen("accent" if target else "outline", 1.5))
    painter.setBrush(now.color("accent" if target else "surface"))
    painter.drawEllipse(center, JOINT, JOINT)
    box = QRectF(center.x() - JOINT, center.y() - JOINT, 2 * JOINT, 2 * JOINT)
    put_text(painter, box, "+", sans(13, 600), now.color("on_accent" if target else "text"))


def joint_box(scene: Scene, number: int) -> QRectF:
    """What the sign of addition and the contributions beside it need; empty where there is none."""
    uses = scene.uses[number]
    if len(uses) < 2:
        return QRectF()
    _, _, _, height = scene.layout.places[number]
    at = anchor(scene, number)
    return QRectF(at.x(), at.y() - height / 2, 2 * JOINT + 6 + 7 * LABEL, height)


_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def _target(scene: Scene, instant: Instant) -> int:
    """The input that the step is about."""
    place = instant.place
    assert place is not None and place.input is not None
    return scene.computed.graph.nodes[place.node].inputs[place.input]
