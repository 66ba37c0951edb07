"""A small map of clickable cells: layers by matrices, or by heads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter

from core.numbers import format_number
from explorer import theme
from explorer.widgets.base import CENTER, RIGHT, put_slanted
from explorer.widgets.choice_picture import NONE, ChoicePicture
from explorer.widgets.legend import put_legend
from explorer.widgets.sketch import Sketch, colors_of

ROW, LABEL, HIGH, WIDE = 52, 16, 40, 72  # px: names of rows; a line; the largest cell
DIGITS, SLANT = (
    34,
    0.7,
)  # px: the least cell with a number; height of a slanted name per length


@dataclass(frozen=True, eq=False)
class CellMapScene:
    """Values (R, C) from 0 up, NaN where there is none; `chosen` is a cell, counted row by row;
    `told` is the template of a tooltip; `legend` maps words to values shown in a line below, the
    largest in the strongest color; an empty one shows 0 and the largest cell.
    """

    rows: list[str]
    columns: list[str]
    values: np.ndarray
    chosen: int = NONE
    told: str = "{row}, {column}: {value}"
    legend: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        most = float(np.nanmax(self.values))
        ends = self.legend or {"0": 0.0, format_number(most, 2): most}
        object.__setattr__(self, "legend", ends)

    @property
    def most(self) -> float:
        """The value with the strongest color."""
        return max(self.legend.values()) or 1.0


class CellMap(ChoicePicture[CellMapScene]):
    """Emits `picked(cell)` on a click or Enter."""

    WANTED, LEAST = (200, 160), (120, 80)

    def displayed(self) -> dict[str, np.ndarray]:
        return {"values": self.scene.values} if self.scene is not None else {}

    def table_labels(self) -> dict[str, tuple[list[str], list[str]]]:
        return {"values": (self.scene.rows, self.scene.columns)} if self.scene is not None else {}

    def rects(self, scene: CellMapScene) -> list[QRectF]:
        now, (rows, columns) = theme.current(), scene.values.shape
        left, top, slanted = now.px(ROW), now.px(LABEL), self._slanted(scene)
        wide = min((self.width() - left - slanted) / columns, now.px(WIDE))
        top = slanted + now.px(LABEL / 2) if slanted else top
        foot = now.px(LABEL)
        high = min((self.height() - top - foot) / rows, now.px(HIGH))
        return [QRectF(left + at % columns * wide, top + at // columns * high, wide - 1, high - 1)
                for at in range(rows * columns)]  # fmt: skip

    def _slanted(self, scene: CellMapScene) -> float:
        """Returns the height and width (px) of the longest column name if slanted; 0 if all fit."""
        now, metrics = theme.current(), theme.current().metrics("label")
        longest = max(map(metrics.horizontalAdvance, scene.columns))
        wide = min((self.width() - now.px(ROW)) / len(scene.columns), now.px(WIDE))
        return SLANT * longest if longest > wide - 4 else 0.0

    def things(self) -> list[int]:
        values = self.scene.values if self.scene is not None else np.empty(0)
        return np.flatnonzero(np.isfinite(values)).tolist()

    def thing_at(self, point: QPointF) -> int:
        found = super().thing_at(point)
        return found if found in self.things() else NONE

    def told(self, thing: int) -> str:
        scene = self.scene
        if scene is None:
            return ""
        row, column = divmod(thing, scene.values.shape[1])
        number = format_number(float(scene.values[row, column]))
        names = {"row": scene.rows[row], "column": scene.columns[column]}
        return scene.told.format(**names, value=number)

    def draw_scene(self, painter: QPainter, scene: CellMapScene) -> None:
        sketch, now, rects = Sketch(painter), theme.current(), self.rects(scene)
        rows, columns, slanted = *scene.values.shape, self._slanted(scene)
        colors = colors_of(scene.values / scene.most, "attention")
        for at, rect in enumerate(rects):
            value = float(scene.values.flat[at])
            if not np.isfinite(value):
                painter.fillRect(rect, now.hatch())
                continue
            color = QColor.fromRgb(int(colors.flat[at]))
            sketch.fill(rect, color)
            sketch.frame(rect, "divider", 1, 0)
            if rect.width() >= now.px(DIGITS) and rect.height() >= now.px(LABEL):
                sketch.text(rect, format_number(value, 2), theme.ink_on(color))
            if at in (scene.chosen, self.hovered):
                ink = "accent" if at == scene.chosen else "text"
                sketch.frame(rect.adjusted(-1, -1, 1, 1), ink, 2, 2)
        every = max(1, round(now.px(LABEL - 3) / max(rects[0].height(), 1)))
        for at in range(0, rows, every):
            rect = rects[at * columns]
            place = QRectF(0, rect.top(), rect.left() - 6, rect.height())
            sketch.text(place, scene.rows[at], align=RIGHT, cut=True)
        for at, name in enumerate(scene.columns):
            rect = rects[at]
            if slanted:
                foot = QRectF(rect.center().x(), rect.top() - 4, 0, 0).topLeft()
                put_slanted(painter, foot, name, now.font("label"), now.color("muted"))
            else:
                place = QRectF(rect.left(), 0, rect.width(), now.px(LABEL))
                sketch.text(place, name, align=CENTER)
        marks = colors_of(np.array([*scene.legend.values()]) / scene.most, "attention")
        foot = QRectF(0, rects[-1].bottom() + 1, self.width(), now.px(LABEL))
        inks = (QColor.fromRgb(int(one)) for one in marks)
        put_legend(painter, foot, zip(scene.legend, inks, strict=True))
