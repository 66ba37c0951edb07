"""A scroll area comes to rest, whatever its page makes of the width that the bar leaves it."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer.widgets.choice_picture import ChoicePicture
from explorer.widgets.heat_map import HeatMap
from explorer.widgets.scroll_area import ScrollArea
from tests.explorer.waiting import turn

ENDLESS = 100


class Lower(QWidget):
    """Needs less height where it is narrower than `whole`, as a card that puts its icon elsewhere.
    Gives in after a while: without an end the test would take all others along.
    """

    def __init__(self, whole: int) -> None:
        super().__init__()
        self.whole, self.resized = whole, 0

    def minimumSizeHint(self) -> QSize:
        tall = self.width() >= self.whole and self.resized < ENDLESS
        return QSize(20, 300 if tall else 50)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.resized += 1
        self.updateGeometry()


@pytest.fixture
def area(qtbot):
    """Of 200 x 200, with a page that needs the bar only as long as there is none."""
    part, page = Lower(200), QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(part)
    area = ScrollArea(page)
    area.part = part
    qtbot.addWidget(area)
    area.resize(200, 200)
    area.show()
    qtbot.waitExposed(area)
    return area


def at_rest(area: ScrollArea) -> int:
    """How often the part has been resized when nothing changes any more."""
    before = -1
    while before != area.part.resized:
        before = area.part.resized
        turn()
    return before


def test_a_bar_that_is_needed_only_without_it_stays(area):
    """It came and went within one call of Qt, until the stack was full: a segmentation fault."""
    assert at_rest(area) < ENDLESS
    assert area.verticalScrollBar().isVisible() and area.part.width() < 200


def test_another_size_is_another_question(area):
    at_rest(area)
    area.resize(250, 400)
    assert at_rest(area) < ENDLESS
    assert not area.verticalScrollBar().isVisible() and area.part.width() == 250


class Rows(ChoicePicture[int]):
    """So many rows of 20 px."""

    def rects(self, scene: int) -> list[QRectF]:
        return [QRectF(0, 20 * at, 100, 20) for at in range(scene)]

    def told(self, thing: int) -> str:
        return f"row {thing}"

    def draw_scene(self, painter: object, scene: int) -> None:
        """Nothing: where its rows stand is enough."""

    def displayed(self) -> dict:
        return {}

    def minimumSizeHint(self) -> QSize:
        return QSize(100, 20 * (self.scene or 0))


def test_a_row_that_the_keys_go_to_comes_into_sight_and_stays_chosen(qtbot):
    rows = Rows("rows")
    rows.set_scene(30)
    area = ScrollArea(rows)
    qtbot.addWidget(area)
    area.resize(120, 100)
    area.show()
    qtbot.waitExposed(area)
    for at in range(10):
        QTest.keyClick(rows, Qt.Key.Key_Down)
        assert rows.hovered == at
        seen = rows.visibleRegion().boundingRect()
        assert seen.contains(rows.rects(30)[at].toRect().adjusted(0, 0, -2, -1))
    rows.set_scene(15)
    assert rows.hovered == 9, "its scene is another one, and it has such a row"
    rows.set_scene(5)
    assert rows.hovered < 0


def test_keys_and_tab_bring_a_cell_into_sight_through_all_areas(qtbot):
    heat = HeatMap("weights")
    heat.setFixedSize(600, 600)
    heat.set_values(np.eye(30))
    page = QWidget()
    column = QVBoxLayout(page)
    column.addWidget(ScrollArea(heat, sideways=True))
    page.setMinimumHeight(700)
    area = ScrollArea(page)
    qtbot.addWidget(area)
    area.resize(200, 150)
    area.show()
    qtbot.waitExposed(area)
    heat.setFocus(Qt.FocusReason.TabFocusReason)

    def is_seen(row: int, column: int) -> bool:
        seen = heat.visibleRegion().boundingRect()
        return seen.contains(heat.cell_rect(row, column).center().toPoint())

    for at in range(29):
        QTest.keyClick(heat, Qt.Key.Key_Down)
        QTest.keyClick(heat, Qt.Key.Key_Right)
        assert is_seen(at + 1, at + 1), at
    area.verticalScrollBar().setValue(0)
    assert not is_seen(29, 29)
    area.ensureWidgetVisible(heat)
    assert is_seen(29, 29)


class Squares(Rows):
    """Four side by side."""

    def columns(self) -> int:
        return 4


def test_arrow_keys_go_through_things_that_stand_in_a_grid(qtbot):
    squares = Squares("squares")
    qtbot.addWidget(squares)
    squares.set_scene(10)
    key = Qt.Key
    ways = (
        (key.Key_Down, 0), (key.Key_Right, 1), (key.Key_Down, 5), (key.Key_Down, 9),
        (key.Key_Down, 9), (key.Key_Right, 9), (key.Key_Left, 8), (key.Key_Left, 8),
        (key.Key_Up, 4), (key.Key_Up, 0), (key.Key_Up, 0),
    )  # fmt: skip
    for way, at in ways:
        QTest.keyClick(squares, way)
        assert squares.hovered == at
    rows = Rows("rows")
    qtbot.addWidget(rows)
    rows.set_scene(3)
    QTest.keyClick(rows, key.Key_Down)
    QTest.keyClick(rows, key.Key_Right)
    assert rows.hovered == 0, "the player's"
