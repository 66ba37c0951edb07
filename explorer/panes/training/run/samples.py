"""The samples that the model writes as it learns, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtGui import QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from explorer import theme
from explorer.widgets.base import set_look

MOST = 40  # samples in the list


class SampleList(QPlainTextEdit):
    """Shows samples as selectable text; prompts are muted, generated text is not."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training.view.samples")
        self.setReadOnly(True)
        self.setAccessibleName("Samples")
        set_look(self, "plain")
        self._samples: tuple[Any, ...] = ()
        self._empty = ""
        theme.changed.connect(self._write)

    def set_empty_text(self, text: str) -> None:
        """Sets the text that is shown while there are no samples."""
        if text != self._empty:
            self._empty = text
            if not self._samples:
                self._write()

    def set_samples(self, samples: Sequence[Any]) -> None:
        """Shows samples: objects with `step`, `prompt` and `text`, oldest first."""
        shown = tuple(samples)[-MOST:]
        if shown != self._samples:
            self._samples = shown
            self._write()

    @property
    def samples(self) -> tuple[Any, ...]:
        return self._samples

    def _write(self) -> None:
        now = theme.current()
        self.setFont(now.font("body"))

        def look(role: str, size: str = "body", weight: int = 400) -> QTextCharFormat:
            made = QTextCharFormat()
            made.setForeground(now.color(role))
            made.setFont(now.font(size, weight))
            return made

        head, prompt, text = look("muted", "label", 600), look("muted"), look("text")
        self.clear()
        cursor = QTextCursor(self.document())
        if not self._samples:
            cursor.insertText(self._empty, prompt)
        for place, sample in enumerate(reversed(self._samples)):
            if place:
                cursor.insertText("\n\n")
            cursor.insertText(f"step {sample.step:,}\n", head)
            cursor.insertText(_line(sample.prompt), prompt)
            cursor.insertText(_line(sample.text), text)
        self.verticalScrollBar().setValue(0)


def _line(text: str) -> str:
    """Returns a sample's text with dots for story ends, and without whitespace-only lines."""
    shown = text.replace("<|endoftext|>", " \u00b7 ").replace("\r", "")
    return "\n".join(line for line in shown.split("\n") if line.strip() or line == "")
