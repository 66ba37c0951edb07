"""Numbers on screen: three significant digits everywhere, named rows and columns, fitting cells."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.numbers import MINUS
from explorer import theme
from explorer.widgets import live_numbers
from explorer.widgets.cell_numbers import fitting_number
from explorer.widgets.heat_map import HeatMap
from explorer.widgets.live_numbers import Equation, LiveNumbers, Terms, row_text
from explorer.widgets.numbers_table import NumbersTable


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.80904, "0.809"), (-0.0123, "\u22120.0123"), (12.345, "12.3"), (1.24e-5, "1.2e\u22125")],
)
def test_a_number_in_a_wide_cell_has_three_digits(value, text, qapp):
    assert fitting_number(value, theme.current().metrics("label"), 60) == text


@pytest.mark.parametrize("value", [0.80904, 0.0123, 0.00123, 0.000123, 0.0, 1.0, 0.99996])
def test_a_number_fits_the_smallest_cell_that_shows_numbers(value, qapp):
    metrics = theme.current().metrics("label")
    room = theme.current().px("cell_numbers") - 4
    text = fitting_number(value, metrics, room)
    assert metrics.horizontalAdvance(text) <= room
    shown = float(text.replace(MINUS, "-"))
    assert shown == pytest.approx(value, rel=0.4)


def test_live_numbers_have_three_digits():
    left, right = np.array([0.0004, 20.0]), np.array([0.5, 3.0464])
    assert row_text(Terms("score", left, right)) == (
        "score = 4.00e\u22124 \u00d7 0.500 + 20 \u00d7 3.05 = 60.9"
    )
    assert row_text(Equation("a", 0.80904)) == "a = 0.809"


def test_factors_and_product_have_three_digits_however_small_they_are():
    """With two, "1.2e-4 x -5.59 = -6.4e-4" would be shown, which is not so."""
    row = Terms("sum", np.array([1.146e-4, 2.31e-4]), np.array([-5.592, 2.553]))
    assert row_text(row).replace(MINUS, "-").replace("\u00d7", "*") == (
        "sum = 1.15e-4 * -5.59 + 2.31e-4 * 2.55 = -5.11e-5"
    )
    assert row_text(Equation("a", -3.44e-9)) == "a = \u22123.44e\u22129"
    assert row_text(Equation("a", 1e8)) == "a = 1.00e8"


def test_the_columns_of_small_numbers_have_room(qtbot, monkeypatch):
    """Nothing of a number is cut, in the narrowest inspector."""
    written = []
    monkeypatch.setattr(
        live_numbers, "put_text", lambda _, rect, text, font, *__: written.append((text, rect))
    )
    rows = LiveNumbers()
    qtbot.addWidget(rows)
    rows.resize(theme.current().px(320), 100)
    rows.set_rows([Terms("a", np.array([-1.2e-10, 2e-11]), np.array([1.0, 1.0]))])
    rows.grab()
    small = "\u22121.20e\u221210"
    wide = theme.current().metrics("body", 600).horizontalAdvance(small)
    places = [rect for text, rect in written if text == small]
    assert len(places) == 2 and all(wide <= rect.width() for rect in places)


def test_a_table_names_rows_and_columns_and_aligns_numbers_to_the_right(qtbot):
    table = NumbersTable()
    qtbot.addWidget(table)
    tokens, dimensions = ["0 Once", "1 \u2423upon"], ["d0", "d1", "d2"]
    table.set_tables(
        {"k": np.full((2, 3), -0.0123), "q": np.ones(3), "a": np.ones(2)},
        {"k": (tokens, dimensions), "q": (dimensions, ()), "a": (tokens, ())},
    )
    model, across = table.model, Qt.Orientation.Horizontal
    assert [model.headerData(i, across) for i in range(3)] == dimensions
    assert [model.headerData(i, Qt.Orientation.Vertical) for i in range(2)] == tokens
    assert model.data(model.index(1, 2)) == "\u22120.0123"
    role = Qt.ItemDataRole.TextAlignmentRole
    for alignment in (model.data(model.index(0, 0), role), model.headerData(0, across, role)):
        assert alignment & int(Qt.AlignmentFlag.AlignRight)
    table.names.setCurrentText("q")
    assert [model.headerData(i, Qt.Orientation.Vertical) for i in range(3)] == dimensions
    assert model.headerData(0, across) == "value"
    table.names.setCurrentText("a")
    assert [model.headerData(i, Qt.Orientation.Vertical) for i in range(2)] == tokens


def test_a_heat_map_names_its_table_by_tokens(qtbot):
    heat = HeatMap()
    qtbot.addWidget(heat)
    heat.set_values(np.eye(2))
    heat.set_labels(["Once", " upon"], ["Once", " upon"])
    rows, columns = heat.table_labels()["values"]
    assert rows == columns == ["0 Once", "1 \u2423upon"]


def test_the_name_of_a_table_and_of_its_columns_can_be_read_whole(qtbot):
    """Also of one that comes after the first look."""
    table = NumbersTable()
    qtbot.addWidget(table)
    table.resize(360, 300)
    table.set_tables({"q": np.zeros(2)})
    table.show()
    name = "learning rate"
    table.set_tables({name: np.zeros((3, 2))}, {name: ((), ("step", name))})
    QApplication.processEvents()
    box = table.names
    assert box.width() >= box.sizeHint().width() > box.fontMetrics().horizontalAdvance(name)
    header = table.grid.horizontalHeader()
    assert [table.model.headerData(i, Qt.Orientation.Horizontal) for i in (0, 1)] == ["step", name]
    assert header.sectionSize(1) >= header.fontMetrics().horizontalAdvance(name)


def test_live_numbers_grow_with_the_zoom(qapp, qtbot):
    rows = LiveNumbers()
    qtbot.addWidget(rows)
    rows.set_rows(["one", "two", "three"])
    before = rows.height()
    theme.apply(qapp, "light", zoom=1.5, motion="full")
    assert rows.height() == rows.sizeHint().height() > 1.3 * before


def test_a_copied_table_has_the_numbers_in_ascii(qtbot):
    """Its cells may hold numbers that are written already, and words."""
    table = NumbersTable()
    qtbot.addWidget(table)
    table.set_tables(
        {"all": np.array([["\u22120.5", "1e\u22128"], ["byte-level", "3 \u2212 1"]])}, {}
    )
    table.copy()
    assert QApplication.clipboard().text() == "-0.5\t1e-8\nbyte-level\t3 \u2212 1"
    table.grid.selectAll()
    table.show()
    table.activateWindow()
    table.grid.setFocus()
    QTest.keySequence(table.grid, QKeySequence(QKeySequence.StandardKey.Copy))
    assert QApplication.clipboard().text().startswith("-0.5\t1e-8\nbyte")
