"""Draws a point's path: numbers in the neurons, and what flows along the weights."""

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

BOTH = 30.0  # px: a lower neuron shows one number
STRENGTH = 0.45  # of a neuron's color
SMALL, LINE = 12.0, 16  # px: letters of what comes out, and the height of a line of them
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
    """The lines of a neuron, each on a background in the color of its number. The
    color of a gradient is as strong as it is large beside the largest of its column.
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
    """In the color of its sign, the stronger the larger; of one that is `largest` in full."""
    surface = theme.current().color("surface")
    if value == 0:
        return surface
    share = min(1.0, abs(value) / largest) if np.isfinite(value) else 1.0
    return theme.mix(surface, sign_color(value), STRENGTH * share)


def fitting(value: float, before: str, width: float, weight: int = 600) -> str:
    """A number with as many of three digits as there is room for, so that none is cut off; where
    there is little, without what stands before it.
    """
    now = theme.current()
    numbers = [format_number(value, digits) for digits in (3, 2, 1)]
    texts = [f"{before}{number}" for number in numbers] + [before.strip() + numbers[-1], *numbers]
    metrics, room = now.metrics(12.0, weight), width - now.px(3)
    return next((text for text in texts if metrics.horizontalAdvance(text) <= room), numbers[-1])


def _draw_captions(painter: QPainter, layout: Layout, scene: SampleScene) -> None:
    """Below each column: what its numbers are, in words and by their letter."""
    now, sketch = theme.current(), Sketch(painter)
    tall, wide = layout.boxes[0][0][3] >= now.px(BOTH), now.metrics("label").horizontalAdvance
    for column, x in enumerate(layout.columns):
        rect = QRectF(x - layout.step / 2, layout.foot + 2, layout.step, now.px(15))
        words, told = caption(scene, column), letters(scene, column, tall)
        if wide(words) > layout.step:
            words = words.partition(":")[0]
        if wide(told) > layout.step - now.px(4):
            told = told.partition("L/")[0]  # the neighbors have theirs
        sketch.text(rect, words)
        sketch.text(rect.translated(0, now.px(15)), told)


def caption(scene: SampleScene, column: int) -> str:
    """What a column is, and what of it is shown."""
    if column == 0:
        return "the point"
    words, shown = scene.sample.name_of_layer(column), KINDS.get(scene.kind(column), "")
    return f"{words}: {shown}" if shown else words


def letters(scene: SampleScene, column: int, tall: bool) -> str:
    """The letters of a column's numbers; low neurons show the gradient alone, once it is known."""
    name = scene.name(column)
    if scene.gradients[column] is None or not name:
        return name
    slope = f"\u2202L/\u2202{name}"
    return f"{name}, {slope}" if tall else slope


def output_lines(scene: SampleScene, width: float) -> list[str]:
    """The output, its gradient and the loss, as far as they are known, in lines of `width`."""
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
    """Above the plane, where its tools are while no point is followed: it covers no point."""
    x, top, wide, _ = layout.plane
    tall = theme.current().px(LINE * lines + 2)
    return QRectF(x, top - tall - theme.current().px(2), wide, tall)


def draw_output(painter: QPainter, layout: Layout, scene: SampleScene) -> None:
    """Above the plane: the output, and the loss once it is known."""
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
