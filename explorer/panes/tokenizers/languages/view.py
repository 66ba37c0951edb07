"""The chart with its search bar above it, and the source of the texts below it."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.tokenizers.languages.chart_picture import PremiumChart
from explorer.panes.tokenizers.languages.search_bar import SearchBar
from explorer.panes.tokenizers.languages.text import KEY
from explorer.widgets.base import Label
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.stateful import StatefulPicture


class LanguagesView(QWidget):
    """The view, with its parts `search_bar`, `chart` (inside `body`), `source` and `key`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.languages")
        self.search_bar = SearchBar()
        self.source = CutLabel("label", "muted")  # the source of the texts
        self.key = Label(KEY, "label", "muted", wrap=True)  # how to read the chart
        self.chart = PremiumChart()
        self.chart.setObjectName("tokenizers.languages.chart")
        self.body = StatefulPicture(self.chart, "lines")
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.search_bar)
        self._column.addWidget(self.body, 1)
        below = QVBoxLayout()
        below.setSpacing(2)
        below.addWidget(self.source)
        below.addWidget(self.key)
        self._column.addLayout(below)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.search_bar.set_waiting("")

    def _restyle(self) -> None:
        now = theme.current()
        margin = now.px("margin")
        self._column.setContentsMargins(margin, now.px(12), margin, now.px(12))
        self._column.setSpacing(now.px(8))
