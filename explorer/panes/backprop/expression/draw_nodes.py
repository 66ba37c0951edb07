"""Draws the nodes of a graph: name, operation, value and gradient; tensors as grids of cells."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from core.autograd import NumericGradient
from core.numbers import TIMES, format_short
from explorer import theme
from explorer.panes.backprop.expression.colors import mono, sans, sign_color, sign_text
from explorer.panes.backprop.expression.compute import Array
from explorer.panes.backprop.expression.gradient_check import mark_of
from explorer.panes.backprop.expression.node_geometry import Box, NodeGeometry
from explorer.panes.backprop.expression.scene import GraphScene, Instant
from explorer.widgets.base import LEFT, RIGHT, elide, put_text

BLOCKS, NAMES, ALL = 0, 1, 2  # levels of detail of a node
LETTER = 6.6  # px, width of a digit
IN_CELL = 6  # characters of a number in a grid cell
MARKED = 11.0  # px for the sign of a gradient check
FAINT = 0.4  # opacity of a node whose value is not known yet
RADIUS = 6.0


def node_box(scene: GraphScene, number: int) -> QRectF:
    """Returns the box of a node, without its badge."""
    x, y, _, _ = scene.layout.places[number]
    left, top, width, height = scene.nodes[number].box
    return QRectF(x + left, y + top, width, height)


def badge_box(scene: GraphScene, number: int) -> QRectF:
    return part(scene, number, scene.nodes[number].badge_box)


def beginning(scene: GraphScene) -> QRectF:
    """Returns the box of all nodes in the first layer."""
    found = QRectF()
    for number, layer in enumerate(scene.layout.layers):
        if layer == 0:
            found = found.united(node_box(scene, number))
    return found


def part(scene: GraphScene, number: int, box: Box) -> QRectF:
    """Returns a part of a node, in the picture's units."""
    x, y, _, _ = scene.layout.places[number]
    return QRectF(x + box[0], y + box[1], box[2], box[3])


def draw_node(
    painter: QPainter,
    scene: GraphScene,
    number: int,
    instant: Instant,
    *,
    detail: int = ALL,
    ring: str = "",
    fixed: bool = False,
    element: int = -1,
    numeric: NumericGradient | None = None,
) -> None:
    """detail   BLOCKS, NAMES or ALL, by the scale
    ring     a theme color around the box
    fixed    a leaf that takes no steps
    element  the selected element of a tensor
    numeric  its gradient by nudging
    """
    node, computed = scene.nodes[number], scene.computed
    there = instant.done(computed.plan.appears[number])
    arrived = max(0.0, min(1.0, (there - 0.6) / 0.4)) if there < 1 else 1.0
    box = node_box(scene, number)
    broken = computed.broken is not None and computed.is_broken(number) and there == 1
    share = FAINT + (1 - FAINT) * arrived
    _draw_box(painter, box, node, ring, broken, RADIUS if detail else 0, share)
    if node.badge and detail:
        _draw_badge(painter, badge_box(scene, number), node, number, instant, share)
    if detail == NAMES:
        role = "accent" if node.kind == "leaf" else "text"
        large = sans(28 if node.kind != "constant" else 16, 600)
        name = elide(node.label, large, box.width() - 8)
        put_text(painter, box, name, large, _seen(role, share))
    if detail == ALL:
        _draw_head(painter, scene, number, fixed, broken, share, MARKED if numeric else 0.0)
        gradient = computed.gradient_at(number, instant.moment)
        shown = _arrival(scene, number, instant)
        if node.is_grid:
            grids = _Grids(painter, scene, number, element)
            grids.draw(computed.value(number), False, arrived)
            if gradient is not None:
                grids.draw(gradient, True, shown)
            elif computed.gradient(number) is not None:
                grids.draw_empty()
        elif node.kind != "constant":
            _draw_numbers(painter, scene, number, gradient, arrived, shown, element >= 0)
        final = computed.is_final(number, instant.moment)
        if final and gradient is not None and numeric is not None:
            sign, role = mark_of(gradient, numeric)
            line, ink = part(scene, number, node.line(0)), theme.current().color(role)
            painter.setOpacity(shown)
            put_text(painter, line, sign, mono(11, 600), ink, RIGHT)
    painter.setOpacity(1.0)


def _arrival(scene: GraphScene, number: int, instant: Instant) -> float:
    """Returns the opacity of the gradient: it fades in when it changes in the current step."""
    changing = any(at == instant.moment for at, _ in scene.computed.plan.grows[number])
    return max(0.0, min(1.0, (instant.share - 0.8) / 0.2)) if changing else 1.0


def _seen(role: str, share: float) -> QColor:
    """Returns a theme color, faded while the value is not known yet. It is mixed with the
    background: drawing with opacity takes four times as long.
    """
    now = theme.current()
    return now.color(role) if share == 1 else theme.mix(now.color("window"), now.color(role), share)


def _draw_box(
    painter: QPainter,
    box: QRectF,
    node: NodeGeometry,
    ring: str,
    broken: bool,
    radius: float,
    share: float,
) -> None:
    now = theme.current()
    role = "accent" if node.kind == "leaf" else "outline"
    if not radius:
        painter.fillRect(box, now.color(role, 0.55 * share))
    else:
        pen = now.pen(_seen(role, share), 1)
        if node.kind == "constant":
            pen = now.pen(_seen("divider", share), 1)
            pen.setStyle(Qt.PenStyle.DashLine)
        painter.setPen(now.pen("warning", 2) if broken else pen)
        painter.setBrush(_seen("surface", share))
        painter.drawRoundedRect(box, radius, radius)
    if ring:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(now.pen(_seen(ring, share), 2))
        painter.drawRoundedRect(box.adjusted(-3, -3, 3, 3), RADIUS + 2, RADIUS + 2)


def _draw_badge(
    painter: QPainter, box: QRectF, node: NodeGeometry, number: int, instant: Instant, share: float
) -> None:
    """Draws the operation of the node; filled while it is computed."""
    now = theme.current()
    place = instant.place
    active = place is not None and place.node == number and place.phase in ("forward", "backward")
    painter.setPen(now.pen(_seen("accent" if active else "outline", share), 1.5))
    painter.setBrush(_seen("accent" if active else "raised", share))
    painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
    letters = 11 if len(node.symbol) > 1 else 15 if node.style.words else 12
    font = sans(letters, 600)
    put_text(painter, box, node.symbol, font, _seen("on_accent" if active else "text", share))


@lru_cache(maxsize=4096)  # the names of a graph, at every repaint
def _cut(text: str, pixels: int, weight: int, width: float) -> tuple[str, float]:
    """Returns the text elided to a width, and the width of the result."""
    font = sans(pixels, weight)
    cut = elide(text, font, width)
    return cut, QFontMetricsF(font).horizontalAdvance(cut)


def _draw_head(
    painter: QPainter,
    scene: GraphScene,
    number: int,
    fixed: bool,
    broken: bool,
    share: float,
    marked: float,
) -> None:
    """Draws the name and note; `marked` px at the right end stay free for a check's sign."""
    node = scene.nodes[number]
    if node.kind == "constant" and not node.is_grid:
        put_text(painter, node_box(scene, number), node.label, mono(11), _seen("muted", share))
        return
    line = part(scene, number, node.line(0))
    name, used = _cut(node.label, 12, 600, line.width() * 0.6)
    role = "accent" if node.kind == "leaf" else "text"
    put_text(painter, line, name, sans(12, 600), _seen(role, share), LEFT)
    used += 8
    rest = line.adjusted(used, 0, -marked, 0)
    note, ink = node.text if node.kind == "operation" else "", "muted"
    if node.kind == "leaf" and fixed:
        note = "fixed"
    if node.is_grid and node.kind != "operation":
        shape = scene.computed.value(number).shape
        note = ", ".join(filter(None, (note, f" {TIMES} ".join(map(str, shape)))))
    if broken:
        note, ink = "not finite", "warning"
    if note:
        note, _ = _cut(note, 11, 400, rest.width())
        put_text(painter, rest, note, sans(11), _seen(ink, share), RIGHT)


def _draw_numbers(
    painter: QPainter,
    scene: GraphScene,
    number: int,
    gradient: Array | None,
    arrived: float,
    shown: float,
    held: bool,
) -> None:
    now = theme.current()
    node = scene.nodes[number]
    words = node.style.words
    small, bold = sans(11), mono(12 if words else 11, 600)
    value_line = part(scene, number, node.line(1))
    most = int(value_line.width() / LETTER) - 1  # characters of value and gradient together
    if held and node.kind == "leaf":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("selected"))
        painter.drawRoundedRect(value_line.adjusted(-3, 0, 3, 0), 3, 3)
    share = FAINT + (1 - FAINT) * arrived
    if words:
        put_text(painter, value_line, "value", small, _seen("muted", share), LEFT)
    painter.setOpacity(arrived)
    value = float(scene.computed.value(number).reshape(-1)[0])
    side = RIGHT if words else LEFT
    room = _letters_in(value_line.width(), "value") if words else (most + 1) // 2
    written = format_short(value, room)
    if arrived:
        put_text(painter, value_line, written, bold, now.color("text"), side)
    painter.setOpacity(1.0)
    if scene.computed.gradient(number) is None:
        return
    line = part(scene, number, node.line(2))
    if words:
        put_text(painter, line, "gradient", small, _seen("muted", share), LEFT)
    painter.setOpacity(shown)
    if gradient is None:
        put_text(painter, line, "\u00b7", bold, now.color("muted"), RIGHT)
    else:
        slope = float(np.asarray(gradient).reshape(-1)[0])
        room = _letters_in(line.width(), "gradient") if words else most - len(written)
        written = format_short(slope, room)
        put_text(painter, line, written, bold, sign_text(slope), RIGHT)
    painter.setOpacity(1.0)


@lru_cache(maxsize=64)
def _letters_in(width: float, word: str) -> int:
    """Returns how many digits fit beside a word."""
    left = width - QFontMetricsF(sans(11)).horizontalAdvance(word) - 3
    return int(left / QFontMetricsF(mono(12, 600)).horizontalAdvance("0"))


class _Grids:
    """The value grid and the gradient grid of a tensor."""

    def __init__(self, painter: QPainter, scene: GraphScene, number: int, element: int) -> None:
        self.painter, self.scene, self.number, self.element = painter, scene, number, element
        self.node = scene.nodes[number]

    def draw_empty(self) -> None:
        """Draws the outline of gradients that are not known yet."""
        area = part(self.scene, self.number, self.node.grid(True))
        self._caption(area, "gradient")
        pen = theme.current().pen("divider", 1)
        pen.setStyle(Qt.PenStyle.DashLine)
        self.painter.setPen(pen)
        self.painter.setBrush(Qt.BrushStyle.NoBrush)
        self.painter.drawRect(area)

    def _caption(self, area: QRectF, words: str) -> None:
        if self.node.style.words:
            caption = QRectF(area.x(), area.y() - 14, 80, 13)
            put_text(self.painter, caption, words, sans(11), theme.current().color("muted"), LEFT)

    def draw(self, array: Array, gradient: bool, share: float) -> None:
        """Draws a grid with opacity `share`."""
        if not share:
            return
        now, node, painter = theme.current(), self.node, self.painter
        painter.setOpacity(share)
        area = part(self.scene, self.number, node.grid(gradient))
        self._caption(area, "gradient" if gradient else "value")
        rows = np.asarray(array).reshape(-1, array.shape[-1])[: node.rows, : node.columns]
        largest = float(np.abs(rows[np.isfinite(rows)]).max(initial=0.0))
        wide, tall = node.cell
        font = mono(11)
        for row in range(node.rows):
            for column in range(node.columns):
                value = float(rows[row, column])
                cell = QRectF(area.x() + column * wide, area.y() + row * tall, wide, tall)
                fill = shade(value, largest)
                painter.fillRect(cell.adjusted(0.5, 0.5, -0.5, -0.5), fill)
                if node.numbered:
                    ink = theme.ink_on(fill)
                    put_text(painter, cell, format_short(value, IN_CELL), font, ink)
        if self.element >= 0 and node.columns:
            row, column = divmod(self.element, array.shape[-1])
            if row < node.rows and column < node.columns:
                cell = QRectF(area.x() + column * wide, area.y() + row * tall, wide, tall)
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.setPen(now.pen("accent", 2))
                painter.drawRect(cell)
        painter.setOpacity(1.0)


def shade(value: float, largest: float) -> QColor:
    """Returns a cell's color: 0 is the surface, the grid's largest value the full color of its
    sign.
    """
    now = theme.current()
    if not np.isfinite(value):
        return sign_color(value)
    share = abs(value) / largest if largest > 0 else 0.0
    return theme.mix(now.color("surface"), sign_color(value), 0.75 * share)


def anchor(scene: GraphScene, number: int) -> QPointF:
    """Returns the point at which edges leave a node."""
    box = node_box(scene, number)
    return QPointF(box.right(), box.center().y())
