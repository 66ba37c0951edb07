"""Draws the edges of a graph: thin in the forward pass, as wide as the gradient in backward."""

from __future__ import annotations

import math
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen

from core.numbers import TIMES, format_short
from explorer import theme
from explorer.panes.backprop.expression.colors import mono, sans, sign_color, sign_text
from explorer.panes.backprop.expression.draw_nodes import anchor
from explorer.panes.backprop.expression.edge_routing import LABEL, Routes, joint_box, joint_radius
from explorer.panes.backprop.expression.node_geometry import MOST_FANNED
from explorer.panes.backprop.expression.scene import Edge, GraphScene, Instant, subject_at
from explorer.widgets.base import LEFT, put_text

THIN, STRONGEST = 1.0, 7.0  # px
LEAST, MOST = -3.0, 3.0  # powers of ten at which the width is least and most
PITCH = 14.0  # px, the height of a contribution's text
BESIDE = 6  # characters of a number beside an edge


def draw_edge(
    painter: QPainter,
    scene: GraphScene,
    edge: Edge,
    instant: Instant,
    lit: bool,
    path: QPainterPath,
) -> None:
    """Draws an edge: thin and gray until backward reaches it, then as wide as its contribution."""
    now = theme.current()
    at = scene.computed.plan.flows.get(edge)
    done = 0.0 if at is None else instant.done(at)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if done < 1:
        painter.setPen(now.pen("accent" if lit else "outline", THIN + (0.7 if lit else 0), 0.7))
        painter.drawPath(path)
    if done > 0:
        total = scene.peaks[edge]
        sign = math.nan if math.isnan(total) else (total > 0) - (total < 0)
        pen = _pen(now.name, sign, width_for(scene.peaks[edge]))
        if now.contrast and total < 0:  # color alone is not enough there
            pen = QPen(pen)
            pen.setDashPattern([2.0, 1.5])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if lit and done == 1:
            halo = now.pen("accent", width_for(scene.peaks[edge]) + 6, 0.25)
            painter.setPen(halo)
            painter.drawPath(path)
        if done < 1 and not now.travels:
            painter.setOpacity(done)
            painter.setPen(pen)
            painter.drawPath(path)
            painter.setOpacity(1.0)
        elif done < 1:  # grows from the operation towards its input
            length = path.length()
            share = max(0.0, (done - 0.35) / 0.5)
            drawn = min(1.0, share) * length
            if drawn <= 0:
                return
            pen = QPen(pen)
            pen.setDashPattern([drawn / pen.widthF(), 2 * length / pen.widthF()])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawPath(path.toReversed())
        else:
            painter.setPen(pen)
            painter.drawPath(path)


@lru_cache(maxsize=2048)  # many edges share a width: those whose gradient vanishes
def _pen(look: str, sign: float, width: float) -> QPen:
    """Returns the pen of an edge by the sign of its flow; `look` is the theme's name."""
    pen = theme.current().pen(sign_color(sign), width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    return pen


def width_for(flow: float) -> float:
    """Returns a width by powers of ten of the flow alone: a vanishing gradient becomes thin."""
    size = abs(flow)
    if size == 0:
        return THIN
    power = math.log10(size) if math.isfinite(size) else MOST
    share = (min(max(power, LEAST), MOST) - LEAST) / (MOST - LEAST)
    return THIN + (STRONGEST - THIN) * share


def draw_local(
    painter: QPainter, scene: GraphScene, routes: Routes, edge: Edge, instant: Instant
) -> None:
    """Draws the local derivative of an edge that backward has passed, as a factor beside it."""
    at, local = scene.computed.plan.flows.get(edge), scene.computed.local(edge)
    if at is None or instant.done(at) < 0.35 or local is None or local.size != 1:
        return
    text = f"{TIMES}{format_short(local.item(), BESIDE)}"
    now = theme.current()
    middle = routes.middles[edge]
    face = mono(11)
    width = LABEL * len(text) + 6
    box = QRectF(middle.x() - width / 2, middle.y() - 7.5, width, 15)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(now.color("window", 0.97))
    painter.drawRoundedRect(box, 4, 4)
    put_text(painter, box, text, face, now.color("muted"))


def draw_joints(
    painter: QPainter, scene: GraphScene, routes: Routes, instant: Instant, room: QRectF
) -> None:
    """Draws the joints that are visible."""
    for number in range(len(scene.nodes)):
        if room.intersects(joint_box(scene, number)):
            draw_joint(painter, scene, routes, number, instant)


def draw_joint(
    painter: QPainter, scene: GraphScene, routes: Routes, number: int, instant: Instant
) -> None:
    """Draws the joint where the contributions of a node's uses are added, each with its number if
    there is room.
    """
    edges = [edge for edge in scene.uses[number] if edge in scene.computed.plan.flows]
    plan = scene.computed.plan
    if len(edges) < 2 or all(instant.done(plan.flows[edge]) == 0 for edge in edges):
        return
    now, radius = theme.current(), joint_radius(scene, number)
    center = anchor(scene, number) + QPointF(radius + 1, 0)
    told = scene.nodes[number].style.words and len(scene.uses[number]) <= MOST_FANNED
    for edge in edges if told else ():
        if instant.done(plan.flows[edge]) < 1:
            continue
        flow = scene.computed.flows.along[edge]
        if flow.size != 1:
            continue
        y = routes.by_edge[edge].begin[1]
        value = float(flow.reshape(-1)[0])
        box = QRectF(center.x() + radius + 5, y - PITCH / 2, 54, PITCH)
        text = f"{'+' * (value > 0)}{format_short(value, BESIDE)}"
        text = text.replace(",", "")  # at this size it looks like a decimal point
        ground = QRectF(box.x() - 2, box.y(), LABEL * len(text) + 4, PITCH)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("window", 0.92))
        painter.drawRoundedRect(ground, 3, 3)
        put_text(painter, box, text, mono(11, 600), sign_text(value), LEFT)
    adding = instant.place is not None and instant.place.phase == "accumulate"
    target = adding and number == subject_at(scene.computed, instant.moment)
    painter.setPen(now.pen("accent" if target else "outline", 1.5))
    painter.setBrush(now.color("accent" if target else "surface"))
    painter.drawEllipse(center, radius, radius)
    box = QRectF(center.x() - radius, center.y() - radius, 2 * radius, 2 * radius)
    put_text(painter, box, "+", sans(13, 600), now.color("on_accent" if target else "text"))
