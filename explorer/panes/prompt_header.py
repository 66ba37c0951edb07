"""Inputs of a pane that reads a text with a model: which model, and the text."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from explorer import theme
from explorer.theme import icons
from explorer.widgets.base import set_look
from explorer.widgets.prompt_line import PromptLine

LONGEST_NAME = 28


class PromptHeader(QWidget):
    """`promptEdited(text)`; `menu` is for the models that can be opened."""

    promptEdited = Signal(str)

    def __init__(self, pane: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{pane}.view.inputs")
        self.source_button = QToolButton()
        self.source_button.setObjectName(f"{pane}.view.source")
        self.source_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.source_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.source_button.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.source_button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        set_look(self.source_button, "outlined")
        self.prompt = PromptLine()
        self.prompt.setObjectName(f"{pane}.view.prompt")
        self.prompt.promptEdited.connect(self.promptEdited)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.source_button)
        row.addWidget(self.prompt, 1)
        self.menu = QMenu(self)
        self.source_button.setMenu(self.menu)
        self.set_model("no model yet", "")
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_model(self, name: str, address: str) -> None:
        """The model that is open, and where it is from."""
        shown = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}\u2026"
        self.source_button.setText(f"model: {shown}")
        self.source_button.setAccessibleName(f"Model: {name}")
        self.source_button.setToolTip(f"The model that reads the text: {address or name}")

    def _restyle(self) -> None:
        self.source_button.setIcon(icons.icon("chevron-down", "muted", 16))
        self.source_button.setFont(theme.current().font("body"))
