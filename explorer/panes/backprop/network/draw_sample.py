"""Draws a sample on its way: numbers in the neurons, what flows along the weights."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter

from explorer import theme
from explorer.panes.backprop.network import draw
from explorer.panes.backprop.network.inks import sign_color
from explorer.panes.backprop.network.layout import Box, Layout
from explorer.panes.backprop.network.moment import Moment
from explorer.panes.backprop.network.sample import Face
from explorer.panes.backprop.network.spots import from_plane
from explorer.theme_numbers import format_number
from explorer.widgets.base import put_text

BOTH = 30.0  # px: a lower neuron shows one number
STRENGTH = 0.45  # of a neuron's color


def draw_sample_edges(painter: QPainter, layout: Layout, moment: Moment, face: Face) -> None:
    for layer, weights in enumerate(moment.weights):
        known = face.weights[layer]
        if face.backward and known is not None:
            largest = float(np.abs(known).max()) or 1.0
            draw.draw_edges(painter, layout, layer, 4 * known / largest, 1.0)
        else:
            lively = layer == face.layer
            draw.draw_edges(painter, layout, layer, weights, 0.9 if lively else 0.22)


def draw_network(painter: QPainter, layout: Layout, moment: Moment, face: Face) -> None:
    draw_sample_edges(painter, layout, moment, face)
    if face.flow is not None and face.layer >= 0 and 0 < face.share < 1:
        share = 1 - face.share if face.backward else face.share
        draw.draw_pulses(painter, layout, face.layer, face.flow, share)
    for column, boxes in enumerate(layout.boxes):
        for number, box in enumerate(boxes):
            _draw_neuron(painter, box, face, column, number)
        if column == face.column and boxes:
            x, top = boxes[0][0], boxes[0][1]
            bottom = boxes[-1][1] + boxes[-1][3]
            draw.draw_ring(painter, (x - 3, top - 3, boxes[0][2] + 6, bottom - top + 6))
    _draw_captions(painter, layout, face)


def _draw_neuron(painter: QPainter, box: Box, face: Face, column: int, number: int) -> None:
    now = theme.current()
    values, gradients = face.values[column], face.gradients[column]
    lines: list[tuple[str, QColor]] = []
    ground = now.color("surface")
    if values is not None:
        value = float(values[number])
        lines.append((format_number(value), now.color("text")))
        strength = min(1.0, abs(value) / 2) if np.isfinite(value) else 1.0
        ground = theme.mix(ground, sign_color(value), STRENGTH * strength)
    if gradients is not None:
        slope = (f"\u2202 {format_number(float(gradients[number]))}", now.color("text"))
        tall = box[3] >= now.px(BOTH)
        lines = [*lines, slope] if tall else [slope]
    draw.draw_numbers(painter, box, lines, ground)


def _draw_captions(painter: QPainter, layout: Layout, face: Face) -> None:
    """Below each column: whether its numbers are sums or what the neurons say."""
    now = theme.current()
    last = len(face.sample.sizes) - 1
    for column, x in enumerate(layout.columns):
        words = "the point" if column == 0 else f"layer {column}"
        if 0 < column < last and face.values[column] is not None:
            words += ": says" if face.said[column] else ": sums"
        low = bool(layout.boxes[0]) and layout.boxes[0][0][3] < now.px(BOTH)
        if low and face.gradients[column] is not None:
            words = "the point: \u2202" if column == 0 else f"layer {column}: \u2202"
        rect = QRectF(x - layout.step / 2, layout.foot + 2, layout.step, now.px(15))
        put_text(painter, rect, words, now.font("label"), now.color("muted"))


def clear_of_point(box: QRectF, plane: Box, point: tuple[float, float]) -> float:
    """Where the top of a box over the plane lies, so that the followed point stays in sight."""
    away = theme.current().px(14)  # its ring, and a little
    px, py = from_plane(plane, *point)
    if not box.adjusted(-away, -away, away, away).contains(QPointF(px, py)):
        return box.top()
    above, below = py - away - box.height(), py + away
    near = min((above, below), key=lambda top: abs(top - box.top()))
    fits = plane[1] <= near <= plane[1] + plane[3] - box.height()
    return near if fits else above + below - near


def draw_output(painter: QPainter, layout: Layout, face: Face) -> None:
    """On the plane's edge: what comes out, and the loss once it is known."""
    now = theme.current()
    x, y, _, height = layout.plane
    said = face.values[-1]
    lines = []
    if said is not None and len(said) == 1:
        lines.append(f"z = {format_number(float(said[0]))}")
    gradient = face.gradients[-1]
    if gradient is not None and len(gradient) == 1:
        lines.append(f"\u2202L/\u2202z = {format_number(float(gradient[0]))}")
    if face.loss is not None:
        lines.append(f"loss L = {format_number(face.loss)}")
    if not lines:
        return
    font = now.font("body", 600)
    metrics = now.metrics("body", 600)
    wide = max(metrics.horizontalAdvance(line) for line in lines) + now.px(16)
    each = now.px(20)
    box = QRectF(x + 4, y + height / 2 - each * len(lines) / 2 - 4, wide, each * len(lines) + 8)
    box.moveTop(clear_of_point(box, layout.plane, face.sample.point))
    painter.setPen(now.pen("accent" if face.column >= len(face.sample.sizes) - 1 else "outline"))
    painter.setBrush(now.color("surface"))
    painter.drawRoundedRect(box, 6, 6)
    for number, line in enumerate(lines):
        rect = QRectF(box.x(), box.y() + 4 + number * each, wide, each)
        put_text(painter, rect, line, font, now.color("text"))
