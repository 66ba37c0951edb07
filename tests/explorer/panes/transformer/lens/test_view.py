"""The pictures of Lens: what has no room is reached, what is clicked is told."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtTest import QTest

import core
from explorer.panes.transformer.lens.draw_table import Table, TableLayout
from explorer.panes.transformer.lens.draw_terms import Terms
from explorer.panes.transformer.lens.scene import Scene

DEEP = core.ModelConfig(vocab_size=40, block_size=32, n_layer=24, n_head=2, n_embd=8)
CHANGE = core.Intervention(heads=((3, 1),))


@pytest.fixture(scope="module")
def scenes():
    """Of a deep model, as it is and changed."""
    model = core.GPT(DEEP, torch.Generator().manual_seed(0)).eval()
    explain = partial(core.explain, model, list(range(20)), columns=range(16), position=15)
    changes = core.Intervention(), CHANGE
    return [Scene(explain(intervention=one), lambda token: b"%d" % token) for one in changes]


@pytest.fixture
def table(qtbot, scenes):
    shown = Table()
    qtbot.addWidget(shown)
    shown.resize(420, 260)
    shown.set_scene(scenes[0])
    return shown


def test_the_chosen_cell_is_seen_and_the_first_place_stands_at_the_bottom(table):
    last = table.scene.last, 15
    for chosen in ((0, 0), last, (20, 8)):
        table.set_chosen(*chosen)
        layout = table.layout_of(table.scene)
        assert layout.at(layout.cell(*chosen).center()) == chosen
        assert QRectF(table.rect()).contains(layout.cell(*chosen))
        table.grab()
        assert table.broken is None
    assert len(layout.rows) < last[0] and len(layout.columns) < 16
    assert layout.cell(21, 8).bottom() == pytest.approx(layout.cell(20, 8).top())
    assert table.table_labels()["words"][0][0] == "embedding"
    low = TableLayout(QRectF(0, 0, 10, 10), table.scene, (3, 3))  # no room at all
    assert list(low.rows) == [3] and list(low.columns) == [3]


def test_the_norms_of_the_stream_stand_beside_the_table_only_if_shown(table):
    ends = []
    for shown in (False, True):
        table.set_norms(shown)
        table.grab()
        assert table.broken is None
        ends.append(table.layout_of(table.scene).area.right())
    assert ends[1] < ends[0]


def test_clicks_and_arrows_choose_cells_and_a_token_its_column(table):
    told, (row, column) = [], (table.scene.last, 15)
    table.set_chosen(row, column)
    table.cellChosen.connect(lambda *cell: told.append(cell))
    place = table.layout_of(table.scene).cell(row - 2, column - 1).center()
    QTest.mouseClick(table, Qt.MouseButton.LeftButton, pos=place.toPoint())
    below = QPoint(int(place.x()), table.height() - 4)
    QTest.mouseClick(table, Qt.MouseButton.LeftButton, pos=below)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up):  # there is nothing above
        QTest.keyClick(table, key)
    assert told == [(row - 2, column - 1), (row, column - 1), (row - 1, column), (row, column - 1)]
    assert "the final prediction" in table.said_at(place)


def test_bars_are_picked_and_opened_by_pointer_and_keys(qtbot, scenes):
    terms = Terms()
    qtbot.addWidget(terms)
    for scene in scenes:
        terms.set_scene(scene)
        terms.resize(260, terms.minimumSizeHint().height())
        terms.grab()
        assert terms.broken is None and ("before" in terms.displayed()) == scene.found.is_changed
    told = {name: [] for name in ("picked", "opened")}
    for name, heard in told.items():
        getattr(terms, name).connect(heard.append)
    place = terms.rects(terms.scene)[5].center()
    QTest.mouseClick(terms, Qt.MouseButton.LeftButton, pos=place.toPoint())
    QTest.mouseClick(terms, Qt.MouseButton.RightButton, pos=place.toPoint())
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Right):
        QTest.keyClick(terms, key)
    assert told == {"picked": [5, 6], "opened": [5, 6]}
    terms.set_scene(scenes[0])  # what was picked has been switched
    QTest.keyClick(terms, Qt.Key.Key_Return)
    assert told["picked"] == [5, 6, 6]
    terms.set_scene(scenes[1])
    off = terms.displayed()["off"].tolist().index(True)
    assert terms.scene.found.terms[off][1].name == "head 3.1" and "switch it on" in terms.told(off)
    assert terms.said_at(place) == terms.told(5)
