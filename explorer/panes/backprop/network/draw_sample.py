"""Draws a point's path: numbers in the neurons, and pulses along the weights."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

from core.numbers import format_number
from explorer import theme
from explorer.panes.backprop.network.colors import sign_color
from explorer.panes.backprop.network.draw_edges import draw_edges, draw_pulses
from explorer.panes.backprop.network.draw_neuron import draw_numbers, draw_ring
from explorer.panes.backprop.network.keyframe import Keyframe
from explorer.panes.backprop.network.sample_scene import SampleScene
from explorer.panes.backprop.network.scene import Box, Layout
from explorer.widgets.base import put_text
from explorer.widgets.sketch import Sketch

BOTH = 30.0  # px: a neuron below this height shows one number
STRENGTH = 0.45  # share of the sign's color in a neuron
SMALL, LINE = 12.0, 16  # px: font size and line height of the output
APART = "   "
KINDS = {"out": "output", "sum": "sums", "product": "sums", "norm": "norm"}


def draw_sample_edges(
    painter: QPainter, layout: Layout, keyframe: Keyframe, scene: SampleScene
) -> None:
    for layer, weights in enumerate(keyframe.weights):
        known = scene.weights[layer]
        if scene.backward and known is not None:
            largest = float(np.abs(known).max()) or 1.0
            draw_edges(painter, layout, layer, 4 * known / largest, 1.0)
        else:
            lively = layer == scene.layer
            draw_edges(painter, layout, layer, weights, 0.9 if lively else 0.22)


def draw_network(painter: QPainter, layout: Layout, keyframe: Keyframe, scene: SampleScene) -> None:
    draw_sample_edges(painter, layout, keyframe, scene)
    if scene.flow is not None and scene.layer >= 0 and 0 < scene.share < 1:
        share = 1 - scene.share if scene.backward else scene.share
        draw_pulses(painter, layout, scene.layer, scene.flow, share)
    for column, boxes in enumerate(layout.boxes):
        for number, box in enumerate(boxes):
            draw_numbers(painter, box, lines_of(box, scene, column, number))
        if column == scene.column and boxes:
            x, top = boxes[0][0], boxes[0][1]
            bottom = boxes[-1][1] + boxes[-1][3]
            draw_ring(painter, (x - 3, top - 3, boxes[0][2] + 6, bottom - top + 6))
    _draw_captions(painter, layout, scene)


def lines_of(box: Box, scene: SampleScene, column: int, number: int) -> list[tuple[str, QColor]]:
    """Returns the lines of a neuron, each with its background color. The color of a gradient is as
    strong as the gradient is large compared with the largest of its column.
    """
    values, gradients = scene.values[column], scene.gradients[column]
    lines: list[tuple[str, QColor]] = []
    if values is not None:
        value = float(values[number])
        lines.append((fitting(value, "", box[2]), _ground(value, 2.0)))
    if gradients is not None:
        tall = box[3] >= theme.current().px(BOTH)
        slope = float(gradients[number])
        text = fitting(slope, "\u2202 ", box[2], 400 if tall else 600)
        line = text, _ground(slope, float(np.abs(gradients).max()))
        lines = [*lines, line] if tall else [line]
    return lines


def _ground(value: float, largest: float) -> QColor:
    """Returns the color of a number's sign, as strong as its size; in full at `largest`."""
    surface = theme.current().color("surface")
    if value == 0:
        return surface
    share = min(1.0, abs(value) / largest) if np.isfinite(value) else 1.0
    return theme.mix(surface, sign_color(value), STRENGTH * share)


def fitting(value: float, before: str, width: float, weight: int = 600) -> str:
    """Formats a number with as many of three digits as fit, so that none is cut off; if there is
    little room, without the text `before` it.
    """
    now = theme.current()
    numbers = [format_number(value, digits) for digits in (3, 2, 1)]
    texts = [f"{before}{number}" for number in numbers] + [before.strip() + numbers[-1], *numbers]
    metrics, room = now.metrics(12.0, weight), width - now.px(3)
    return next((text for text in texts if metrics.horizontalAdvance(text) <= room), numbers[-1])


def _draw_captions(painter: QPainter, layout: Layout, scene: SampleScene) -> None:
    """Draws below each column what its numbers are, in words and as letters."""
    now, sketch = theme.current(), Sketch(painter)
    tall, wide = layout.boxes[0][0][3] >= now.px(BOTH), now.metrics("label").horizontalAdvance
    for column, x in enumerate(layout.columns):
        rect = QRectF(x - layout.step / 2, layout.foot + 2, layout.step, now.px(15))
        words, told = caption(scene, column), letters(scene, column, tall)
        if wide(words) > layout.step:
            words = words.partition(":")[0]
        if wide(told) > layout.step - now.px(4):
            told = told.partition("L/")[0]  # the neighbors' letters need the room
        sketch.text(rect, words)
        sketch.text(rect.translated(0, now.px(15)), told)


def caption(scene: SampleScene, column: int) -> str:
    """Returns the name of a column and of its numbers."""
    if column == 0:
        return "the point"
    words, shown = scene.sample.name_of_layer(column), KINDS.get(scene.kind(column), "")
    return f"{words}: {shown}" if shown else words


def letters(scene: SampleScene, column: int, tall: bool) -> str:
    """Returns the letters of a column's numbers; low neurons show only the gradient, once known."""
    name = scene.name(column)
    if scene.gradients[column] is None or not name:
        return name
    slope = f"\u2202L/\u2202{name}"
    return f"{name}, {slope}" if tall else slope


def output_lines(scene: SampleScene, width: float) -> list[str]:
    """Returns the output, its gradient and the loss, if known, in lines of `width`."""
    said, gradient, name = scene.values[-1], scene.gradients[-1], scene.name(-1)
    known = []
    if said is not None and len(said) == 1:
        known.append(f"{name} = {format_number(float(said[0]))}")
    if gradient is not None and len(gradient) == 1:
        known.append(f"\u2202L/\u2202{name} = {format_number(float(gradient[0]))}")
    if scene.loss is not None:
        known.append(f"loss L = {format_number(scene.loss)}")
    metrics = theme.current().metrics(SMALL, 600)
    lines: list[str] = []
    for one in known:
        longer = APART.join([*lines[-1:], one])
        if metrics.horizontalAdvance(longer) <= width - theme.current().px(12):
            lines[-1:] = [longer]
        else:
            lines.append(one)
    return lines


def output_box(layout: Layout, lines: int) -> QRectF:
    """Returns the box above the plane, in place of the tools, where it covers no point."""
    x, top, wide, _ = layout.plane
    tall = theme.current().px(LINE * lines + 2)
    return QRectF(x, top - tall - theme.current().px(2), wide, tall)


def draw_output(painter: QPainter, layout: Layout, scene: SampleScene) -> None:
    """Draws the output, and the loss once it is known, above the plane."""
    now = theme.current()
    lines = output_lines(scene, layout.plane[2])
    if not lines:
        return
    box = output_box(layout, len(lines))
    painter.setPen(now.pen("accent" if scene.column >= len(scene.sample.sizes) - 1 else "outline"))
    painter.setBrush(now.color("surface"))
    painter.drawRoundedRect(box, 6, 6)
    each = now.px(LINE)
    for number, line in enumerate(lines):
        rect = QRectF(box.x(), box.y() + now.px(1) + number * each, box.width(), each)
        put_text(painter, rect, line, now.font(SMALL, 600), now.color("text"))
