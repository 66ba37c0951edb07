"""A row that shortens what it says where it has little room."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton

from explorer.widgets.brief_row import BriefRow


def test_a_row_that_its_own_controls_resize_is_fitted_once(qtbot):
    """Fitted anew by each resize within, it went on until the stack was full."""
    row, called = BriefRow(), []
    qtbot.addWidget(row)
    row.row.addWidget(QPushButton("Words that take room"))
    row.show()

    def step(short: bool) -> None:
        called.append(short)
        row.resize(row.width() + 1 if len(called) % 2 else row.width() - 1, row.height())

    row.shorten_by(step)
    assert len(called) <= 2
    row.resize(20, row.height())
    assert len(called) <= 6
