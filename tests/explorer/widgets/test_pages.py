"""Pages of which one is shown."""

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from explorer.widgets.pages import Pages


def test_pages_ask_for_the_room_of_the_one_that_is_shown(qtbot):
    low, high = QWidget(), QLabel("word " * 200)
    low.setMinimumSize(50, 40)
    high.setWordWrap(True)
    pages, outer = Pages(low, high), QWidget()
    qtbot.addWidget(outer)
    column = QVBoxLayout(outer)
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(pages)
    assert column.minimumSize().height() == 40 and not column.hasHeightForWidth()
    pages.setCurrentWidget(high)
    assert column.hasHeightForWidth()
    assert column.heightForWidth(200) == high.heightForWidth(200) > 100
    pages.setCurrentWidget(low)
    assert column.minimumSize().height() == 40 and not column.hasHeightForWidth()
