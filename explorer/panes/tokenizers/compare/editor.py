"""The field for a text of any length: what was typed is told at every key, exactly."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QWidget

from explorer import theme

MOST = 4_000_000  # characters
PARAGRAPH = "\u2029"  # how Qt writes the end of a paragraph


class TextInput(QPlainTextEdit):
    """`textEdited(text)` at every change by a person; `cut(characters)` when a paste was too long;
    `fileDropped(path)`.

    The text is the document's own: Qt's `toPlainText` would turn a no-break space into a space.
    """

    textEdited = Signal(str)
    cut = Signal(int)
    fileDropped = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Text to compare")
        self.setPlaceholderText("Type or paste a text: every tokenizer cuts it as you type")
        self.setTabChangesFocus(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._quiet = False
        self.textChanged.connect(self._on_changed)
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def text(self) -> str:
        return self.document().toRawText().replace(PARAGRAPH, "\n")

    def set_text(self, text: str) -> None:
        """Shows another text and tells nobody; leaves a person who is typing it alone."""
        if text != self.text:
            self._quiet = True
            self.setPlainText(text)
            self._quiet = False

    def _on_changed(self) -> None:
        if not self._quiet:
            self.textEdited.emit(self.text)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Plain text only, at most MOST characters."""
        text = source.text()
        if len(text) > MOST:
            self.cut.emit(len(text))
        self.textCursor().insertText(text[:MOST])
        self.ensureCursorVisible()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() and not source.hasUrls()

    def dragEnterEvent(self, event) -> None:
        if event.mimeData().hasUrls():
            event.ignore()  # a file: the view takes it
        else:
            super().dragEnterEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Shift+Enter is a line break like any other; Ctrl+Tab and Shift+Tab leave the field."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.textCursor().insertText("\n")
            self.ensureCursorVisible()
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(400), now.px(84))

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(160), now.px(52))

    def _restyle(self) -> None:
        self.setFont(theme.current().font("body"))
