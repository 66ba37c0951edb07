"""The row above the chart: search, order, scope, and the number of languages shown."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from explorer import theme
from explorer.panes.tokenizers.languages.text import SCOPES, STOP
from explorer.widgets.base import Label
from explorer.widgets.push_button import push_button
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.wrap_row import WrapRow


class SearchBar(QWidget):
    """Emits `orders.chosen(name)`, `scopes.chosen(name)`, `searched(text)`, `cancelRequested`."""

    searched = Signal(str)
    cancelRequested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.search = QLineEdit()
        self.search.setObjectName("tokenizers.languages.search")
        self.search.setAccessibleName("Search the languages")
        self.search.setPlaceholderText("Search the languages")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self.searched)
        self.orders = SegmentedControl([("premium", "By premium"), ("name", "By name")], "Order")
        self.scopes = SegmentedControl([("usual", "Common"), ("all", "All")], "Languages")
        self.scopes.setToolTip(SCOPES)
        self.count = Label("", "label", "muted")
        self.waiting = Label("", "label", "muted")
        self.stop = push_button("Cancel", STOP)
        self.stop.setObjectName("tokenizers.languages.stop")
        self.stop.clicked.connect(self.cancelRequested)
        row = WrapRow()
        self.setLayout(row)
        for part in (self.search, self.orders, self.scopes, self.count, self.waiting, self.stop):
            row.addWidget(part)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_waiting(self, reason: str) -> None:
        """Shows the progress with a Cancel button in place of the count; "" shows the count."""
        self.waiting.setText(reason)
        for part in (self.waiting, self.stop):
            part.setVisible(bool(reason))
        self.count.setVisible(not reason)

    def _restyle(self) -> None:
        now = theme.current()
        self.search.setFixedHeight(now.px("control"))
        self.search.setMaximumWidth(now.px(280))
