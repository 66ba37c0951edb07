"""The inputs of Expression: the examples, and a switch for the gradient check."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from explorer.panes.backprop.expression.presets import EXAMPLES
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.wrap_row import WrapRow


class ExpressionInputs(QWidget):
    """Signals: exampleChosen(id), checkToggled()."""

    exampleChosen = Signal(str)
    checkToggled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.expression.inputs")
        self.examples = MenuButton(
            "file", "Examples", "Ready-made formulas that each show one idea"
        )
        self.examples.setObjectName("backprop.expression.presets")
        menu = self.examples.menu()
        for example in EXAMPLES:
            menu.addAction(example.title, lambda name=example.id: self.exampleChosen.emit(name))
        self.check = QCheckBox("Check every gradient")
        self.check.setObjectName("backprop.expression.check")
        self.check.setToolTip(
            "Nudges each number up and down, and compares the slope it finds with the gradient"
        )
        self.check.clicked.connect(lambda _: self.checkToggled.emit())
        row = WrapRow(parent=self)
        row.addWidget(self.examples)
        row.addWidget(self.check)

    def set_checks(self, on: bool) -> None:
        self.check.setChecked(on)
