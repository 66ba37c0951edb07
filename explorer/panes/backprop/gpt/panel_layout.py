"""The positions of a scene's panels in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPointF, QRectF

from explorer import theme
from explorer.panes.backprop.gpt.axis_labels import axes_of
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.matrix_view import Pooled, pool
from explorer.panes.backprop.gpt.scene import OperationScene, Panel

GAP, HEAD, TITLE, BAR = 36, 20, 22, 30  # px: between columns, a header line, a title, a color bar
CELL = 30  # px: the largest cell
WIDE_GAP = 96  # px, for an operation with one input: its name is above the arrow
NUMBER = 128  # px for a column of one number
LABELS = 52  # px for the tokens at the left of the rows


@dataclass(frozen=True)
class PlacedPanel:
    """A panel with its area, and the area of its map."""

    panel: Panel
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

    def span(self, row: int | None, column: int | None) -> QRectF:
        """Returns the area of a row, a column or a cell of the whole matrix in the picture."""
        assert self.pooled is not None
        rows, columns = self.cells
        top = 0 if row is None else min(rows - 1, row // self.pooled.rows)
        left = 0 if column is None else min(columns - 1, column // self.pooled.columns)
        first = self.cell_rect(top, left)
        last = self.cell_rect(
            rows - 1 if row is None else top, columns - 1 if column is None else left
        )
        return first.united(last)

    def cell_at(self, place: QPointF) -> tuple[int, int] | None:
        if not self.map.contains(place):
            return None
        rows, columns = self.cells
        row = int((place.y() - self.map.y()) / self.map.height() * rows)
        column = int((place.x() - self.map.x()) / self.map.width() * columns)
        return min(row, rows - 1), min(column, columns - 1)


Kept = dict[tuple[Any, ...], Pooled]  # arrays shrunk to the pixels of a map


def place_panels(
    worked: Worked, scene: OperationScene, head: int, room: QRectF, kept: Kept
) -> tuple[PlacedPanel, ...]:
    """Places values above gradients, each with its title and its color bar."""
    now = theme.current()
    count = len(scene.columns)
    gap = now.px(GAP if count > 2 else WIDE_GAP)
    widths = column_widths(worked, scene, room.width() - gap * (count - 1))
    top = now.px(HEAD) * heads_lines(scene, widths) + now.px(3)
    lefts = [room.x() + sum(widths[:place]) + gap * place for place in range(count)]
    above, title = now.px(BAR), now.px(TITLE)
    height = (room.height() - top - title - 2 * above) / 2  # of a map
    found = []
    for panel in scene.panels:
        y = room.y() + top + panel.row * (height + above + title)
        area = QRectF(lefts[panel.column], y, widths[panel.column], height)
        found.append(_place(worked, panel, head, area, kept))
    return tuple(found)


def heads_lines(scene: OperationScene, widths: Sequence[float]) -> int:
    """Returns 1 if every name fits beside its shape, else 2."""
    now = theme.current()
    bold, small = now.metrics("body", 600), now.metrics("label")
    for column, width in zip(scene.columns, widths, strict=True):
        wide = bold.horizontalAdvance(column.title) + small.horizontalAdvance(column.shape)
        if wide + now.px(10) > width:
            return 2
    return 1


def column_widths(worked: Worked, scene: OperationScene, room: float) -> list[float]:
    """Returns equal widths, except for single numbers, which need little."""
    single = [worked.value(worked.node_of(one.panels[0].what)).size == 1 for one in scene.columns]
    small = min(float(theme.current().px(NUMBER)), room / len(single))
    if not any(single):
        return [room / len(single)] * len(single)
    wide = (room - small * sum(single)) / max(1, len(single) - sum(single))
    return [small if one else wide for one in single]


def _place(worked: Worked, panel: Panel, head: int, area: QRectF, kept: Kept) -> PlacedPanel:
    now = theme.current()
    size = worked.plane(panel.what, head).size
    left = now.px(LABELS) if has_labels(worked, panel, size, area) else 0
    inner = area.adjusted(left, 0, 0, 0)
    rows, columns = size
    wide = min(inner.width(), columns * now.px(CELL))
    high = min(inner.height(), rows * now.px(CELL))
    if size[0] == size[1] and rows <= 64:  # queries by keys: square
        wide = high = min(wide, high)
    box = QRectF(inner.x(), inner.y(), max(1.0, wide), max(1.0, high))
    shown = None
    if panel.state not in ("later", "none"):
        key = (panel.what, head, int(box.height()), int(box.width()))
        shown = kept.get(key) or _shrunk(worked, panel, head, box)
        if shown is not None:
            kept[key] = shown
    return PlacedPanel(panel, area, box, size, shown)


def _shrunk(worked: Worked, panel: Panel, head: int, box: QRectF) -> Pooled | None:
    """Shrinks an array to the pixels of its map, starting from the engine's shrunk one."""
    known = worked.pooled(panel.what, head)
    if known is None:
        return None
    again = pool(known.values, int(box.height()), int(box.width()))
    return Pooled(again.values, again.rows * known.rows, again.columns * known.columns)


def has_labels(worked: Worked, panel: Panel, size: tuple[int, int], area: QRectF) -> bool:
    """True if tokens are written beside the rows: if the map still gets most of the area."""
    if axes_of(worked, panel.what).rows != "token" or size[0] == 1:
        return False
    room = theme.current().px(LABELS)
    square = size[0] == size[1] and area.width() - room >= area.height()
    return square or area.width() >= 3.5 * room
