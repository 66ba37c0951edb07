"""A still layer is painted anew only where something that it shows is another one."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QBuffer, QPointF, QRectF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from explorer import theme
from explorer.widgets.still_layer import StillLayer


@pytest.fixture
def layer():
    """A layer, `draw(painter, key)` at (3, 2), and how often it was painted."""
    still = StillLayer()
    still.painted = 0

    def paint(painter: QPainter) -> None:
        still.painted += 1
        painter.fillRect(QRectF(0, 0, 4, 4), theme.current().color("accent"))

    still.draw_at = lambda painter, key: still.draw(painter, QPointF(3, 2), (4, 4), key, paint)
    return still


def test_it_is_painted_once_for_each_key_and_theme(layer, qapp):
    theme.apply(qapp, "light", 1.0, "off")
    image = QImage(10, 10, QImage.Format.Format_RGB32)
    image.fill(0xFFFFFFFF)
    painter = QPainter(image)
    for key, painted in (("a", 1), ("a", 1), ("b", 2), ("b", 2)):
        layer.draw_at(painter, key)
        assert layer.painted == painted
    theme.apply(qapp, "dark", 1.0, "off")
    layer.draw_at(painter, "b")
    assert layer.painted == 3
    layer.forget()
    layer.draw_at(painter, "b")
    assert layer.painted == 4
    painter.end()
    accent = theme.current().color("accent").rgb()
    filled = {(x, y) for x in range(10) for y in range(10) if image.pixel(x, y) == accent}
    assert filled == {(x, y) for x in range(3, 7) for y in range(2, 6)}


def test_vector_graphics_get_its_shapes_at_its_place(layer, qapp):
    buffer = QBuffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    painter = QPainter(generator)
    layer.draw_at(painter, "a"), layer.draw_at(painter, "a")
    painter.end()
    assert layer.painted == 2
    written = bytes(buffer.data()).decode()
    assert "<image" not in written and "matrix(1,0,0,1,3,2)" in written
