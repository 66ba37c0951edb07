"""The column of a model's parts: where its rows are, and what has come through them."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from explorer import theme
from explorer.widgets.block_column import SPAN, BlockColumn, BlockRow

NOTHING = np.zeros(0)
ROWS = [
    BlockRow(f"block {index}", np.array([1.0, 10.0, 100.0]), np.array([0.5, 2.0]), "0.1")
    for index in range(4)
]


def heights(column: BlockColumn, color: QColor, shown: float) -> list[int]:
    """How many pixels of each row have a color in their highest column."""
    image = QImage(800, 300, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    column.draw(painter, shown)
    painter.end()
    found = []
    for index in range(len(column.rows)):
        rect = column.row(index).toRect()
        ys = range(rect.top(), rect.bottom() + 1)
        columns = range(rect.left(), rect.right())
        found.append(max(sum(image.pixelColor(x, y) == color for y in ys) for x in columns))
    return found


@pytest.fixture
def column(qapp: object) -> BlockColumn:
    return BlockColumn(QRectF(0, 0, 800, 300), ROWS, "sizes", "norms", "exchanges", [(0, 2)])


def test_a_point_is_in_a_row(column: BlockColumn) -> None:
    assert [column.index_at(column.row(at).center()) for at in range(4)] == [0, 1, 2, 3]
    assert column.index_at(QRectF(0, 0, 2, 2).center()) is None
    assert column.index_at(QRectF(0, 280, 2, 2).center()) is None


def test_bars_grow_as_something_comes_through(column: BlockColumn) -> None:
    color = theme.current().series(0)
    full = heights(column, color, 5)  # the frame of the last one is gone
    assert min(full) == max(full) > 30
    first, second, third, _ = heights(column, color, 1.5)
    assert first == full[0] and full[0] / 3 < second < full[0] and third == 0


def test_a_span_goes_as_far_as_rows_are_there(column: BlockColumn) -> None:
    color = theme.current().series(SPAN)
    assert [high > 0 for high in heights(column, color, 4)] == [True, True, True, False]
    assert [high > 0 for high in heights(column, color, 2)] == [True, True, False, False]
    assert not any(heights(column, color, 0.4))


def test_a_part_without_numbers_is_a_row_all_the_same(qapp: object) -> None:
    rows = [BlockRow("one", NOTHING, NOTHING, ""), BlockRow("two", np.full(9, np.nan), NOTHING, "")]
    assert heights(BlockColumn(QRectF(0, 0, 800, 300), rows, "sizes"), QColor("red"), 2) == [0, 0]
