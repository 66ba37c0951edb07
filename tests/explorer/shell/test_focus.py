"""The keyboard focus of what goes away stays where it was, and reaches no neighbor."""

from __future__ import annotations

import gc

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QComboBox,
    QMainWindow,
    QPushButton,
    QSpinBox,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from explorer.shell.focus import FocusKeeper, order_regions
from explorer.widgets.run_line import RunList, RunStatus
from tests.explorer.waiting import turn, wait_until


@pytest.fixture
def window(qtbot):
    """Three buttons in a box, one of which has the focus."""
    window = QMainWindow()
    qtbot.addWidget(window)
    FocusKeeper(window)
    box = QWidget()
    column = QVBoxLayout(box)
    window.pressed = []
    window.buttons = {}
    for name in ("pause", "stop", "delete"):
        button = QPushButton(name)
        button.clicked.connect(lambda _=False, name=name: window.pressed.append(name))
        column.addWidget(button)
        window.buttons[name] = button
    window.setCentralWidget(box)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    window.buttons["pause"].setFocus()
    wait_until(lambda: window.buttons["pause"].hasFocus())
    return window


@pytest.mark.parametrize("goes", ["hide", "disable"])
def test_the_next_space_presses_nothing_that_nobody_chose(window, goes):
    if goes == "hide":
        window.buttons["pause"].hide()
    else:
        window.buttons["pause"].setEnabled(False)
    QTest.keyClick(window.focusWidget() or window, Qt.Key.Key_Space)
    assert window.pressed == []
    assert window.focusWidget() is window.centralWidget()
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
    assert window.focusWidget() in window.buttons.values(), "Tab goes on from the same place"


def test_an_heir_that_was_chosen_keeps_the_focus(window):
    window.buttons["pause"].hide()
    window.buttons["delete"].setFocus()
    assert window.buttons["delete"].hasFocus()
    window.buttons["stop"].setFocus()
    window.buttons["delete"].hide()
    assert window.buttons["stop"].hasFocus()


def test_a_run_that_leaves_the_list_gives_its_key_to_no_other(window, qtbot):
    """The popover of the runs that train: Space was meant for the one that has just ended."""
    runs = RunList(window.centralWidget())
    asked = []
    for signal in (runs.pauseRequested, runs.resumeRequested, runs.stopRequested, runs.clicked):
        signal.connect(asked.append)
    first, second = (RunStatus(n, "running", 3, 9, folder=f"/{n}") for n in ("first", "second"))
    runs.set_runs([first, second])
    runs.open_above(QPoint(0, 200), 400)
    wait_until(lambda: runs.lines["/first"].pause.hasFocus())
    runs.set_runs([second])
    QTest.keyClick(runs.focusWidget() or runs, Qt.Key.Key_Space)
    assert asked == []
    runs.hide()


def test_tab_goes_from_region_to_region_whatever_was_made_last(window):
    whole = window.centralWidget()
    last = QPushButton("made last, seen first", whole)
    first = QPushButton("hidden", whole)
    first.hide()
    whole.layout().insertWidget(0, last)
    regions = [last, window.buttons["stop"], window.buttons["pause"], window.buttons["delete"]]
    last.show()
    order_regions(regions)
    last.setFocus()
    for region in regions[1:]:
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        assert window.focusWidget() is region


def test_tab_goes_through_the_parts_of_a_splitter_as_they_were_added(window):
    """Qt has them the other way round."""
    splitter = QSplitter()
    parts = [QPushButton(name) for name in ("upper", "lower")]
    for part in parts:
        splitter.addWidget(part)
    window.centralWidget().layout().addWidget(splitter)
    turn()
    order_regions([splitter])
    parts[0].setFocus()
    QTest.keyClick(parts[0], Qt.Key.Key_Tab)
    assert window.focusWidget() is parts[1]


def test_a_field_in_a_menu_is_one_stop_with_it(window):
    box, after = QComboBox(), QPushButton("after")
    box.setEditable(True)
    for widget in (box, after):
        window.centralWidget().layout().addWidget(widget)
    turn()
    order_regions([window.centralWidget()])
    window.buttons["delete"].setFocus()
    seen = []
    for _ in range(2):
        QTest.keyClick(window.windowHandle(), Qt.Key.Key_Tab)
        seen.append(window.focusWidget())
    assert seen == [box, after]


@pytest.mark.parametrize("field", [QComboBox, QSpinBox])
def test_a_collection_after_tab_leaves_every_widget_there(window, field):
    """A field and the line in it were each other's children for PySide, which nothing else held:
    collected, they were deleted while the window still showed them, and what came after them too.
    """
    page = window.centralWidget().layout()
    page.addWidget(made := field())
    if field is QComboBox:
        made.setEditable(True)
    page.addWidget(QPushButton("after"))
    del made
    turn()
    before = page.count()
    order_regions([window.centralWidget()])
    gc.collect()
    assert page.count() == before
