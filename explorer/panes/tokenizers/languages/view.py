"""Search, order and scope above the chart, the source of the texts below it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.tokenizers.languages.chart import PremiumChart
from explorer.panes.tokenizers.languages.text import KEY, SCOPES, STOP
from explorer.widgets.base import Label
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.push_button import push_button
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.wrap_row import WrapRow


class LanguagesView(QWidget):
    """`orders.chosen(name)`, `scopes.chosen(name)`, `searched(text)`, `cancelRequested`."""

    searched = Signal(str)
    cancelRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.languages")
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
        self.source = CutLabel("label", "muted")  # what the texts are
        self.key = Label(KEY, "label", "muted")  # how the chart is read
        self.chart = PremiumChart()
        self.chart.setObjectName("tokenizers.languages.chart")
        self.body = StatefulPicture(self.chart, "lines")
        self.body.set_cancellable(True)
        row = WrapRow()
        parts = (self.search, self.orders, self.scopes, self.count, self.waiting, self.stop)
        for part in parts:
            row.addWidget(part)
        self._column = QVBoxLayout(self)
        self._column.addLayout(row)
        self._column.addWidget(self.body, 1)
        below = QVBoxLayout()
        below.setSpacing(2)
        below.addWidget(self.source)
        below.addWidget(self.key)
        self._column.addLayout(below)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.set_waiting("")

    def set_waiting(self, reason: str) -> None:
        """Shows what is waited for above the chart, with Cancel; "": nothing."""
        self.waiting.setText(reason)
        for part in (self.waiting, self.stop):
            part.setVisible(bool(reason))
        self.count.setVisible(not reason)

    def _restyle(self) -> None:
        now = theme.current()
        margin = now.px("margin")
        self._column.setContentsMargins(margin, now.px(12), margin, now.px(12))
        self._column.setSpacing(now.px(8))
        self.search.setFixedHeight(now.px("control"))
        self.search.setMaximumWidth(now.px(280))
