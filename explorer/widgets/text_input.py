"""The field for a text of any length: every keystroke emits the exact text."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QInputMethodEvent, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QWidget

from explorer import theme
from explorer.widgets.soft_breaks import LONGEST, PARAGRAPH, SOFT, cuts, plain, softened
from explorer.widgets.typing_pause import TypingPause


class TextInput(QPlainTextEdit):
    """Emits `textEdited(text)` at every change by the user; `rested` after a pause in typing or
    when the focus leaves; `cut(characters)` for a text that is too long.

    longest  greatest number of characters

    The text is the document's own: Qt's `toPlainText` would turn a no-break space into a space.
    Long lines are cut into paragraphs that are not part of the text (see soft_breaks).
    """

    textEdited = Signal(str)
    rested = Signal()
    cut = Signal(int)

    def __init__(self, longest: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.longest = longest
        self.setTabChangesFocus(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._quiet = False
        self._soft = True  # False: the text itself contains the sign of a soft break
        self._text: str | None = ""
        self._cursor = 0
        self._pause = TypingPause(self)
        self._pause.reached.connect(self.rested)
        self.textChanged.connect(self._on_changed)
        self.cursorPositionChanged.connect(self._on_cursor)
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def text(self) -> str:
        """The user's text, read from the document once per change."""
        if self._text is None:
            raw = self.document().toRawText()
            self._text = plain(raw) if self._soft else raw.replace(PARAGRAPH, "\n")
        return self._text

    def set_text(self, text: str) -> None:
        """Shows another text without emitting a signal; the text being typed is left alone."""
        if text != self.text:
            self._soft = SOFT not in text
            self._quiet = True
            self.setPlainText(softened(text) if self._soft else text)
            self._quiet = False
            self._text = text

    def _on_changed(self) -> None:
        self._text = None
        if self._quiet:
            return
        self._soften()
        self._pause.restart()
        self.textEdited.emit(self.text)

    def _soften(self) -> None:
        """Cuts the current paragraph once it is too long, as one undo step with the keystroke."""
        block = self.textCursor().block()
        if not self._soft or block.length() <= LONGEST:
            return
        cursor = QTextCursor(block)
        places = cuts(block.text())
        self._quiet = True
        cursor.joinPreviousEditBlock()
        for place in reversed(places):
            cursor.setPosition(block.position() + place)
            cursor.insertText(SOFT + PARAGRAPH)
        cursor.endEditBlock()
        self._quiet = False
        self._text = None

    def _on_cursor(self) -> None:
        """Moves the cursor off a soft break: to the next line, or before the sign."""
        cursor = self.textCursor()
        before, self._cursor = self._cursor, cursor.position()
        block = cursor.block()
        sign = block.position() + block.length() - 1 - len(SOFT)
        if not self._soft or cursor.position() < sign or not block.text().endswith(SOFT):
            return
        forward = cursor.position() >= before
        wanted = sign + len(SOFT) + 1 if forward else sign - 1
        mode = QTextCursor.MoveMode
        keeps = mode.KeepAnchor if cursor.hasSelection() else mode.MoveAnchor
        cursor.setPosition(max(0, wanted), keeps)
        self._cursor = cursor.position()
        self.setTextCursor(cursor)

    def _rub_out(self, word: bool) -> bool:
        """Handles Backspace at the start of a line that is only softly broken: deletes the
        character before the break, and the break."""
        cursor = self.textCursor()
        before = cursor.block().previous()
        if cursor.hasSelection() or not cursor.atBlockStart() or not self._soft:
            return False
        if not before.isValid() or not before.text().endswith(SOFT):
            return False
        move, keep = QTextCursor.MoveOperation, QTextCursor.MoveMode.KeepAnchor
        cursor.beginEditBlock()
        cursor.setPosition(cursor.position() - 1 - len(SOFT), keep)
        cursor.removeSelectedText()
        cursor.movePosition(move.PreviousWord if word else move.PreviousCharacter, keep)
        cursor.removeSelectedText()
        cursor.endEditBlock()
        return True

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Inserts plain text only, as much of it as fits."""
        text = self._with_room(source.text())
        if self._soft and SOFT in text:  # contains SOFT itself: soft breaks are no longer possible
            self._harden()
        self.textCursor().insertText(softened(text) if self._soft else text)
        self.ensureCursorVisible()

    def limited(self, text: str, beside: int = 0) -> str:
        """Returns as much text as fits beside `beside` characters; emits `cut` for the rest."""
        if beside + len(text) > self.longest:
            self.cut.emit(beside + len(text))
        return text[: max(0, self.longest - beside)]

    def _with_room(self, text: str) -> str:
        """Returns the part of a text that fits in place of the selection."""
        return self.limited(text, len(self.text) - len(self._selected()))

    def _selected(self) -> str:
        """Returns the selected text without soft breaks."""
        chosen = self.textCursor().selectedText()
        return plain(chosen) if self._soft else chosen.replace(PARAGRAPH, "\n")

    def _harden(self) -> None:
        """Removes all soft breaks, for a text that contains their sign itself."""
        text, place = self.text, self.textCursor().position()
        at = len(plain(self.document().toRawText()[:place]))
        self._soft = False
        self._quiet = True
        self.setPlainText(text)
        self._quiet = False
        self._text = text
        cursor = self.textCursor()
        cursor.setPosition(at)
        self.setTextCursor(cursor)

    def createMimeDataFromSelection(self) -> QMimeData:
        """Copies the selection without soft breaks."""
        data = QMimeData()
        data.setText(self._selected())
        return data

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasText() and not source.hasUrls()

    def dragEnterEvent(self, event) -> None:
        if event.mimeData().hasUrls():
            event.ignore()  # a file, for the view
        else:
            super().dragEnterEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Shift+Enter is an ordinary line break; Ctrl+Tab and Shift+Tab leave the field."""
        if self.isReadOnly():
            super().keyPressEvent(event)
        elif _is_typed(event) and not self._with_room(event.text()):
            event.accept()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.textCursor().insertText("\n")
            self.ensureCursorVisible()
        elif event.key() == Qt.Key.Key_Backspace and self._rub_out(
            bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        ):
            event.accept()
        else:
            super().keyPressEvent(event)

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Accepts as much text from an input method as fits."""
        if event.commitString():
            event.setCommitString(
                self._with_room(event.commitString()),
                event.replacementStart(),
                event.replacementLength(),
            )
        super().inputMethodEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._pause.finish()

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(400), now.px(84))

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(160), now.px(52))

    def _restyle(self) -> None:
        self.setFont(theme.current().font("body"))


def _is_typed(event: QKeyEvent) -> bool:
    """Returns True if a key types a character."""
    control, alt = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
    if event.modifiers() & (control | alt) == control:  # both are AltGr
        return False
    text = event.text()
    return text != "" and (text.isprintable() or text in "\t\r\n")
