"""What is written over the cells of the mosaic: scores as bars, the numbers of sorted heads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.widgets.base import RIGHT, put_text

CellRect = Callable[[int, int], QRectF]


def draw_scores(painter: QPainter, scores: np.ndarray, cell_rect: CellRect) -> None:
    """A bar along each cell's lower edge, as long as its score (L, H) is large (0..1)."""
    now = theme.current()
    painter.setPen(Qt.PenStyle.NoPen)
    for layer, head in np.ndindex(scores.shape):
        share = float(np.clip(np.nan_to_num(scores[layer, head]), 0, 1))
        rect = cell_rect(layer, head)
        height = 3.0 if rect.height() >= 20 else 2.0
        bar = QRectF(rect.x(), rect.bottom() - height, rect.width(), height)
        painter.fillRect(bar, now.color("surface", 0.85))
        bar.setWidth(rect.width() * share)
        painter.fillRect(bar, now.color("accent"))


def draw_head_numbers(painter: QPainter, shape: tuple[int, int], cell_rect: CellRect) -> None:
    """Sorted heads carry their number, in the corner that causal attention leaves empty."""
    now = theme.current()
    if cell_rect(0, 0).height() < now.px(18):
        return
    font, ink = now.font("rail"), now.color("muted")
    for layer, head in np.ndindex(shape):
        rect = cell_rect(layer, head).adjusted(0, 0, -now.px(3), 0)
        rect.setHeight(now.px(14))
        put_text(painter, rect, str(head), font, ink, RIGHT)
