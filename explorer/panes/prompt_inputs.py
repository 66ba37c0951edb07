"""Inputs of a pane with a model: the choice of the model, and its text or other controls."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from explorer import theme
from explorer.theme import icons
from explorer.widgets.base import set_look
from explorer.widgets.boxes import wrap
from explorer.widgets.prompt_line import PromptLine

LONGEST_NAME = 34
PROMPT = 320  # px in which a prompt is readable


class ModelButton(QToolButton):
    """Shows which model is open; `models` is the menu of those that can be opened."""

    def __init__(self, pane: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{pane}.view.source")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        set_look(self, "outlined")
        self.models = QMenu(self)
        self.models.setLayoutDirection(Qt.LayoutDirection.LeftToRight)
        self.setMenu(self.models)
        self.set_model("no model yet", "")
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_model(self, name: str, address: str) -> None:
        """Shows the open model and its source."""
        shown = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}\u2026"
        self.setText(f"model: {shown}")
        self.setAccessibleName(f"Model: {name}")
        self.setToolTip(f"The model that reads the text: {address or name}")

    def _restyle(self) -> None:
        self.setIcon(icons.icon("chevron-down", "muted", 16))
        self.setFont(theme.current().font("body"))


class ModelInputs(QWidget):
    """The choice of a model, then the controls of a mode; `menu` is for the models."""

    def __init__(self, mode: str, *controls: QWidget) -> None:
        super().__init__()
        self.setObjectName(f"{mode}.inputs")
        button = ModelButton(mode)
        self.menu, self.set_model = button.models, button.set_model
        wrap(button, *controls, of=self)


class PromptInputs(QWidget):
    """The choice of a model and its text, `promptEdited(text)`; `menu` is for the models."""

    promptEdited = Signal(str)

    def __init__(self, pane: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(f"{pane}.view.inputs")
        self.source_button = ModelButton(pane)
        self.prompt = PromptLine()
        self.prompt.setObjectName(f"{pane}.view.prompt")
        self.prompt.promptEdited.connect(self.promptEdited)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.source_button)
        row.addWidget(self.prompt, 1)
        self.menu = self.source_button.models
        self.set_model = self.source_button.set_model

    def sizeHint(self) -> QSize:
        """Includes room to read the prompt; if there is less, the strip needs a row of its own."""
        hint = super().sizeHint()
        spare = theme.current().px(PROMPT) - self.prompt.sizeHint().width()
        return QSize(hint.width() + max(0, spare), hint.height())
