"""What moves during a step: values go to the operation, gradients come back along the edges."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from explorer import theme
from explorer.panes.backprop.expression.draw_nodes import anchor, badge_box, node_box
from explorer.panes.backprop.expression.inks import chip, mono, sign_color, sign_text
from explorer.panes.backprop.expression.scene import Instant, Scene, subject_at
from explorer.panes.backprop.expression.ways import Ways, joint_radius
from explorer.panes.backprop.expression.words import Piece, arithmetic, number
from explorer.widgets.base import LEFT, put_text

MOST_AVOIDED = 120  # parts of nodes that the bubble tries not to hide
AWAY = 200.0  # so far above or below its node the bubble may stand, in the picture's units
NODES = 400.0  # what a place costs that hides a part of a node, times the area
AIR = 0.01  # what beside a node costs, as a share of that
OTHERS = 0.03  # what an edge that the bubble lies on costs, as a share of its area
MOST_KEPT = 200  # places that have been found
MOST_PASSING = 500  # pieces of edges near by: from far away there are thousands, and some tell
TRIED, FEW, POINTS = 100, 4, 6  # heights that it tries; edges of the node, and points of each
ARRIVE = 0.6  # of a forward step: the values have come to the operation
HANDED, FLOWN = 0.3, 0.85  # of a backward step: the gradient is at the operation, at the input


def draw_motion(painter: QPainter, scene: Scene, ways: Ways, instant: Instant) -> None:
    """The chips that are on their way; nothing where nothing may travel."""
    place = instant.place
    if place is None or instant.share >= 1 or not theme.current().travels:
        return
    if place.phase == "forward":
        _inputs_come(painter, scene, ways, place.node, instant.share)
    elif place.phase == "backward":
        assert place.input is not None
        _gradient_goes(painter, scene, ways, (place.node, place.input), instant)
    elif place.phase == "accumulate":
        assert place.input is not None
        _sums_meet(painter, scene, ways, (place.node, place.input), instant)


def _inputs_come(painter: QPainter, scene: Scene, ways: Ways, node: int, share: float) -> None:
    along = theme.ease_out(share / ARRIVE)
    fading = 1.0 if share < ARRIVE else max(0.0, 1 - (share - ARRIVE) / 0.15)
    if fading <= 0:
        return
    for index, before in enumerate(scene.computed.graph.nodes[node].inputs):
        at = ways.paths[node, index].pointAtPercent(min(1.0, along))
        value = number(scene.computed.value(before))
        chip(painter, at.x(), at.y(), value, theme.current().color("accent"), fading)


def _gradient_goes(
    painter: QPainter, scene: Scene, ways: Ways, edge: tuple[int, int], instant: Instant
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
        at = ways.paths[edge].pointAtPercent(max(0.0, 1 - along))
        chip(painter, at.x(), at.y(), number(flow), _color(flow))


def _sums_meet(
    painter: QPainter, scene: Scene, ways: Ways, edge: tuple[int, int], instant: Instant
) -> None:
    """The gradient so far comes out of the node, the new contribution from its edge; they join."""
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
        start = ways.paths[edge].pointAtPercent(0.25)
        at = start + (meeting - start) * along
        chip(painter, at.x(), at.y(), number(flow), _color(flow))
    elif after is not None and share < 0.9:
        at = meeting + (inside - meeting) * theme.ease_out((share - 0.5) / 0.4)
        chip(painter, at.x(), at.y(), number(after), _color(after))


def _color(value: np.ndarray) -> QColor:
    array = np.asarray(value)
    return sign_color(float(array.reshape(-1)[int(np.abs(array).argmax())]))


def draw_bubble(
    painter: QPainter, scene: Scene, ways: Ways, instant: Instant, room: QRectF, unit: float
) -> None:
    """The arithmetic of the step beside where it happens; `unit` is a pixel of the screen."""
    place = instant.place
    if place is None or instant.share < 0.75:
        return
    pieces = arithmetic(scene.computed, instant.moment)
    font = mono(12, 600)
    metrics = QFontMetricsF(font)
    widths = [metrics.horizontalAdvance(text) for text, _ in pieces]
    width, height = (sum(widths) + 20) * unit, 26 * unit
    key = (instant.moment, width, room.getRect(), unit)
    box = ways.words.get(key)
    if box is None:
        if len(ways.words) >= MOST_KEPT:
            ways.words.clear()
        box = _free_place(scene, ways, instant, QSizeF(width, height), room, 8 * unit)
        ways.words[key] = box
    painter.setOpacity(min(1.0, (instant.share - 0.75) / 0.25))
    painter.save()
    painter.translate(box.topLeft())
    painter.scale(unit, unit)
    _draw_pieces(painter, pieces, widths, QRectF(0, 0, width / unit, height / unit))
    painter.restore()
    painter.setOpacity(1.0)


def _draw_pieces(painter: QPainter, pieces: list[Piece], widths: list[float], box: QRectF) -> None:
    now = theme.current()
    painter.setPen(now.pen("accent", 1.5))
    painter.setBrush(now.color("raised"))
    painter.drawRoundedRect(box, 6, 6)
    x = box.left() + 10
    for (text, role), width in zip(pieces, widths, strict=True):
        ink = sign_text(float(role[5:])) if role.startswith("sign:") else now.color(role)
        put_text(
            painter, QRectF(x, box.top(), width + 2, box.height()), text, mono(12, 600), ink, LEFT
        )
        x += width


def _free_place(
    scene: Scene, ways: Ways, instant: Instant, size: QSizeF, room: QRectF, gap: float
) -> QRectF:
    """Near what the step is about, where it hides no node if there is such a place in sight."""
    place = instant.place
    assert place is not None
    node = about = node_box(scene, subject(scene, instant))
    edges = list(scene.uses[subject(scene, instant)])
    if place.input is not None:
        about = about.united(ways.paths[place.node, place.input].boundingRect())
        edges.append((place.node, place.input))
    shares = [step / POINTS for step in range(POINTS + 1)]
    points = [ways.paths[edge].pointAtPercent(at) for edge in edges[:FEW] for at in shares]
    wide, high = 2 * size.width(), max(AWAY, 6 * size.height())
    near = node.adjusted(-wide, -high, wide, high)
    nodes = _nearest(ways.parts, near, node)
    tops = [box.top() - gap - size.height() for box in (node, about)]
    tops += [box.bottom() + gap for box in (node, about)]
    tops += [top - gap - size.height() for top in nodes[:, 1]]
    tops += [bottom + gap for bottom in nodes[:, 3]]
    tops = list(dict.fromkeys(round(float(top), 1) for top in tops))
    tops = [top for top in tops if near.top() <= top <= near.bottom() - size.height()]
    tops.sort(key=lambda top: abs(top + size.height() / 2 - node.center().y()))
    inside = room.adjusted(gap / 2, gap / 2, -gap / 2, -gap / 2)
    reach = gap + size.width() / 2
    lefts = [
        max(inside.left(), min(middle - size.width() / 2, inside.right() - size.width()))
        for middle in (node.center().x(), node.right() + reach, node.left() - reach)
    ]
    x = np.repeat(lefts, len(tops[:TRIED]))  # (P,): every place that is tried
    y = np.tile(tops[:TRIED], len(lefts))
    places = np.stack([x, y, x + size.width(), y + size.height()], axis=1)  # (P, 4)
    whole = size.width() * size.height()
    outside = whole - _shared(places, np.array([_corners(inside)]))[:, 0]
    air = np.array([-gap, -gap, gap, gap]) / 2  # a node has a ring, and words need air
    parts = _shared(places, nodes).sum(axis=1) + AIR * _shared(places, nodes + air).sum(axis=1)
    px, py = np.array([(point.x(), point.y()) for point in points]).reshape(-1, 2).T
    crossed = (x[:, None] <= px) & (px <= places[:, 2:3])
    crossed &= (y[:, None] <= py) & (py <= places[:, 3:])
    away = abs(x + size.width() / 2 - node.center().x())
    away += abs(y + size.height() / 2 - node.center().y())
    away /= size.width() + size.height()
    passing = ways.near(near)
    every = 1 + len(passing) // MOST_PASSING
    others = every * _touched(places, passing[::every]).sum(axis=1)
    hidden = 0.04 * crossed.sum(axis=1) + 0.02 * away + OTHERS * others
    hidden = NODES * (outside + parts) + whole * hidden
    best = int(hidden.argmin())
    return QRectF(float(x[best]), float(y[best]), size.width(), size.height())


def _nearest(parts: np.ndarray, near: QRectF, node: QRectF) -> np.ndarray:
    """Of parts (N, 4) those that come near, the nearest to a node first: at most MOST_AVOIDED."""
    left, top, right, bottom = parts.T
    found = (left < near.right()) & (right > near.left())
    found &= (top < near.bottom()) & (bottom > near.top())
    parts = parts[found]
    left, top, right, bottom = parts.T
    away = abs((left + right) / 2 - node.center().x()) + abs((top + bottom) / 2 - node.center().y())
    nearest: np.ndarray = parts[np.argsort(away, kind="stable")[:MOST_AVOIDED]]
    return nearest


def _shared(places: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The area that each place (P, 4) has in common with each box (B, 4): (P, B)."""
    one, two = places[:, None], boxes[None]
    sides = np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
    return np.asarray(np.maximum(sides, 0.0).prod(axis=-1))


def _touched(places: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Which places (P, 4) each box (B, 4), perhaps a mere line, runs through: (P, B)."""
    one, two = places[:, None], boxes[None]
    sides = np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
    return np.asarray((sides >= 0).all(axis=-1))


def _corners(box: QRectF) -> tuple[float, float, float, float]:
    return box.left(), box.top(), box.right(), box.bottom()


def moving_at(scene: Scene, instant: Instant) -> set[int]:
    """The nodes that a step is about."""
    place = instant.place
    return set() if place is None else {place.node, subject(scene, instant)}


def subject(scene: Scene, instant: Instant) -> int:
    """The node that the step changes."""
    return subject_at(scene.computed, instant.moment)
