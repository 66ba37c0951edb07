"""The field for a formula: as tall as its lines, with its error marked and described below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import ceil
from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QSizePolicy, QTextEdit, QVBoxLayout, QWidget

from core.autograd.filling import FILLINGS
from core.autograd.functional import FUNCTIONS
from core.autograd.grammar import LONGEST
from explorer import theme
from explorer.widgets.fields import ErrorLine
from explorer.widgets.typed_field import is_undo
from explorer.widgets.typing_pause import TypingPause

AROUND = 20  # px above and below the lines
MARGIN = 4  # px at the sides of the lines
MOST_LINES = 5  # visible without scrolling
_NEEDED = Qt.ScrollBarPolicy.ScrollBarAsNeeded
_NEVER = Qt.ScrollBarPolicy.ScrollBarAlwaysOff
PATIENCE = 350  # ms after a keystroke until an error is shown: a half-typed formula is no mistake

HINT = (
    "Write numbers, names and + \u2212 * / ** @. To name a part, give it a line: d = a * b.\n"
    "A tensor is written as [[1, 2], [3, 4]], or made from a shape: "
    f"{', '.join(f'{one}(3, 2)' for one in FILLINGS)}.\n"
    f"The functions are {', '.join(FUNCTIONS)}."
)


class FormulaField(QPlainTextEdit):
    """Emits `edited(text)` when the user changes it. The app's undo covers these changes."""

    edited = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Formula")
        self.setPlaceholderText("tanh(w*x + b)")
        self.setToolTip(HINT)
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.document().setDocumentMargin(0)
        self.setHorizontalScrollBarPolicy(_NEVER)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._quiet = False
        self._wrong: list[tuple[int, int]] = []
        self._parts: list[tuple[int, int]] = []
        self._lines = MOST_LINES
        self._fits = False  # True while `_fit` runs
        self.textChanged.connect(self._on_changed)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_text(self, text: str) -> None:
        """Sets the text without emitting a signal. Only the difference is replaced, so that the
        cursor stays in place while the user types.
        """
        old = self.toPlainText()
        if text == old:
            return
        head = _same(old, text)
        tail = min(_same(old[::-1], text[::-1]), len(old) - head, len(text) - head)
        self._quiet = True
        cursor = QTextCursor(self.document())
        cursor.setPosition(head)
        cursor.setPosition(len(old) - tail, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(text[head : len(text) - tail])
        self._quiet = False
        self._fit()

    def mark(self, start: int, length: int) -> None:
        """Underlines an error; length 0 removes the mark."""
        self._wrong = [(start, length)] if length else []
        self._draw_marks()

    def show_parts(self, places: Sequence[tuple[int, int]]) -> None:
        """Highlights the parts of the formula that belong to a step."""
        if list(places) != self._parts:
            self._parts = list(places)
            self._draw_marks()
            if places and not self.hasFocus():
                self._bring(places[0][0])

    def _bring(self, start: int) -> None:
        """Scrolls to the line of a character if it is not visible."""
        line = self.document().findBlock(start).firstLineNumber()
        bar = self.verticalScrollBar()
        if not bar.value() <= line < bar.value() + self._lines:
            bar.setValue(max(0, line - self._lines // 2))

    def _draw_marks(self) -> None:
        now = theme.current()
        about, wrong = QTextCharFormat(), QTextCharFormat()
        about.setBackground(now.color("accent", 0.22))
        wrong.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
        wrong.setUnderlineColor(now.color("error"))
        wrong.setBackground(now.color("error", 0.14))
        if self._wrong:  # the parts belong to another text
            self.setExtraSelections([self._selection(*one, wrong) for one in self._wrong])
        else:
            self.setExtraSelections([self._selection(*one, about) for one in self._parts])

    def _selection(self, start: int, length: int, form: QTextCharFormat) -> Any:
        selection: Any = QTextEdit.ExtraSelection()
        cursor = QTextCursor(self.document())
        size = self.document().characterCount() - 1
        start = min(start, max(0, size - 1))
        cursor.setPosition(start)
        cursor.setPosition(min(size, start + length), QTextCursor.MoveMode.KeepAnchor)
        selection.cursor, selection.format = cursor, form
        return selection

    def _on_changed(self) -> None:
        self._fit()
        if not self._quiet:
            self.edited.emit(self.toPlainText())

    def insertFromMimeData(self, source) -> None:
        """Inserts plain text, cut just beyond the longest valid formula."""
        self.textCursor().insertText(source.text()[: LONGEST + 1])

    def event(self, event: QEvent) -> bool:
        if is_undo(event):
            event.ignore()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            event.ignore()  # for the pane
        else:
            super().keyPressEvent(event)

    def set_lines(self, most: int) -> None:
        """Sets the greatest number of visible lines."""
        if most != self._lines:
            self._lines = most
            self._fit()

    def _fit(self) -> None:
        if self._fits:
            return
        self._fits = True
        self._set_margins()
        wanted = self._wanted()
        lines = min(wanted, self._lines)
        spacing = ceil(theme.current().metrics("body", mono=True).lineSpacing())
        self.setFixedHeight(lines * spacing + theme.current().px(AROUND))
        self.setVerticalScrollBarPolicy(_NEEDED if wanted > self._lines else _NEVER)
        self._fits = False

    def _wanted(self) -> int:
        """Returns the number of wrapped lines."""
        return max(1, round(self.document().size().height()))

    def _set_margins(self) -> None:
        frame = self.contentsMargins().top() + self.contentsMargins().bottom()
        spare = max(0, theme.current().px(AROUND) - frame)
        above = spare // 2  # otherwise a part of the next line would be visible
        self.setViewportMargins(MARGIN, above, MARGIN, spare - above)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(400), self.height())

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(160), self.height())

    def _restyle(self) -> None:
        self.setFont(theme.current().font("body", mono=True))
        self._fit()
        self._draw_marks()


def _same(one: str, two: str) -> int:
    """Returns the length of the common prefix."""
    count = 0
    for a, b in zip(one, two, strict=False):
        if a != b:
            break
        count += 1
    return count


class FormulaEditor(QWidget):
    """The field and its error. Emits `edited(text)`, and `rested` after a pause in typing: the next
    keystroke begins another change.
    """

    edited = Signal(str)
    rested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = FormulaField()
        self.field.setObjectName("backprop.expression.formula")
        self.error = ErrorLine()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.field)
        column.addWidget(self.error)
        self._waiting: tuple[str, int, int] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PATIENCE)
        self._timer.timeout.connect(self._say)
        self._pause = TypingPause(self)
        self._pause.reached.connect(self.rested)
        self.field.edited.connect(self.edited)
        self.field.edited.connect(lambda _: self._pause.restart())

    def set_text(self, text: str) -> None:
        self.field.set_text(text)

    def set_error(self, message: str, start: int = 0, length: int = 0) -> None:
        """Shows an error, after a pause if the user is typing; "" removes it at once."""
        self._waiting = (message, start, length) if message else None
        if not message:
            self._timer.stop()
            self.field.mark(0, 0)
            self.error.set_text("")
        elif self.error.text or not self.field.hasFocus():
            self._say()
        else:
            self._timer.start()

    def _say(self) -> None:
        if self._waiting is not None:
            message, start, length = self._waiting
            self.field.mark(start, length)
            first = message.split(" ", 1)[0]  # a name that the user defined keeps its case
            named = re.search(rf"\b{re.escape(first)}\b", self.field.toPlainText())
            self.error.set_text(message if named else message[:1].upper() + message[1:])
            self.field.setAccessibleDescription(message)

    def hideEvent(self, event) -> None:
        self._pause.finish()
        if self._timer.isActive():
            self._timer.stop()
            self._say()
