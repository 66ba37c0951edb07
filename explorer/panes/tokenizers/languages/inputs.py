"""The inputs of Languages: the tokenizers to compare."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from explorer.panes.tokenizers.languages.text import ADD
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.wrap_row import WrapRow


class LanguagesInputs(QWidget):
    """The inputs; emits `tokenizers.menuOpening` before the menu of tokenizers opens."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tokenizers = MenuButton("plus", "Tokenizer", ADD)
        self.tokenizers.setObjectName("tokenizers.languages.tokenizers")
        row = WrapRow(parent=self)
        row.addWidget(self.tokenizers)
