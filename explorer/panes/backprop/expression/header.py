"""The inputs of Expression: examples, and how the graph is seen."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from explorer.panes.backprop.expression.examples import EXAMPLES
from explorer.widgets.brief_row import BriefRow
from explorer.widgets.menu_button import MenuButton

CHECK, BRIEFLY = "Check every gradient", "Check"


class ExpressionHeader(BriefRow):
    """`exampleChosen(id)`, `checkToggled`."""

    exampleChosen = Signal(str)
    checkToggled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.expression.inputs")
        self.examples = MenuButton("file", "Examples", "Formulas, each to show one thing")
        self.examples.setObjectName("backprop.expression.examples")
        menu = self.examples.menu()
        for example in EXAMPLES:
            menu.addAction(example.title, lambda name=example.id: self.exampleChosen.emit(name))
        self.check = QCheckBox(CHECK)
        self.check.setObjectName("backprop.expression.check")
        self.check.setToolTip(
            "Nudges each number both ways and compares: a correct gradient agrees"
        )
        self.check.clicked.connect(lambda _: self.checkToggled.emit())
        self.check.setAccessibleName(CHECK)
        self.row.addWidget(self.examples)
        self.row.addWidget(self.check)
        self.row.addStretch(1)
        self.shorten_by(
            self.examples.set_brief,
            lambda short: self.check.setText(BRIEFLY if short else CHECK),
        )

    def set_checks(self, on: bool) -> None:
        self.check.setChecked(on)
