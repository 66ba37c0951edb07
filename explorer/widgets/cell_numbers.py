"""Numbers in the cells of a heat map: three significant digits, or as many as fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from core.numbers import format_number, typeset
from explorer import theme
from explorer.widgets.base import put_text


def fitting_number(value: float, metrics: QFontMetricsF, width: float) -> str:
    """Formats `value` with up to three significant digits, fewer if wider than `width` px."""
    for digits in (3, 2, 1):
        text = format_number(value, digits)
        if metrics.horizontalAdvance(text) <= width:
            return text
    return typeset(f"{value:.0e}")


def draw_cell_numbers(
    painter: QPainter,
    values: np.ndarray,
    mask: np.ndarray | None,
    inks: Sequence[QColor],
    levels: np.ndarray,
    cell_rect: Callable[[int, int], QRectF],
) -> None:
    """Draws values (R, C) in the cells where `mask` is False, in the ink of their color level."""
    now = theme.current()
    font, metrics = now.font("label"), now.metrics("label")
    room = cell_rect(0, 0).width() - now.px(4)
    for row, column in np.ndindex(values.shape):
        if mask is None or not mask[row, column]:
            text = fitting_number(float(values[row, column]), metrics, room)
            put_text(painter, cell_rect(row, column), text, font, inks[levels[row, column]])
