"""Marks over and beside the cells of the mosaic: scores as bars, names of layers and heads."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QRectF, QSizeF, Qt
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.widgets.base import CENTER, RIGHT, put_text

CellRect = Callable[[int, int], QRectF]


def draw_scores(painter: QPainter, scores: np.ndarray, cell_rect: CellRect) -> None:
    """Draws a bar along each cell's lower edge, whose length is its score (L, H), 0..1."""
    now = theme.current()
    shares = np.clip(np.nan_to_num(scores), 0, 1).tolist()
    grounds, bars = [], []
    for layer, row in enumerate(shares):
        for head, share in enumerate(row):
            rect = cell_rect(layer, head)
            height = 3.0 if rect.height() >= 20 else 2.0
            ground = QRectF(rect.x(), rect.bottom() - height, rect.width(), height)
            grounds.append(ground)
            bars.append(QRectF(ground.topLeft(), QSizeF(rect.width() * share, height)))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)  # ten times as fast
    painter.setPen(Qt.PenStyle.NoPen)
    for rects, color in ((grounds, now.color("surface", 0.85)), (bars, now.color("accent"))):
        painter.setBrush(color)
        painter.drawRects(rects)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)


def draw_off(painter: QPainter, off: Sequence[tuple[int, int]], cell_rect: CellRect) -> None:
    """Hatches and crosses out the heads that are switched off."""
    now = theme.current()
    for layer, head in off:
        rect = cell_rect(layer, head)
        painter.fillRect(rect, now.color("surface", 0.6))
        painter.fillRect(rect, now.hatch())
        painter.setPen(now.pen("text", 1.5))
        painter.drawLine(rect.topLeft(), rect.bottomRight())
        painter.drawLine(rect.topRight(), rect.bottomLeft())


def draw_head_numbers(painter: QPainter, shape: tuple[int, int], cell_rect: CellRect) -> None:
    """Draws numbers of sorted heads in the corner of cells that causal attention leaves empty."""
    now = theme.current()
    if cell_rect(0, 0).height() < now.px(18):
        return
    font, ink = now.font("rail"), now.color("muted")
    for layer, head in np.ndindex(shape):
        rect = cell_rect(layer, head).adjusted(0, 0, -now.px(3), 0)
        rect.setHeight(now.px(14))
        put_text(painter, rect, str(head), font, ink, RIGHT)


def draw_names(
    painter: QPainter,
    shape: tuple[int, int],
    origin: tuple[float, float, float],
    cell: float,
    shown: tuple[int, int] | None,
    in_order: bool,
) -> None:
    """Draws as many names of layers (left) and heads (above) as fit, the `shown` head's bold.

    `origin` is the left and top of the cells, and their pitch.
    """
    now = theme.current()
    font, bold = now.font("label"), now.font("label", 600)
    muted, strong = now.color("muted"), now.color("text")
    left, top, pitch = origin
    layers, heads = shape
    metrics = now.metrics("label")
    height = metrics.height()
    words = "head" if in_order else "heads, sorted"
    wide = max(pitch * heads, metrics.horizontalAdvance(words))
    title = QRectF(left, 0, wide, top - height - now.px(2))
    put_text(painter, title, words, font, muted)
    every = max(1, math.ceil(height / pitch))
    for layer in range(0, layers, every):
        chosen = shown is not None and shown[0] == layer
        middle = top + layer * pitch + cell / 2
        rect = QRectF(0, middle - height / 2, left - now.px(6), height)
        text = f"L{layer}" if layers <= 100 else str(layer)
        put_text(painter, rect, text, bold if chosen else font, strong if chosen else muted, RIGHT)
    if in_order:
        every = max(1, math.ceil(metrics.horizontalAdvance("00") * 1.2 / pitch))
        for head in range(0, heads, every):
            chosen = shown is not None and shown[1] == head
            rect = QRectF(left + head * pitch - 6, top - height - 2, cell + 12, height)
            ink = strong if chosen else muted
            put_text(painter, rect, str(head), bold if chosen else font, ink, CENTER)
