"""Word tables and signed bars: what has no room is reached, what is clicked is told."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest

from explorer.widgets.signed_bar import SignedBar
from explorer.widgets.signed_bars import SignedBars
from explorer.widgets.word_grid import WordGrid
from explorer.widgets.word_table import WordTable

ROWS, COLUMNS = 60, 20


@pytest.fixture
def table(qtbot):
    words = np.array([[f"{row}.{at}" for at in range(COLUMNS)] for row in range(ROWS)], object)
    shares = np.linspace(0, 1, ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    names = tuple(f"row {row}" for row in range(ROWS)), tuple(f"t{at}" for at in range(COLUMNS))
    shown = WordTable(lambda row, column: f"{row}, {column}")
    qtbot.addWidget(shown)
    shown.resize(420, 260)
    shown.set_scene(WordGrid(*names, words, shares, shares > 0.5, shares * 9, ("cells", "length")))
    shown.set_chosen(ROWS - 1, COLUMNS - 1)
    return shown


def turn(widget, x, y):
    wheel = QWheelEvent(
        QPointF(100, 100),
        QPointF(100, 100),
        QPoint(),
        QPoint(x, y),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    widget.wheelEvent(wheel)


def test_the_chosen_cell_is_seen_and_the_first_row_stands_at_the_bottom(table):
    for chosen in ((ROWS - 1, COLUMNS - 1), (0, 0), (30, 10)):
        table.set_chosen(*chosen)
        assert table.cell_at(table.cell(*chosen).center()) == chosen
        table.grab()
        assert table.broken is None
    assert table.cell(31, 10).bottom() == pytest.approx(table.cell(30, 10).top())
    assert table.table_labels()["words"][0][0] == "row 0"


def test_the_wheel_goes_on_to_what_has_no_room(table):
    shown = table.shown()
    assert shown[0] < ROWS and shown[1] < COLUMNS
    for _ in range(ROWS):
        turn(table, 120, -120)
    assert table.cell_at(table.cell(0, 0).center()) == (0, 0)
    for _ in range(ROWS):
        turn(table, -120, 120)
    assert table.cell_at(table.cell(ROWS - 1, COLUMNS - 1).center()) == (ROWS - 1, COLUMNS - 1)


def test_clicks_and_arrows_choose_cells_and_a_token_its_column(table, qtbot):
    told = []
    table.cellChosen.connect(lambda *cell: told.append(cell))
    place = table.cell(ROWS - 2, COLUMNS - 3).center()
    QTest.mouseClick(table, Qt.MouseButton.LeftButton, pos=place.toPoint())
    below = QPoint(int(place.x()), table.height() - 4)
    QTest.mouseClick(table, Qt.MouseButton.LeftButton, pos=below)
    QTest.keyClick(table, Qt.Key.Key_Down)
    QTest.keyClick(table, Qt.Key.Key_Up)  # there is nothing above
    last = ROWS - 1, COLUMNS - 1
    assert told == [(ROWS - 2, COLUMNS - 3), (last[0], COLUMNS - 3), (last[0] - 1, last[1])]
    assert table.said_at(place) == f"{ROWS - 2}, {COLUMNS - 3}"


@pytest.fixture
def bars(qtbot):
    shown = SignedBars("Who")
    qtbot.addWidget(shown)
    shown.resize(260, 180)  # ten lines
    parts = [SignedBar(f"part {at}", float(30 - at), tip=f"tip {at}") for at in range(30)]
    shown.set_bars([*parts, SignedBar("rest", -1.0, is_fixed=True, is_rest=True, tip="left over")])
    return shown


def at_line(line):
    return QPointF(50, line * 18 + 9)


def test_what_has_no_room_is_one_bar_and_the_wheel_reaches_it(bars):
    assert [bars.place_at(at_line(line)) for line in range(10)] == [*range(8), -1, 30]
    assert bars.said_at(at_line(9)) == "left over" and "others" in bars.said_at(at_line(8))
    for _ in range(100):
        turn(bars, 0, -120)
    assert bars.place_at(at_line(7)) == 29
    bars.grab()
    assert bars.broken is None and len(bars.displayed()["part"]) == 31


def test_a_click_chooses_what_can_be_switched(bars):
    told, opened = [], []
    bars.chosen.connect(told.append)
    bars.opened.connect(opened.append)
    for line in (2, 8, 9):
        QTest.mouseClick(bars, Qt.MouseButton.LeftButton, pos=at_line(line).toPoint())
    assert told == [2]
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Return, Qt.Key.Key_Right):
        QTest.keyClick(bars, key)
    assert told == [2, 29] and opened == [29]
    QTest.mouseClick(bars, Qt.MouseButton.RightButton, pos=at_line(1).toPoint())
    assert told == [2, 29] and opened == [29, bars.place_at(at_line(1))]
    assert bars.place_at(at_line(0)) > 0  # it has scrolled to what the keys chose


def test_bars_before_and_after_are_drawn_in_any_order_of_signs(bars, qtbot):
    bars.set_bars([SignedBar("a", 0.0, 3.0, is_off=True), SignedBar("b", -2.0, 1.0)])
    bars.grab()
    assert bars.broken is None
    assert bars.displayed()["before"].tolist() == [3.0, 1.0]
    bars.set_bars([])
    bars.grab()
    assert bars.broken is None
