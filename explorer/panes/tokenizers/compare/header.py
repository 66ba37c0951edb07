"""The inputs of Compare: another tokenizer, another text."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
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
        """Where there is less room the views come closer together; where there is little the
        buttons are their icons, and their tooltips say the rest.
        """
        super().resizeEvent(event)
        least, most = self.view.minimumSizeHint().width(), self.view.sizeHint().width()
        parts = (self.add, self.examples)
        words = sum(part.wide() + 8 for part in parts)
        brief = least + words > self.width()
        for part in parts:
            part.set_brief(brief)
        room = self.width() - (self._icons() if brief else words)
        self.view.setFixedWidth(max(least, min(most, room)))

    def minimumSizeHint(self) -> QSize:
        narrow = self.view.minimumSizeHint().width() + self._icons()
        return QSize(narrow, super().minimumSizeHint().height())

    def _icons(self) -> int:
        """What the buttons take without their words."""
        return 2 * (theme.current().px(48) + 8)

    def set_view(self, view: str) -> None:
        self.view.set_current(view)
        self.examples.setVisible(view == "text")
