"""The inputs of Expression: examples, and how the graph is seen."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from explorer.panes.backprop.expression.examples import EXAMPLES
from explorer.widgets.menu_button import MenuButton


class ExpressionHeader(QWidget):
    """`exampleChosen(id)`."""

    exampleChosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.expression.inputs")
        self.examples = MenuButton("file", "Examples", "Formulas that each show one thing")
        self.examples.setObjectName("backprop.expression.examples")
        menu = self.examples.menu()
        for example in EXAMPLES:
            menu.addAction(example.title, lambda name=example.id: self.exampleChosen.emit(name))
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(8)
        self.row.addWidget(self.examples)
        self.row.addStretch(1)
