"""The inputs of Compare: another tokenizer, another text."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from explorer import theme
from explorer.panes.tokenizers.compare.examples import EXAMPLES
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.toggle import SegmentedControl

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
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.view)
        row.addWidget(self.add)
        row.addWidget(self.examples)
        row.addStretch(1)
        self.row = row

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room the buttons are their icons; their tooltips say the rest."""
        super().resizeEvent(event)
        style = Qt.ToolButtonStyle
        wide = style.ToolButtonTextBesideIcon
        parts = (self.add, self.examples)
        wanted = self.view.sizeHint().width() + sum(part.wide() + 8 for part in parts)
        for part in parts:
            part.setToolButtonStyle(wide if self.width() >= wanted else style.ToolButtonIconOnly)

    def minimumSizeHint(self) -> QSize:
        narrow = self.view.sizeHint().width() + 2 * (theme.current().px(48) + 8)
        return QSize(narrow, super().minimumSizeHint().height())

    def set_view(self, view: str) -> None:
        self.view.set_current(view)
        self.examples.setVisible(view == "text")
