"""A grid of switches and a table of check boxes: by mouse and by keys."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from explorer.widgets.check_table import CheckRow, CheckTable
from explorer.widgets.switch_grid import ALL, Switches, SwitchGrid

SCENE = Switches((("queries", "q"), ("keys", "k")), 3, frozenset({(0, 0), (0, 1), (0, 2), (1, 2)}))


@pytest.fixture
def grid(qtbot: Any) -> SwitchGrid:
    one = SwitchGrid("Matrices", "Kind", lambda row, column, on: f"{row} {column} {on}")
    qtbot.addWidget(one)
    one.set_scene(SCENE)
    one.resize(240, 80)
    return one


@pytest.mark.parametrize(
    ("place", "cells", "told"),
    [
        ((1, 2), [(1, 2)], "1 2 True"),
        ((0, ALL), [(0, 0), (0, 1), (0, 2)], "0 -1 True"),
        ((ALL, 1), [(0, 1), (1, 1)], "-1 1 False"),
        ((ALL, ALL), [(row, column) for row in range(2) for column in range(3)], "-1 -1 False"),
    ],
)
def test_a_cell_a_row_or_a_column_is_clicked(
    grid: SwitchGrid, place: tuple[int, int], cells: list[tuple[int, int]], told: str
) -> None:
    got: list[Any] = []
    grid.toggled.connect(got.append)
    center = grid.rect_of(place).center()
    assert grid.said_at(center) == told
    QTest.mouseClick(grid, Qt.MouseButton.LeftButton, pos=center.toPoint())
    assert got == [cells]
    grid.grab()
    assert grid.broken is None


def test_keys_go_through_the_grid_and_its_edges(grid: SwitchGrid) -> None:
    got: list[Any] = []
    grid.toggled.connect(got.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.Key.Key_Up, Qt.Key.Key_Up):
        QTest.keyClick(grid, key)
    QTest.keyClick(grid, Qt.Key.Key_Return)
    assert got == [[(0, 1)], [(0, 1), (1, 1)]]
    assert grid.accessibleDescription() == "-1 1 False"


def test_the_grid_as_a_table(grid: SwitchGrid) -> None:
    table = grid.displayed()
    assert table["kind"].tolist() == ["queries", "keys"]
    assert table["2"].tolist() == [True, True] and table["0"].tolist() == [True, False]
    assert grid.said_at(QPointF(239, 5)) == "" == grid.said_at(QPointF(5, 79))


def test_rows_are_checked(qtbot: Any) -> None:
    table, got = CheckTable("Methods", ("Method", "learns"), lambda row: f"row {row}"), []
    qtbot.addWidget(table)
    table.set_scene(
        [CheckRow("LoRA", 0, True, ("24",)), CheckRow("Full", 1, False, (), "not here")]
    )
    table.resize(240, 80)
    table.picked.connect(got.append)
    place = table.rects(table.scene or ())[1].center()
    assert table.said_at(place) == "row 1"
    QTest.mouseClick(table, Qt.MouseButton.LeftButton, pos=place.toPoint())
    QTest.keyClick(table, Qt.Key.Key_Up)
    QTest.keyClick(table, Qt.Key.Key_Return)
    assert got == [1, 0]
    shown = table.displayed()
    assert shown["learns"].tolist() == ["24", "not here"]
    assert shown["checked"].tolist() == [True, False]
    table.grab()
    assert table.broken is None
