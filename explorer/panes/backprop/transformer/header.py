"""The inputs of Transformer: which model, the text it learns from, and which head is seen."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from explorer import theme
from explorer.widgets.base import elide
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.prompt_line import PromptLine

LONGEST_NAME = 26
SHARE, AROUND = 0.5, 52  # of the width that a model's name has, with px about it


class TransformerHeader(QWidget):
    """`promptEdited(text)`; the menu of `source` is for the models that can be opened."""

    promptEdited = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.transformer.inputs")
        self.source = MenuButton("chevron-down", "Model", "The model whose gradients are shown")
        self.source.setObjectName("backprop.transformer.source")
        self.prompt = PromptLine()
        self.prompt.setObjectName("backprop.transformer.prompt")
        self.prompt.setAccessibleName("Training example")
        self.prompt.setPlaceholderText("Type a text for the model to learn from")
        self.prompt.promptEdited.connect(self.promptEdited)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(8)
        self._name = "Model"
        theme.changed.connect(self._fit)
        self.row.addWidget(self.source)
        self.row.addWidget(self.prompt, 1)

    def set_model(self, name: str, address: str) -> None:
        """The model that is open, and where it is from."""
        self._name = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}\u2026"
        self._fit()
        self.source.setAccessibleName(f"Model: {name}")
        self.source.setToolTip(f"The model whose gradients are shown: {address or name}")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The text has more of the width than the model's name."""
        now = theme.current()
        room = max(now.px(48), SHARE * self.width() - now.px(AROUND))
        shown = elide(self._name, now.font("body"), room, Qt.TextElideMode.ElideRight)
        self.source.setText(shown.replace("&", "&&"))
