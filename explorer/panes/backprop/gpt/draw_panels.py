"""Paints the panels of a scene: heat maps of arrays, their titles, and the arrows between them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPen

from core.numbers import format_number
from explorer import theme
from explorer.panes.backprop.gpt.axis_labels import axes_of
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.panel_layout import (
    GAP,
    HEAD,
    TITLE,
    PlacedPanel,
    heads_lines,
)
from explorer.panes.backprop.gpt.scene import SHARE, OperationScene, Panel
from explorer.widgets.base import LEFT, RIGHT, packed_image, packed_table, put_text, put_words
from explorer.widgets.color_bar import ColorBar
from explorer.widgets.sketch import Sketch

KEPT = 64  # images in the cache
WORDS = 96  # px, the least width of a note in place of a heat map
GAMMA = 0.5  # gradients are colored by their root: few are large, many are small


class PanelPainter:
    """Paints placed panels, and caches their images."""

    def __init__(self) -> None:
        self._images: OrderedDict[tuple[Any, ...], QImage] = OrderedDict()

    def forget(self) -> None:
        self._images.clear()

    def draw_frame(self, painter: QPainter, worked: Worked, one: PlacedPanel) -> None:
        """Draws the static part: frame, tokens and color bar, or the reason why there is no map."""
        panel, now = one.panel, theme.current()
        if panel.state in ("later", "none"):
            self._blank(painter, one)
        elif worked.value(worked.node_of(panel.what)).size > 1:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(now.pen("divider"))
            painter.drawRect(one.map)
            self._labels(painter, worked, one)
            wide = min(one.area.right() - one.map.x(), max(one.map.width(), now.px(120)))
            place = QRectF(one.map.x(), one.map.bottom() + now.px(5), wide, now.px(26))
            bar = bar_of(worked, panel, "\u221a scale" if wide >= now.px(165) else "\u221a")
            bar.draw(painter, place, *bar.limits(np.zeros(1)))

    def draw_map(
        self,
        painter: QPainter,
        worked: Worked,
        one: PlacedPanel,
        head: int,
        share: float,
        left: bool,
    ) -> None:
        """Draws a fraction `share` (0..1) of the numbers, from the left or from the right."""
        if one.panel.state in ("later", "none"):
            return
        if worked.value(worked.node_of(one.panel.what)).size == 1:
            self._number(painter, one, worked, share)
            return
        painter.save()
        if share < 1:
            seen = QRectF(one.map)
            seen.setWidth(one.map.width() * share)
            if not left:
                seen.moveRight(one.map.right())
            painter.setClipRect(seen)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(one.map, self._image(worked, one, head))
        self._hatch(painter, one)
        painter.restore()

    def _image(self, worked: Worked, one: PlacedPanel, head: int) -> QImage:
        key = (id(worked), one.panel.what, head, one.cells, theme.current().name)
        kept = self._images.get(key)
        if kept is None:
            assert one.pooled is not None
            bar, shown = bar_of(worked, one.panel), one.pooled.values
            limits = bar.limits(np.zeros(1))
            if one.panel.row and one.panel.scale == "diverging":
                shown = limits[1] * np.sign(shown) * (np.abs(shown) / limits[1]) ** GAMMA
            packed = packed_table(bar.table())[bar.levels(shown, *limits)]
            lost = ~np.isfinite(one.pooled.values)
            if lost.any():
                packed[lost] = theme.current().color("surface").rgb()
            kept = self._images[key] = packed_image(packed)
            while len(self._images) > KEPT:
                self._images.popitem(last=False)
        self._images.move_to_end(key)
        return kept

    def _hatch(self, painter: QPainter, one: PlacedPanel) -> None:
        """Hatches masked cells, since minus infinity has no color."""
        assert one.pooled is not None
        lost = ~np.isfinite(one.pooled.values)
        if not lost.any():
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.current().hatch())
        for row in range(lost.shape[0]):
            edges = np.flatnonzero(np.diff(np.r_[0, lost[row].astype(np.int8), 0])).tolist()
            for start, end in zip(edges[::2], edges[1::2], strict=True):
                cell = one.cell_rect(row, start)
                cell.setWidth(cell.width() * (end - start))
                painter.drawRect(cell)

    def _blank(self, painter: QPainter, one: PlacedPanel) -> None:
        now = theme.current()
        if one.size == (1, 1):  # a single number has no frame
            box = QRectF(one.area.x(), one.map.y(), one.area.width(), now.px(20))
            Sketch(painter).text(box, one.panel.note, align=LEFT, cut=True)
            return
        painter.setPen(QPen(now.color("divider"), 1, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        room = blank_room(one)
        painter.drawRect(room)
        words = room.adjusted(4, 0, -4, 0)
        put_words(painter, words, one.panel.note, now.font("label"), now.color("muted"))

    def _number(self, painter: QPainter, one: PlacedPanel, worked: Worked, share: float) -> None:
        """Writes a single number."""
        now = theme.current()
        array = worked.array(one.panel.what)
        text = "" if array is None else format_number(float(array.reshape(-1)[0]), 4)
        painter.setOpacity(share)
        room = QRectF(one.map.x(), one.map.y(), one.area.right() - one.map.x(), now.px(36))
        put_text(painter, room, text, now.font("headline", 600), now.color("text"), LEFT)
        painter.setOpacity(1.0)

    def _labels(self, painter: QPainter, worked: Worked, one: PlacedPanel) -> None:
        if one.map.x() - one.area.x() < 8:
            return
        now, axes, sketch = theme.current(), axes_of(worked, one.panel.what), Sketch(painter)
        rows, line = one.cells[0], now.metrics("label").height()
        high = one.map.height() / rows
        wide = one.map.x() - one.area.x() - now.px(5)
        for row in range(0, rows, max(1, int(np.ceil(line * 0.95 / high)))):
            middle = one.map.y() + (row + 0.5) * high
            place = QRectF(one.area.x(), middle - line / 2, wide, line)
            sketch.text(place, axes.label(row), align=RIGHT, cut=True)


def blank_room(one: PlacedPanel) -> QRectF:
    """Returns the area of a note in place of a map, widened if the map is too small."""
    now, room = theme.current(), QRectF(one.map)
    room.setHeight(max(room.height(), now.px(36)))
    if room.width() < now.px(WORDS):
        room.setWidth(min(now.px(WORDS), one.area.width()))
        room.moveRight(min(room.right(), one.area.right()))
    return room


def bar_of(worked: Worked, panel: Panel, root: str = "") -> ColorBar:
    """Returns the color bar of a panel, the same for all heads.

    `root` notes that the colors of gradients follow the square root of their magnitude.
    """
    bar = ColorBar()
    if panel.scale == "attention":
        bar.set_scale("attention")
    else:
        limit = worked.limit(panel.what)
        bar.set_scale("diverging", -limit, limit, root if panel.row else "")
    return bar


def draw_heads(painter: QPainter, scene: OperationScene, placed: Sequence[PlacedPanel]) -> None:
    """Draws names and shapes of the columns, titles of the maps, and the arrows between them."""
    now, sketch = theme.current(), Sketch(painter)
    lines = heads_lines(scene, [one.area.width() for one in placed[::2]])
    for column, one in zip(scene.columns, placed[::2], strict=True):
        top = one.area.y() - now.px(HEAD) * lines - now.px(3)
        name = QRectF(one.area.x(), top, one.area.width(), now.px(18))
        sketch.text(name, column.title, "text", LEFT, "body", 600, cut=True)
        wide = now.metrics("body", 600).horizontalAdvance(column.title) + now.px(8)
        shape = name.translated(0, now.px(17)) if lines > 1 else name.adjusted(wide, 0, 0, 0)
        fits = now.metrics("label").horizontalAdvance(column.shape) <= shape.width()
        written = column.shape if fits else column.shape.replace(" ", "")
        sketch.text(shape, written, align=LEFT, cut=True)
    for one in placed[1::2]:
        high, title = now.px(TITLE), one.panel.title
        place = QRectF(one.area.x(), one.area.y() - high, one.area.width(), high - now.px(4))
        if now.metrics("label").horizontalAdvance(title) > place.width():
            title = title.replace(SHARE, "+= ")  # the formula's notation
        ink = "muted" if one.panel.state in ("later", "none") else "text"
        sketch.text(place, title, ink, LEFT, cut=True)
    _draw_signs(sketch, scene, placed)


def _draw_signs(sketch: Sketch, scene: OperationScene, placed: Sequence[PlacedPanel]) -> None:
    """Draws the sign between inputs or above a single input's arrow, and the output's arrows."""
    now, last = sketch.now, len(scene.columns) - 1
    for place in range(last):
        left, below, right = placed[2 * place], placed[2 * place + 1], placed[2 * place + 2]
        x = (left.area.right() + right.area.x()) / 2
        high = min(left.map.height(), right.map.height()) if place < last - 1 else left.map.height()
        top = left.map.y() + high / 2
        wide = right.area.x() - left.area.right()
        if place < last - 1 or last == 1:
            lift = now.px(18) if last == 1 else 0
            box = QRectF(x - wide / 2, top - now.px(10) - lift, wide, now.px(20))
            size = "label" if last == 1 else "body"
            sketch.text(box, scene.sign, size=size, weight=600, cut=True)
        if place == last - 1:
            half = QPointF(now.px(GAP) / 4, 0)
            ends = QPointF(x, top) - half, QPointF(x, top) + half
            sketch.arrow(ends, "muted" if scene.backward else "accent", 2)
            middle = QPointF(x, below.map.center().y())
            back = middle + half, middle - half
            sketch.arrow(back, "accent" if scene.backward else "divider", 2)
