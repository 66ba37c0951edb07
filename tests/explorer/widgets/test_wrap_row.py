"""Controls in rows: none is narrower than its words."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from explorer.widgets.wrap_row import WrapRow, expanding
from tests.explorer.waiting import turn

SIZE = (100, 20)
GAP = 8


@pytest.fixture
def host(qtbot):
    host = QWidget()
    qtbot.addWidget(host)
    row = WrapRow(GAP)
    for _ in range(3):
        part = QFrame(host)
        part.setFixedSize(*SIZE)
        row.addWidget(part)
    column = QVBoxLayout(host)
    column.setContentsMargins(0, 0, 0, 0)
    column.addLayout(row)
    column.addStretch(1)
    host.show()
    return host


def places(host: QWidget, width: int) -> list[tuple[int, int]]:
    host.resize(width, 200)
    turn()
    return [(one.x(), one.y()) for one in host.findChildren(QFrame) if one.isVisible()]


def test_controls_go_on_in_further_rows_and_come_back(host):
    wide = [(0, 0), (108, 0), (216, 0)]
    assert places(host, 316) == wide
    assert places(host, 315) == [(0, 0), (108, 0), (0, 28)]
    assert places(host, 110) == [(0, 0), (0, 28), (0, 56)]
    assert places(host, 500) == wide
    assert host.layout().minimumSize().height() == 20


def test_a_row_begins_behind_what_stands_before_it(host):
    row = host.layout().itemAt(0).layout()
    row.set_lead(QSize(50, 30))
    assert places(host, 400) == [(58, 5), (166, 5), (274, 5)]
    assert places(host, 165) == [(58, 5), (0, 38), (0, 66)]
    assert places(host, 120) == [(0, 38), (0, 66), (0, 94)]
    assert [row.height_in(width) for width in (400, 165, 120)] == [30, 86, 114]


def test_a_stretch_takes_the_rest_of_its_row(host):
    row = host.layout().itemAt(0).layout()
    last = row.takeAt(2)
    row.addStretch()
    row.addItem(last)
    assert places(host, 400) == [(0, 0), (108, 0), (300, 0)]
    assert places(host, 300) == [(0, 0), (108, 0), (0, 28)]


def test_what_is_hidden_takes_no_room(host):
    host.findChildren(QFrame)[0].hide()
    assert places(host, 210) == [(0, 0), (108, 0)]


def test_the_rest_of_a_row_goes_to_what_expands(host):
    middle = host.findChildren(QFrame)[1]
    middle.setMinimumSize(*SIZE)
    middle.setMaximumWidth(1000)
    middle.setSizePolicy(expanding())
    assert [x for x, _ in places(host, 400)] == [0, 108, 300]
    assert middle.width() == 400 - 2 * (100 + GAP)
