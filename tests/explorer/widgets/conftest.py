"""Widgets in the light theme at zoom 1, deleted with their test."""

import pytest
from PySide6.QtGui import QImage

from explorer import theme


@pytest.fixture(autouse=True)
def light_theme(qapp):
    theme.apply(qapp, "light", zoom=1.0, motion="full")


def picture_of(widget, width=400, height=400) -> QImage:
    widget.resize(width, height)
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(theme.current().color("surface"))
    widget.render(image)
    return image
