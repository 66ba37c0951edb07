"""Widgets in the light theme at zoom 1, deleted with their test."""

import numpy as np
import pytest
from PySide6.QtGui import QImage

from explorer import theme
from explorer.widgets.head_mosaic import HeadMosaic
from explorer.widgets.pooling import pool_heads


@pytest.fixture(autouse=True)
def light_theme(qapp):
    theme.apply(qapp, "light", zoom=1.0, motion="full")


def picture_of(widget, width=400, height=400) -> QImage:
    widget.resize(width, height)
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(theme.current().color("surface"))
    widget.render(image)
    return image


def color_at(image, point):
    return image.pixelColor(round(point.x()), round(point.y()))


@pytest.fixture
def mosaic(qtbot):
    widget = HeadMosaic()
    qtbot.addWidget(widget)
    widget.resize(320, 320)
    maps = np.random.default_rng(0).integers(0, 256, (3, 4, 8, 8), dtype=np.uint8)
    widget.set_pooled(pool_heads(maps, 16))
    return widget
