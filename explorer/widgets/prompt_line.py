"""The line in which a prompt is typed; it reports the text after a short pause."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QLineEdit, QWidget

from explorer import theme
from explorer.theme import icons
from explorer.widgets.base import show_text
from explorer.widgets.typing_pause import TypingPause


class PromptLine(QLineEdit):
    """Emits `promptEdited` 120 ms after the last keystroke, and at once on Enter or when hidden.
    Newlines are shown as arrows, also in pasted text. Emits `rested` after a longer pause in
    typing, and before and after an edit of several characters, such as a paste, which is a change
    of its own."""

    promptEdited = Signal(str)
    rested = Signal()
    PAUSE = 120
    ARROW = "\u21b5"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Prompt")
        self.setPlaceholderText("Type some text for the model to read")
        self.error = ""
        self._mark = self.addAction(QIcon(), QLineEdit.ActionPosition.LeadingPosition)
        self._mark.setVisible(False)
        self._told = ""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(self.PAUSE)
        self._timer.timeout.connect(self._tell)
        self._shown = ""  # before the edit being reported
        self._pause = TypingPause(self)
        self._pause.reached.connect(self.rested)
        self.textEdited.connect(self._on_edited)
        self.returnPressed.connect(lambda: self._tell())
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def prompt(self) -> str:
        """The text as the model reads it."""
        return self._read(self.text())

    def _read(self, shown: str) -> str:
        return shown.replace(self.ARROW, "\n")

    def set_prompt(self, text: str) -> None:
        """Shows another prompt without emitting a signal; the user's typing is not disturbed."""
        shown = text.replace("\r\n", "\n").replace("\n", self.ARROW)
        self._told = text
        self._shown = shown
        if shown != self.text():
            self._timer.stop()
            show_text(self, shown)

    def set_error(self, why: str) -> None:
        """Marks the text as one that cannot be read, and says why; "" removes the mark."""
        self.error = why
        self._mark.setVisible(bool(why))
        self._mark.setToolTip(why)
        self.setAccessibleDescription(why)

    def insert(self, text: str) -> None:
        super().insert(text.replace("\n", self.ARROW))

    def hideEvent(self, event) -> None:
        """Reports pending edits, so that they are not lost."""
        self._tell()
        super().hideEvent(event)

    def _on_edited(self, shown: str) -> None:
        before, self._shown = self._shown, shown
        if not is_several(before, shown):
            self._timer.start()
            self._pause.restart()
            return
        for text in (before, shown):
            self._tell(text)
            self.rested.emit()

    def _tell(self, shown: str | None = None) -> None:
        self._timer.stop()
        prompt = self.prompt if shown is None else self._read(shown)
        if prompt != self._told:
            self._told = prompt
            self.promptEdited.emit(prompt)

    def _restyle(self) -> None:
        self.setFont(theme.current().font("body"))
        self._mark.setIcon(icons.icon("error", "error", 16))


def is_several(before: str, after: str) -> bool:
    """Returns True if several characters were inserted or removed: more than by a keystroke."""
    kept = _alike(before, after)
    kept += _alike(before[kept:][::-1], after[kept:][::-1])
    return max(len(before), len(after)) - kept > 1


def _alike(one: str, other: str) -> int:
    """Returns the length of the common prefix."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
