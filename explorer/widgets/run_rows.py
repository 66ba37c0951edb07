"""Runs as rows below one another, under a row for the model they started from."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.boxes import column
from explorer.widgets.form import scrolling
from explorer.widgets.run_card_text import CardText
from explorer.widgets.run_row import ROW_HEIGHT, RunRow

MOST = 5  # rows shown before they scroll


class RunRows(QWidget):
    """Emits `asked(key, what)` when a button of a row is pressed."""

    asked = Signal(str, str)

    def __init__(self, name: str) -> None:
        """Creates the rows; their widgets are named NAME.base and NAME.run."""
        super().__init__()
        self._name = name
        self.base = RunRow(f"{name}.base")
        self.rows: dict[str, RunRow] = {}
        self._lines = column(self.base, spacing=0)
        shelf = scrolling(self._lines)
        column(shelf, of=self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        self.setFixedHeight(min(1 + len(self.rows), MOST) * theme.current().px(ROW_HEIGHT))

    def set_rows(self, rows: Mapping[str, CardText]) -> None:
        """Shows rows by key, such as the folder of the run, from top to bottom."""
        for key in [one for one in self.rows if one not in rows]:
            gone = self.rows.pop(key)
            self._lines.removeWidget(gone)
            gone.hide()
            gone.deleteLater()
        for at, (key, told) in enumerate(rows.items(), start=1):
            if key not in self.rows:
                one = self.rows[key] = RunRow(f"{self._name}.run")
                one.asked.connect(lambda what, key=key: self.asked.emit(key, what))
                self._lines.insertWidget(at, one)
            self.rows[key].set_text(told)
        self._restyle()

    def set_said(self, base: str, said: Mapping[str, str]) -> None:
        """Shows each run's answer by key, or nothing if it has none."""
        self.base.set_said(base)
        for key, one in self.rows.items():
            one.set_said(said.get(key, ""))
