"""The inputs of Compare: view, tokenizers, example texts."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from explorer.panes.tokenizers.compare import text
from explorer.panes.tokenizers.compare.presets import EXAMPLES
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.wrap_row import WrapRow


class CompareInputs(QWidget):
    """Emits `exampleChosen(text)`, `viewChosen(id)`, and `add.menuOpening` before the menu of
    tokenizers opens."""

    exampleChosen = Signal(str)
    viewChosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = SegmentedControl(list(text.VIEWS.items()), "What is compared")
        self.view.setObjectName("tokenizers.compare.view")
        self.view.setToolTip(text.VIEWS_HELP)
        self.view.chosen.connect(self.viewChosen)
        self.add = MenuButton("plus", "Tokenizer", text.ADD)
        self.add.setObjectName("tokenizers.compare.add")
        self.examples = MenuButton("file", "Examples", text.EXAMPLES)
        self.examples.setObjectName("tokenizers.compare.examples")
        menu = self.examples.menu()
        for title, example in EXAMPLES.items():
            menu.addAction(title, lambda example=example: self.exampleChosen.emit(example))
        row = WrapRow(parent=self)
        row.addWidget(self.view)
        row.addWidget(self.add)
        row.addWidget(self.examples)

    def set_view(self, view: str) -> None:
        self.view.set_current(view)
        self.examples.setVisible(view == "text")
