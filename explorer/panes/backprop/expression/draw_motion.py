"""Animation of a step: values move into the operation, gradients back along the edges."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from explorer import theme
from explorer.panes.backprop.expression.arithmetic_place import arithmetic_place
from explorer.panes.backprop.expression.colors import chip, mono, sign_color, sign_text
from explorer.panes.backprop.expression.draw_nodes import anchor, badge_box, node_box
from explorer.panes.backprop.expression.edge_routing import Routes, joint_radius
from explorer.panes.backprop.expression.scene import GraphScene, Instant
from explorer.panes.backprop.expression.text import Piece, arithmetic, number
from explorer.widgets.base import LEFT, put_text

ARRIVE = 0.6  # of a forward step: the values reach the operation
PITCH = 16.0  # px; the width of the arithmetic is a multiple of it
HANDED, FLOWN = 0.3, 0.85  # of a backward step: the gradient reaches the operation, then the input


def draw_motion(painter: QPainter, scene: GraphScene, routes: Routes, instant: Instant) -> None:
    """Draws the numbers in motion; nothing if the theme disables motion."""
    place = instant.place
    if place is None or instant.share >= 1 or not theme.current().travels:
        return
    if place.phase == "forward":
        _inputs_come(painter, scene, routes, place.node, instant.share)
    elif place.phase == "backward":
        assert place.input is not None
        _gradient_goes(painter, scene, routes, (place.node, place.input), instant)
    elif place.phase == "accumulate":
        assert place.input is not None
        _sums_meet(painter, scene, routes, (place.node, place.input), instant)


def _inputs_come(
    painter: QPainter, scene: GraphScene, routes: Routes, node: int, share: float
) -> None:
    along = theme.ease_out(share / ARRIVE)
    fading = 1.0 if share < ARRIVE else max(0.0, 1 - (share - ARRIVE) / 0.15)
    if fading <= 0:
        return
    for index, before in enumerate(scene.computed.graph.nodes[node].inputs):
        at = routes.path((node, index)).pointAtPercent(min(1.0, along))
        value = number(scene.computed.value(before))
        chip(painter, at.x(), at.y(), value, theme.current().color("accent"), fading)


def _gradient_goes(
    painter: QPainter, scene: GraphScene, routes: Routes, edge: tuple[int, int], instant: Instant
) -> None:
    node, share = edge[0], instant.share
    upstream = scene.computed.gradient(node)
    assert upstream is not None
    if share < HANDED:
        start, end = node_box(scene, node), badge_box(scene, node)
        along = theme.ease_out(share / HANDED)
        y = start.bottom() - 14 + (end.center().y() - start.bottom() + 14) * along
        x = start.right() - 30 + (end.center().x() - start.right() + 30) * along
        chip(painter, x, y, number(upstream), _color(upstream))
    elif share < FLOWN + 0.1:
        along = theme.ease_out((share - HANDED) / (FLOWN - HANDED))
        flow = scene.computed.flows.along[edge]
        at = routes.path(edge).pointAtPercent(max(0.0, 1 - along))
        chip(painter, at.x(), at.y(), number(flow), _color(flow))


def _sums_meet(
    painter: QPainter, scene: GraphScene, routes: Routes, edge: tuple[int, int], instant: Instant
) -> None:
    """Draws the gradient so far and the new contribution, which meet and merge."""
    target = scene.computed.graph.nodes[edge[0]].inputs[edge[1]]
    share = instant.share
    meeting = anchor(scene, target) + QPointF(joint_radius(scene, target) + 1, 0)
    before = scene.computed.gradient_at(target, instant.moment - 1)
    after = scene.computed.gradient_at(target, instant.moment)
    flow = scene.computed.flows.along[edge]
    box = node_box(scene, target)
    inside = QPointF(box.right() - 30, box.bottom() - 14)
    if share < 0.5:
        along = theme.ease_out(share / 0.5)
        if before is not None:
            at = inside + (meeting - inside) * along
            chip(painter, at.x(), at.y(), number(before), _color(before))
        start = routes.path(edge).pointAtPercent(0.25)
        at = start + (meeting - start) * along
        chip(painter, at.x(), at.y(), number(flow), _color(flow))
    elif after is not None and share < 0.9:
        at = meeting + (inside - meeting) * theme.ease_out((share - 0.5) / 0.4)
        chip(painter, at.x(), at.y(), number(after), _color(after))


def _color(value: np.ndarray) -> QColor:
    array = np.asarray(value)
    return sign_color(float(array.reshape(-1)[int(np.abs(array).argmax())]))


def draw_arithmetic(
    painter: QPainter,
    scene: GraphScene,
    routes: Routes,
    instant: Instant,
    room: QRectF,
    unit: float,
) -> None:
    """Draws the arithmetic of the step near its node; `unit` is one screen pixel."""
    place = instant.place
    if place is None or instant.share < 0.75:
        return
    pieces = arithmetic(scene.computed, instant.moment)
    font = mono(12, 600)
    metrics = QFontMetricsF(font)
    widths = [metrics.horizontalAdvance(text) for text, _ in pieces]
    wide = math.ceil((sum(widths) + 20) / PITCH) * PITCH  # does not change with every digit
    size = QSizeF(wide * unit, 26 * unit)
    box = arithmetic_place(scene, routes, instant, size, room, 8 * unit)
    painter.setOpacity(min(1.0, (instant.share - 0.75) / 0.25))
    painter.save()
    painter.translate(box.topLeft())
    painter.scale(unit, unit)
    _draw_pieces(painter, pieces, widths, QRectF(0, 0, wide, 26))
    painter.restore()
    painter.setOpacity(1.0)


def _draw_pieces(painter: QPainter, pieces: list[Piece], widths: list[float], box: QRectF) -> None:
    now = theme.current()
    painter.setPen(now.pen("accent", 1.5))
    painter.setBrush(now.color("raised"))
    painter.drawRoundedRect(box, 6, 6)
    x = box.center().x() - sum(widths) / 2
    for (text, role), width in zip(pieces, widths, strict=True):
        ink = sign_text(float(role[5:])) if role.startswith("sign:") else now.color(role)
        put_text(
            painter, QRectF(x, box.top(), width + 2, box.height()), text, mono(12, 600), ink, LEFT
        )
        x += width
