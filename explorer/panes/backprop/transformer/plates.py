"""Where the plates of a scene lie on the stage, and how each is painted."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from explorer import theme
from explorer.panes.backprop.transformer.axes import axes_of
from explorer.panes.backprop.transformer.planes import Pooled, pool
from explorer.panes.backprop.transformer.scene import Plate, Scene
from explorer.panes.backprop.transformer.working import Worked
from explorer.theme_numbers import format_number
from explorer.widgets.base import CENTER, LEFT, RIGHT, elide, packed_image, packed_table, put_text
from explorer.widgets.color_bar import ColorBar

GAP, HEAD, TITLE, BAR = 36, 38, 20, 30  # px: between columns, above them, above a map, below it
CELL = 30  # px: a cell is not larger
LABELS = 52  # px for the tokens beside the rows
KEPT = 64  # images that are kept


@dataclass(frozen=True)
class Placed:
    """A plate with the rectangle that its map may fill, and that of the map itself."""

    plate: Plate
    area: QRectF
    map: QRectF
    size: tuple[int, int]  # of the matrix
    pooled: Pooled | None

    @property
    def cells(self) -> tuple[int, int]:
        return (1, 1) if self.pooled is None else self.pooled.values.shape

    def cell_rect(self, row: int, column: int) -> QRectF:
        rows, columns = self.cells
        high, wide = self.map.height() / rows, self.map.width() / columns
        return QRectF(self.map.x() + column * wide, self.map.y() + row * high, wide, high)

    def cell_at(self, place: QPointF) -> tuple[int, int] | None:
        if not self.map.contains(place):
            return None
        rows, columns = self.cells
        row = int((place.y() - self.map.y()) / self.map.height() * rows)
        column = int((place.x() - self.map.x()) / self.map.width() * columns)
        return min(row, rows - 1), min(column, columns - 1)


def place_plates(worked: Worked, scene: Scene, head: int, room: QRectF) -> tuple[Placed, ...]:
    """Columns of equal width; values above gradients, each with its title and its color bar."""
    now = theme.current()
    count = len(scene.columns)
    gap, top = now.px(GAP), now.px(HEAD)
    width = (room.width() - gap * (count - 1)) / count
    above, title = now.px(BAR), now.px(TITLE)
    height = (room.height() - top - title - 2 * above) / 2  # of a map
    found = []
    for plate in scene.plates:
        x = room.x() + plate.column * (width + gap)
        y = room.y() + top + plate.row * (height + above + title)
        found.append(_place(worked, plate, head, QRectF(x, y, width, height)))
    return tuple(found)


def _place(worked: Worked, plate: Plate, head: int, area: QRectF) -> Placed:
    now = theme.current()
    size = worked.plane(plate.what, head).size
    left = now.px(LABELS) if has_labels(worked, plate, area.width()) else 0
    inner = area.adjusted(left, 0, 0, 0)
    shown = None if plate.state in ("later", "none") else worked.pooled(plate.what, head)
    rows, columns = size
    wide = min(inner.width(), columns * now.px(CELL))
    high = min(inner.height(), rows * now.px(CELL))
    if size[0] == size[1] and rows <= 64:  # queries by keys: square
        wide = high = min(wide, high)
    box = QRectF(inner.x(), inner.y(), max(1.0, wide), max(1.0, high))
    if shown is not None:
        again = pool(shown.values, int(box.height()), int(box.width()))
        shown = Pooled(again.values, again.rows * shown.rows, again.columns * shown.columns)
    return Placed(plate, area, box, size, shown)


def has_labels(worked: Worked, plate: Plate, width: float) -> bool:
    """Tokens stand beside the rows where they leave the map most of the room."""
    rows = axes_of(worked, plate.what).rows
    return rows == "token" and width >= 3.5 * theme.current().px(LABELS)


class PlatePainter:
    """Paints placed plates; keeps their images, so that a frame only moves them."""

    def __init__(self) -> None:
        self._images: OrderedDict[tuple[Any, ...], QImage] = OrderedDict()

    def forget(self) -> None:
        self._images.clear()

    def draw(
        self, painter: QPainter, worked: Worked, one: Placed, head: int, share: float, left: bool
    ) -> None:
        """`share` 0..1 of a plate that is coming is there, from the left or from the right."""
        plate = one.plate
        if plate.state in ("later", "none"):
            self._blank(painter, one)
            return
        bar = bar_of(worked, plate)
        limits = bar.limits(np.zeros(1))
        array = worked.value(worked.node_of(plate.what))
        if array.size == 1:
            self._number(painter, one, worked, share)
            return
        image = self._image(worked, one, head, bar, limits)
        painter.save()
        if plate.state == "coming" and share < 1:
            seen = QRectF(one.map)
            seen.setWidth(one.map.width() * share)
            if not left:
                seen.moveRight(one.map.right())
            painter.setClipRect(seen)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(one.map, image)
        self._hatch(painter, one)
        painter.restore()
        now = theme.current()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(now.pen("divider"))
        painter.drawRect(one.map)
        self._labels(painter, worked, one)
        wide = min(one.area.right() - one.map.x(), max(one.map.width(), now.px(120)))
        place = QRectF(one.map.x(), one.map.bottom() + now.px(5), wide, now.px(26))
        bar.draw(painter, place, *limits)

    def _image(
        self, worked: Worked, one: Placed, head: int, bar: ColorBar, limits: tuple[float, float]
    ) -> QImage:
        key = (id(worked), one.plate.what, head, one.cells, theme.current().name)
        kept = self._images.get(key)
        if kept is None:
            assert one.pooled is not None
            packed = packed_table(bar.table())[bar.levels(one.pooled.values, *limits)]
            lost = ~np.isfinite(one.pooled.values)
            if lost.any():
                packed[lost] = theme.current().color("surface").rgb()
            kept = self._images[key] = packed_image(packed)
            while len(self._images) > KEPT:
                self._images.popitem(last=False)
        self._images.move_to_end(key)
        return kept

    def _hatch(self, painter: QPainter, one: Placed) -> None:
        """What is masked: minus infinity has no color."""
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

    def _blank(self, painter: QPainter, one: Placed) -> None:
        now = theme.current()
        pen = QPen(now.color("divider"), 1, Qt.PenStyle.DashLine)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(one.map)
        high = max(one.map.height(), now.px(36))
        room = QRectF(one.map.x(), one.map.y(), max(one.map.width(), now.px(96)), high)
        painter.setFont(now.font("label"))
        painter.setPen(now.color("muted"))
        flags = int(CENTER) | Qt.TextFlag.TextWordWrap
        painter.drawText(room.adjusted(4, 0, -4, 0), flags, one.plate.note)

    def _number(self, painter: QPainter, one: Placed, worked: Worked, share: float) -> None:
        """A single number is written out."""
        now = theme.current()
        array = worked.array(one.plate.what)
        text = "" if array is None else format_number(float(array.reshape(-1)[0]), 4)
        painter.setOpacity(share if one.plate.state == "coming" else 1.0)
        room = QRectF(one.map.x(), one.map.y(), one.area.right() - one.map.x(), now.px(36))
        put_text(painter, room, text, now.font("headline", 600), now.color("text"), LEFT)
        painter.setOpacity(1.0)

    def _labels(self, painter: QPainter, worked: Worked, one: Placed) -> None:
        if one.map.x() - one.area.x() < 8:
            return
        now, axes = theme.current(), axes_of(worked, one.plate.what)
        rows = one.cells[0]
        high = one.map.height() / rows
        font, line = now.font("label"), now.metrics("label").height()
        every = max(1, int(np.ceil(line * 0.95 / high)))
        wide = one.map.x() - one.area.x() - now.px(5)
        for row in range(0, rows, every):
            middle = one.map.y() + (row + 0.5) * high
            place = QRectF(one.area.x(), middle - line / 2, wide, line)
            text = axes.row(row).partition(" ")[2]
            put_text(painter, place, elide(text, font, wide), font, now.color("muted"), RIGHT)


def bar_of(worked: Worked, plate: Plate) -> ColorBar:
    """The scale of a plate: from all heads, so that it is the same for each and while playing."""
    bar = ColorBar()
    if plate.scale == "attention":
        bar.set_scale("attention")
    else:
        limit = worked.limit(plate.what)
        bar.set_scale("diverging", -limit, limit)
    return bar


def draw_heads(painter: QPainter, scene: Scene, placed: Sequence[Placed]) -> None:
    """Names and shapes of the columns, titles of the maps, and the arrows between them."""
    now = theme.current()
    bold, small = now.font("body", 600), now.font("label")
    for column, one in zip(scene.columns, placed[::2], strict=True):
        top = one.area.y() - now.px(HEAD)
        name = QRectF(one.area.x(), top, one.area.width(), now.px(18))
        ink = now.color("text")
        put_text(painter, name, elide(column.title, bold, name.width()), bold, ink, LEFT)
        shape = name.translated(0, now.px(17))
        put_text(painter, shape, column.shape, small, now.color("muted"), LEFT)
    for one in placed[1::2]:
        high = now.px(TITLE)
        place = QRectF(one.area.x(), one.area.y() - high, one.area.width(), high - now.px(2))
        ink = now.color("muted" if one.plate.state in ("later", "none") else "text")
        put_text(painter, place, elide(one.plate.title, small, place.width()), small, ink, LEFT)
    _draw_signs(painter, scene, placed)


def _draw_signs(painter: QPainter, scene: Scene, placed: Sequence[Placed]) -> None:
    now = theme.current()
    gap = now.px(GAP)
    last = len(scene.columns) - 1
    for place in range(last):
        left, below = placed[2 * place], placed[2 * place + 1]
        x = left.area.right() + gap / 2
        is_arrow = place == last - 1
        top = left.map.y() + min(left.map.height(), left.area.height()) / 2
        if is_arrow:
            ink = now.color("muted" if scene.backward else "accent")
            _arrow(painter, QPointF(x, top), gap * 0.5, 1, ink)
        if not is_arrow or last == 1:
            font = now.font("body", 600)
            lift = now.px(16) if is_arrow else 0
            wide = now.metrics("body", 600).horizontalAdvance(scene.sign)
            if is_arrow and wide > gap:
                font = now.font("label")
            box = QRectF(x - gap, top - now.px(10) - lift, 2 * gap, now.px(20))
            if not (is_arrow and wide > 1.8 * gap):
                put_text(painter, box, scene.sign, font, now.color("muted"), CENTER)
        if is_arrow:
            ink = now.color("accent" if scene.backward else "divider")
            middle = below.map.y() + below.map.height() / 2
            _arrow(painter, QPointF(x, middle), gap * 0.5, -1, ink)


def _arrow(painter: QPainter, middle: QPointF, length: float, way: int, ink: QColor) -> None:
    painter.setPen(QPen(ink, 2))
    half = length / 2 * way
    tip = QPointF(middle.x() + half, middle.y())
    painter.drawLine(QPointF(middle.x() - half, middle.y()), tip)
    painter.setBrush(ink)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPolygon(
        QPolygonF(
            [tip + QPointF(2 * way, 0), tip + QPointF(-5 * way, -4), tip + QPointF(-5 * way, 4)]
        )
    )
    painter.setBrush(Qt.BrushStyle.NoBrush)
