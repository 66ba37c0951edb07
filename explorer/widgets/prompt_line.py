"""The line where a prompt is typed: what was typed is told after a short pause."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from explorer import theme
from explorer.widgets.base import show_text


class PromptLine(QLineEdit):
    """`promptEdited` fires 120 ms after the last key, and at once on Enter or when it is hidden.
    Newlines stay newlines: they are shown as an arrow and pasted text keeps them."""

    promptEdited = Signal(str)
    PAUSE = 120
    ARROW = "\u21b5"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Prompt")
        self.setPlaceholderText("Type a text for the model to read")
        self._told = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(self.PAUSE)
        self._timer.timeout.connect(self._tell)
        self.textEdited.connect(lambda _: self._timer.start())
        self.returnPressed.connect(self._tell)
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def prompt(self) -> str:
        """The text as the model reads it."""
        return self.text().replace(self.ARROW, "\n")

    def set_prompt(self, text: str) -> None:
        """Shows another prompt and tells nobody; does not disturb a person who is typing it."""
        shown = text.replace("\r\n", "\n").replace("\n", self.ARROW)
        self._told = text
        if shown != self.text():
            self._timer.stop()
            show_text(self, shown)

    def insert(self, text: str) -> None:
        super().insert(text.replace("\n", self.ARROW))

    def hideEvent(self, event) -> None:
        """What was typed last is not lost with the line."""
        self._tell()
        super().hideEvent(event)

    def _tell(self) -> None:
        self._timer.stop()
        if self.prompt != self._told:
            self._told = self.prompt
            self.promptEdited.emit(self._told)

    def _restyle(self) -> None:
        self.setFont(theme.current().font("body"))
