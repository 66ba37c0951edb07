"""The inputs of Languages: which tokenizers are compared."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from explorer.panes.tokenizers.languages.text import ADD
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.wrap_row import WrapRow


class LanguagesInputs(QWidget):
    """`tokenizers.menuOpening` when the menu of tokenizers is to be filled."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tokenizers = MenuButton("plus", "Tokenizer", ADD)
        self.tokenizers.setObjectName("tokenizers.languages.tokenizers")
        row = WrapRow(parent=self)
        row.addWidget(self.tokenizers)
