"""The inputs of GPT: the model, and the text to compute gradients for."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from explorer.widgets.boxes import name_parts, wrap
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.prompt_line import PromptLine

LONGEST_NAME = 26


class GPTInputs(QWidget):
    """Signal: promptEdited(text); `source` has the menu of models."""

    promptEdited = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.gpt.inputs")
        self.source = MenuButton("chevron-down", "Model", "The model whose gradients are shown")
        self.prompt = PromptLine()
        name_parts(self, "backprop.gpt", "source", "prompt")
        self.prompt.setAccessibleName("Training example")
        self.prompt.setPlaceholderText("Type a text to compute gradients for")
        self.prompt.promptEdited.connect(self.promptEdited)
        wrap(self.source, self.prompt, of=self)

    def set_model(self, name: str, address: str) -> None:
        """Shows the open model; the tooltip gives its address."""
        shown = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}\u2026"
        self.source.setText(shown.replace("&", "&&"))
        self.source.setAccessibleName(f"Model: {name}")
        self.source.setToolTip(f"The model whose gradients are shown: {address or name}")
