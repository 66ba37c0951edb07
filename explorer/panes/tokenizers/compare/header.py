"""The inputs of Compare: another tokenizer, another text."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from explorer.panes.tokenizers.compare.examples import EXAMPLES
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.toggle import SegmentedControl
from explorer.widgets.wrap_row import WrapRow

VIEWS = (
    ("text", "Text"),
    ("vocabulary", "Search"),
    ("overlap", "Overlap"),
    ("glitches", "Glitches"),
)


class CompareHeader(QWidget):
    """`exampleChosen(text)`; `viewChosen(id)`; `add.menuOpening` when the menu of tokenizers is to
    be filled."""

    exampleChosen = Signal(str)
    viewChosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = SegmentedControl(list(VIEWS), "What is compared")
        self.view.setObjectName("tokenizers.compare.view")
        self.view.setToolTip("A text, what vocabularies hold and share, what a model never learned")
        self.view.chosen.connect(self.viewChosen)
        self.add = MenuButton("plus", "Tokenizer", "Compare with another tokenizer")
        self.add.setObjectName("tokenizers.compare.add")
        self.examples = MenuButton("file", "Examples", "Texts that show what tokenizers do")
        self.examples.setObjectName("tokenizers.compare.examples")
        menu = self.examples.menu()
        for title, text in EXAMPLES:
            menu.addAction(title, lambda text=text: self.exampleChosen.emit(text))
        row = WrapRow(parent=self)
        row.addWidget(self.view)
        row.addWidget(self.add)
        row.addWidget(self.examples)

    def set_view(self, view: str) -> None:
        self.view.set_current(view)
        self.examples.setVisible(view == "text")
