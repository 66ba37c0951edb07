"""The picture of Expression: the formula, its graph, and below it what can be tried out."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.backprop.expression.editor import FormulaEditor
from explorer.panes.backprop.expression.graph_picture import GraphPicture
from explorer.widgets.base import IconButton
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surface import Surface

ZOOM = 1.25  # one press of a button


class ExpressionView(QWidget):
    """Holds the parts; the mode fills them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.expression")
        self.editor = FormulaEditor()
        self.graph = GraphPicture()
        self.graph.setObjectName("backprop.expression.graph")
        self.body = StatefulPicture(self.graph, "lines")
        self.smaller = IconButton("minus", "Smaller")
        self.larger = IconButton("plus", "Larger", "Ctrl+wheel")
        self.whole = IconButton("fit", "Fit the whole graph", "F")
        self.tools = Surface("window", parent=self.body)
        row = QHBoxLayout(self.tools)
        row.setContentsMargins(2, 2, 2, 2)
        row.setSpacing(2)
        for button in (self.smaller, self.whole, self.larger):
            row.addWidget(button)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.editor)
        self._column.addWidget(self.body, 1)
        self.smaller.clicked.connect(lambda: self.graph.zoom_by(1 / ZOOM))
        self.larger.clicked.connect(lambda: self.graph.zoom_by(ZOOM))
        self.whole.clicked.connect(self.graph.fit)
        self.body.stateChanged.connect(self._on_state)
        theme.changed.connect(self._restyle)
        self._restyle()

    def add_below(self, widget: QWidget) -> None:
        self._column.addWidget(widget)

    def _on_state(self, state: str) -> None:
        self.tools.setVisible(state in ("ready", "stale"))
        self._place()

    def _place(self) -> None:
        self.tools.adjustSize()
        self.tools.move(self.body.width() - self.tools.width(), 0)
        self.tools.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.layout().activate()
        self._place()

    def _restyle(self) -> None:
        now = theme.current()
        margin = now.px("margin")
        self._column.setContentsMargins(margin, now.px(12), margin, now.px(12))
        self._column.setSpacing(now.px(8))
        self._column.setAlignment(Qt.AlignmentFlag(0))
        self._place()
