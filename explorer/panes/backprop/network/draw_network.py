"""Draws the network: edges, each neuron's map, and a warning below a layer with problems."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPixmap

from core.numbers import format_percent
from explorer import theme
from explorer.panes.backprop.network.colors import enlarged, map_image
from explorer.panes.backprop.network.draft import REACH
from explorer.panes.backprop.network.draw_edges import draw_edge, draw_edges
from explorer.panes.backprop.network.draw_neuron import draw_dead, draw_outline, draw_ring
from explorer.panes.backprop.network.elements import Element, Neuron, Weight, is_dead, is_there
from explorer.panes.backprop.network.keyframe import RESOLUTION, Keyframe, signed
from explorer.panes.backprop.network.scene import Box, Layout
from explorer.widgets.base import ratio_of
from explorer.widgets.sketch import Sketch

FLAT = 0.5  # share of saturated outputs that calls for a warning
SIGN = "\u26a0"  # before a warning


class MapImages:
    """The maps of one keyframe as pixmaps, which are made when they are first drawn."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], QPixmap] = {}
        self._sheets: dict[tuple[int, int], QPixmap] = {}

    def clear(self) -> None:
        self._made.clear()
        self._sheets.clear()

    def get(self, keyframe: Keyframe, column: int, number: int) -> QPixmap:
        """Returns one neuron's map at its computed size."""
        key = (column, number)
        if key not in self._made:
            self._made[key] = QPixmap.fromImage(map_image(_maps(keyframe, column)[number]))
        return self._made[key]

    def _sheet(self, keyframe: Keyframe, column: int, pixels: int) -> QPixmap:
        """Returns all maps of a column below each other, each at the size at which it is drawn."""
        key = (column, pixels)
        if key not in self._sheets:
            maps = enlarged(_maps(keyframe, column), pixels)
            self._sheets[key] = QPixmap.fromImage(map_image(maps.reshape(-1, pixels)))
        return self._sheets[key]

    def _draw_map(
        self, painter: QPainter, keyframe: Keyframe, box: Box, column: int, number: int
    ) -> None:
        """Draws a map on whole device pixels, so that painting need not interpolate."""
        ratio = ratio_of(painter)
        pixels = max(1, round(box[2] * ratio))
        sheet = self._sheet(keyframe, column, pixels)
        x, y = (round(place * ratio) / ratio for place in box[:2])
        rect = QRectF(x, y, pixels / ratio, pixels / ratio)
        painter.drawPixmap(rect, sheet, QRectF(0, number * pixels, pixels, pixels))
        draw_outline(painter, rect)

    def draw_network(
        self,
        painter: QPainter,
        keyframe: Keyframe,
        layout: Layout,
        chosen: Element,
        hovered: Element,
    ) -> None:
        for layer, weights in enumerate(keyframe.weights):
            draw_edges(painter, layout, layer, weights, 1.0)
        for element in (chosen, hovered):
            draw_highlighted_edges(painter, keyframe, layout, element)
        for column, boxes in enumerate(layout.boxes):
            for number, box in enumerate(boxes):
                if is_dead(keyframe, column, number):
                    draw_dead(painter, box)
                else:
                    self._draw_map(painter, keyframe, box, column, number)
                if Neuron(column, number) in (chosen, hovered):
                    draw_ring(painter, box)
        draw_captions(painter, keyframe, layout)


def draw_highlighted_edges(
    painter: QPainter, keyframe: Keyframe, layout: Layout, element: Element
) -> None:
    """Draws a selected weight, or all weights into a selected neuron."""
    if isinstance(element, Weight) and is_there(element, keyframe.sizes):
        value = float(keyframe.weights[element.layer][element.before, element.after])
        draw_edge(painter, layout, (element.layer, element.before, element.after), value)
    elif isinstance(element, Neuron) and element.column and is_there(element, keyframe.sizes):
        weights = keyframe.weights[element.column - 1]
        for before in range(weights.shape[0]):
            value = float(weights[before, element.number])
            draw_edge(painter, layout, (element.column - 1, before, element.number), value)


def draw_captions(painter: QPainter, keyframe: Keyframe, layout: Layout) -> None:
    """Draws the names of inputs and columns, and warnings."""
    now, sketch = theme.current(), Sketch(painter)
    for number, (x, y, wide, high) in enumerate(layout.boxes[0]):
        sketch.text(QRectF(x, y + high + 1, wide, now.px(15)), f"x{number + 1}")
    for column, x in enumerate(layout.columns[1:], 1):
        rect = caption_room(layout, x)
        words, trouble = caption(keyframe, column, rect.width())
        sketch.text(rect, words)
        sketch.text(rect.translated(0, now.px(15)), trouble, "warning", weight=600)


def caption_room(layout: Layout, x: float) -> QRectF:
    """Returns the room below a column, clear of its neighbors and of the scale below the plane."""
    now = theme.current()
    left = x - layout.step / 2
    right = min(left + layout.step, layout.plane[0] - now.px(8))
    return QRectF(left, layout.foot + 2, right - left, now.px(15))


def caption(keyframe: Keyframe, column: int, width: float) -> tuple[str, str]:
    """Returns a column's name and a warning, shortened if columns are close to each other, so that
    no two captions touch.
    """
    now = theme.current()
    last = len(keyframe.sizes) - 1
    room = width - now.px(4)
    words, brief = ("outputs", "out") if column == last else (f"layer {column}", str(column))
    if now.metrics("label").horizontalAdvance(f"layer {last}") > room:
        words = brief
    trouble = trouble_of(keyframe, column) if column < last else ""
    told = f"{SIGN} {trouble}" if trouble else ""
    if now.metrics("label", 600).horizontalAdvance(told) > room:
        told = SIGN
    return words, told


def trouble_of(keyframe: Keyframe, column: int) -> str:
    """Returns a warning about a layer in two words, or ""."""
    if column > len(keyframe.layers):
        return ""
    layer = keyframe.layers[column - 1]
    dead = int(layer.dead.sum())
    if dead:
        return f"{dead} dead"
    return f"{format_percent(layer.saturated)} flat" if layer.saturated > FLAT else ""


def _maps(keyframe: Keyframe, column: int) -> np.ndarray:
    """Returns a column's maps (n, R, R) uint8; the inputs' maps are the coordinates themselves."""
    return keyframe.maps[column - 1] if column else _coordinates(len(keyframe.weights[0]))


@lru_cache(maxsize=4)
def _coordinates(n_inputs: int) -> np.ndarray:
    line = np.linspace(-1, 1, RESOLUTION)
    flat = np.broadcast_to(line, (RESOLUTION, RESOLUTION)) * REACH
    return np.stack([signed(flat if number == 0 else flat.T[::-1]) for number in range(n_inputs)])
