"""The picture of Languages: search, order and extent above the chart, the source below it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.tokenizers.languages.chart import PremiumChart
from explorer.panes.tokenizers.languages.text import KEY
from explorer.widgets.base import Label
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.wrap_row import WrapRow


class LanguagesHeader(QWidget):
    """The tokenizers: `tokenizers.menuOpening` when their menu is to be filled."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tokenizers = MenuButton("plus", "Tokenizer", "Which tokenizers are compared")
        self.tokenizers.setObjectName("tokenizers.languages.tokenizers")
        row = WrapRow(parent=self)
        row.addWidget(self.tokenizers)


class LanguagesView(QWidget):
    """Intents: `searched(text)`, `orderChosen(name)`, `scopeChosen(name)`, `cancelRequested`."""

    searched = Signal(str)
    orderChosen = Signal(str)
    scopeChosen = Signal(str)
    cancelRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.languages")
        self.search = QLineEdit()
        self.search.setObjectName("tokenizers.languages.search")
        self.search.setAccessibleName("Search a language")
        self.search.setPlaceholderText("Search a language")
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self.searched)
        self.orders = SegmentedControl([("premium", "By premium"), ("name", "By name")], "Order")
        self.orders.chosen.connect(self.orderChosen)
        self.scopes = SegmentedControl([("usual", "Usual"), ("all", "All")], "Languages")
        self.scopes.setToolTip(
            "The languages of most readers, or every one that there is a text in"
        )
        self.scopes.chosen.connect(self.scopeChosen)
        self.count = Label("", "label", "muted")
        self.waiting = Label("", "label", "muted")
        self.stop = QPushButton("Cancel")
        self.stop.setObjectName("tokenizers.languages.stop")
        self.stop.setToolTip("Measure no more: what is there stays (Esc)")
        self.stop.clicked.connect(self.cancelRequested)
        self.source = CutLabel("label", "muted")  # what the texts are
        self.key = Label(KEY, "label", "muted")  # how the chart is read
        self.chart = PremiumChart()
        self.chart.setObjectName("tokenizers.languages.chart")
        self.body = StatefulPicture(self.chart, "lines")
        self.body.set_cancellable(True)
        row = WrapRow()
        row.addWidget(self.search)
        row.addWidget(self.orders)
        row.addWidget(self.scopes)
        row.addWidget(self.count)
        row.addWidget(self.waiting)
        row.addWidget(self.stop)
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
        """What is waited for stands in the row above the chart, which stays whole; "": nothing."""
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
