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

GAP, HEAD, TITLE, BAR = 36, 20, 22, 30  # px: between columns, a line above, a title, a color bar
CELL = 30  # px: a cell is not larger
WIDE_GAP = 96  # px, where an operation has one input: its name stands over the arrow
NUMBER = 116  # px for a column of one number
LABELS = 52  # px for the tokens beside the rows
KEPT = 64  # images that are kept
GAMMA = 0.5  # the colors of gradients follow the root: few are large, many are small


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


Kept = dict[tuple[Any, ...], Pooled]  # what was shrunk to a map's pixels


def place_plates(
    worked: Worked, scene: Scene, head: int, room: QRectF, kept: Kept
) -> tuple[Placed, ...]:
    """Values above gradients, each with its title and its color bar."""
    now = theme.current()
    count = len(scene.columns)
    gap = now.px(GAP if count > 2 else WIDE_GAP)
    widths = column_widths(worked, scene, room.width() - gap * (count - 1))
    top = now.px(HEAD) * heads_lines(scene, widths) + now.px(3)
    lefts = [room.x() + sum(widths[:place]) + gap * place for place in range(count)]
    above, title = now.px(BAR), now.px(TITLE)
    height = (room.height() - top - title - 2 * above) / 2  # of a map
    found = []
    for plate in scene.plates:
        y = room.y() + top + plate.row * (height + above + title)
        area = QRectF(lefts[plate.column], y, widths[plate.column], height)
        found.append(_place(worked, plate, head, area, kept))
    return tuple(found)


def heads_lines(scene: Scene, widths: Sequence[float]) -> int:
    """Names and shapes stand beside each other where all of them can, else below each other."""
    now = theme.current()
    bold, small = now.metrics("body", 600), now.metrics("label")
    for column, width in zip(scene.columns, widths, strict=True):
        wide = bold.horizontalAdvance(column.title) + small.horizontalAdvance(column.shape)
        if wide + now.px(10) > width:
            return 2
    return 1


def column_widths(worked: Worked, scene: Scene, room: float) -> list[float]:
    """Equal shares of the room; a single number needs little of it."""
    single = [worked.value(worked.node_of(one.plates[0].what)).size == 1 for one in scene.columns]
    small = float(theme.current().px(NUMBER))
    if not any(single):
        return [room / len(single)] * len(single)
    wide = (room - small * sum(single)) / max(1, len(single) - sum(single))
    return [small if one else wide for one in single]


def _place(worked: Worked, plate: Plate, head: int, area: QRectF, kept: Kept) -> Placed:
    now = theme.current()
    size = worked.plane(plate.what, head).size
    left = now.px(LABELS) if has_labels(worked, plate, area.width()) else 0
    inner = area.adjusted(left, 0, 0, 0)
    rows, columns = size
    wide = min(inner.width(), columns * now.px(CELL))
    high = min(inner.height(), rows * now.px(CELL))
    if size[0] == size[1] and rows <= 64:  # queries by keys: square
        wide = high = min(wide, high)
    box = QRectF(inner.x(), inner.y(), max(1.0, wide), max(1.0, high))
    shown = None
    if plate.state not in ("later", "none"):
        key = (plate.what, head, int(box.height()), int(box.width()))
        shown = kept.get(key) or _shrunk(worked, plate, head, box)
        if shown is not None:
            kept[key] = shown
    return Placed(plate, area, box, size, shown)


def _shrunk(worked: Worked, plate: Plate, head: int, box: QRectF) -> Pooled | None:
    """To the pixels of its map, from what was shrunk on the engine already."""
    known = worked.pooled(plate.what, head)
    if known is None:
        return None
    again = pool(known.values, int(box.height()), int(box.width()))
    return Pooled(again.values, again.rows * known.rows, again.columns * known.columns)


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

    def draw_frame(self, painter: QPainter, worked: Worked, one: Placed) -> None:
        """What does not move: frame, tokens, color bar; or why there is nothing."""
        plate, now = one.plate, theme.current()
        if plate.state in ("later", "none"):
            self._blank(painter, one)
        elif worked.value(worked.node_of(plate.what)).size > 1:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(now.pen("divider"))
            painter.drawRect(one.map)
            self._labels(painter, worked, one)
            wide = min(one.area.right() - one.map.x(), max(one.map.width(), now.px(120)))
            place = QRectF(one.map.x(), one.map.bottom() + now.px(5), wide, now.px(26))
            bar = bar_of(worked, plate, "\u221a scale" if wide >= now.px(165) else "\u221a")
            bar.draw(painter, place, *bar.limits(np.zeros(1)))

    def draw_map(
        self, painter: QPainter, worked: Worked, one: Placed, head: int, share: float, left: bool
    ) -> None:
        """The numbers, of which `share` 0..1 is there, from the left or from the right."""
        if one.plate.state in ("later", "none"):
            return
        if worked.value(worked.node_of(one.plate.what)).size == 1:
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

    def _image(self, worked: Worked, one: Placed, head: int) -> QImage:
        key = (id(worked), one.plate.what, head, one.cells, theme.current().name)
        kept = self._images.get(key)
        if kept is None:
            assert one.pooled is not None
            bar, shown = bar_of(worked, one.plate), one.pooled.values
            limits = bar.limits(np.zeros(1))
            if one.plate.row and one.plate.scale == "diverging":
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
        if one.size == (1, 1):  # a number has no frame
            box = QRectF(one.area.x(), one.map.y(), one.area.width(), now.px(20))
            font = now.font("label")
            put_text(
                painter,
                box,
                elide(one.plate.note, font, box.width()),
                font,
                now.color("muted"),
                LEFT,
            )
            return
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
        painter.setOpacity(share)
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
            text = axes.label(row)
            put_text(painter, place, elide(text, font, wide), font, now.color("muted"), RIGHT)


def bar_of(worked: Worked, plate: Plate, root: str = "") -> ColorBar:
    """The scale of a plate: from all heads, so that it is the same for each and while playing.

    `root` tells that the colors of gradients follow the square root of their size.
    """
    bar = ColorBar()
    if plate.scale == "attention":
        bar.set_scale("attention")
    else:
        limit = worked.limit(plate.what)
        bar.set_scale("diverging", -limit, limit, root if plate.row else "")
    return bar


def draw_heads(painter: QPainter, scene: Scene, placed: Sequence[Placed]) -> None:
    """Names and shapes of the columns, titles of the maps, and the arrows between them."""
    now = theme.current()
    bold, small = now.font("body", 600), now.font("label")
    lines = heads_lines(scene, [one.area.width() for one in placed[::2]])
    for column, one in zip(scene.columns, placed[::2], strict=True):
        top = one.area.y() - now.px(HEAD) * lines - now.px(3)
        name = QRectF(one.area.x(), top, one.area.width(), now.px(18))
        ink = now.color("text")
        put_text(painter, name, elide(column.title, bold, name.width()), bold, ink, LEFT)
        wide = now.metrics("body", 600).horizontalAdvance(column.title) + now.px(8)
        shape = name.translated(0, now.px(17)) if lines > 1 else name.adjusted(wide, 0, 0, 0)
        put_text(painter, shape, column.shape, small, now.color("muted"), LEFT)
    for one in placed[1::2]:
        high = now.px(TITLE)
        place = QRectF(one.area.x(), one.area.y() - high, one.area.width(), high - now.px(4))
        ink = now.color("muted" if one.plate.state in ("later", "none") else "text")
        put_text(painter, place, elide(one.plate.title, small, place.width()), small, ink, LEFT)
    _draw_signs(painter, scene, placed)


def _draw_signs(painter: QPainter, scene: Scene, placed: Sequence[Placed]) -> None:
    """Between two inputs the sign; before the output an arrow, over it the name of a function."""
    now = theme.current()
    last = len(scene.columns) - 1
    for place in range(last):
        left, below, right = placed[2 * place], placed[2 * place + 1], placed[2 * place + 2]
        x = (left.area.right() + right.area.x()) / 2
        high = min(left.map.height(), right.map.height()) if place < last - 1 else left.map.height()
        top = left.map.y() + high / 2
        wide = right.area.x() - left.area.right()
        if place < last - 1 or last == 1:
            lift = now.px(18) if last == 1 else 0
            box = QRectF(x - wide / 2, top - now.px(10) - lift, wide, now.px(20))
            font = now.font("label" if last == 1 else "body", 600)
            put_text(painter, box, elide(scene.sign, font, wide), font, now.color("muted"), CENTER)
        if place == last - 1:
            length = now.px(GAP) * 0.5
            ink = now.color("muted" if scene.backward else "accent")
            _arrow(painter, QPointF(x, top), length, 1, ink)
            ink = now.color("accent" if scene.backward else "divider")
            middle = below.map.y() + below.map.height() / 2
            _arrow(painter, QPointF(x, middle), length, -1, ink)


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
