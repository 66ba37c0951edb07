"""Bars side by side, and each in a line."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from explorer.widgets.bars import draw_named_bar, draw_skyline

RED = QColor("#ff0000")


def painted(image: QImage) -> np.ndarray:
    """Where the color is. (height, width)"""
    return np.array(
        [[image.pixelColor(x, y) == RED for x in range(image.width())] for y in range(60)]
    )


def test_a_skyline_is_as_high_as_its_shares(qapp: object) -> None:
    image = QImage(100, 60, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    bars = draw_skyline(painter, QRectF(0, 0, 100, 60), np.array([1.0, 0.5, 0.0]), RED)
    narrow = draw_skyline(painter, QRectF(0, 0, 100, 60), np.array([0.5]), RED, widest=10)
    assert draw_skyline(painter, QRectF(0, 0, 100, 60), np.zeros(0), RED) == []
    painter.end()
    assert [bar.height() for bar in bars] == [60, 30, 1] and bars[0].bottom() == 60
    assert narrow[0].width() == 9
    columns = painted(image).sum(axis=0)
    assert columns[10] == 60 and columns[50] == 30


def test_a_named_bar_takes_its_share_of_the_line(qapp: object) -> None:
    widths = []
    for share in (1.0, 0.5):
        image = QImage(600, 60, QImage.Format.Format_RGB32)
        image.fill(QColor("white"))
        painter = QPainter(image)
        draw_named_bar(painter, QRectF(0, 20, 600, 20), "name", share, "50 %", RED)
        painter.end()
        widths.append(int(painted(image)[30].sum()))
    assert widths[0] > 200 and abs(widths[0] - 2 * widths[1]) <= 2
