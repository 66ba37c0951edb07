"""A scroll area comes to rest, whatever its page makes of the width that the bar leaves it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

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
