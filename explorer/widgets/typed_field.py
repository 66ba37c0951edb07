"""A field for a value parsed from typed text: when it is accepted, and when it is rejected."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QWidget

from explorer import theme

_UNDO = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


def is_undo(event: QEvent) -> bool:
    """Returns True for an undo or redo key, or for the query about such a shortcut."""
    keys = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)
    return event.type() in keys and any(event.matches(one) for one in _UNDO)  # type: ignore[attr-defined]


class TypedField(QLineEdit):
    """Emits `changed(value)` for typed input: after a pause or, if `at_once` is False, when the
    field is left or Enter is pressed. Emits `refused(why)` for invalid text, a sentence with the
    remedy, and `refused("")` once that is corrected or abandoned. Invalid text restores the value
    from before the typing, not an intermediate one. Typed text stays as typed while it represents
    the value.

    `width` is in pixels, in the font of numbers; without it the layout sets the width.
    """

    changed = Signal(object)
    entered = Signal()  # it has received the focus
    left = Signal()  # it has lost the focus, or Enter was pressed: the next input is another change
    refused = Signal(str)

    def __init__(
        self, name: str, *, at_once: bool = True, width: int = 0, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._value: Any = 0.0
        self._before: Any = None  # the value when typing began; None: not typing
        self._refuses = False  # the text is invalid, or was when the field was left
        self._at_once, self._wide = at_once, width
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(theme.MOTION["move"])
        self._pause.timeout.connect(lambda: self._take(last=False))
        self.textEdited.connect(self._on_edited)
        self.editingFinished.connect(self.finish)
        self.editingFinished.connect(self.left)
        if width:
            theme.changed.connect(self._restyle)
            self._restyle()

    # defined by each kind of field

    def read(self, text: str) -> Any:
        """Returns the value of a text. Raises ValueError with the remedy if it has none."""
        return text

    def tell(self, value: Any) -> str:
        """Returns a value as the user would type it."""
        return str(value)

    def is_begun(self, text: str) -> bool:
        """Returns True if a text that is not valid yet may become so with more typing."""
        return False

    # state

    @property
    def value(self) -> Any:
        return self._value

    def set_value(self, value: Any) -> None:
        """Shows a value, unless it equals the one being typed."""
        if self._before is None or not self._same(value, self._value):
            self._show(value)

    def choose(self, value: Any) -> None:
        """Sets a value that the user chose by other means than typing."""
        was = self._value
        if self._before is None and self._same(value, was):
            return  # a menu also reports its unchanged value after a pause in typing
        self._show(value)
        self._mended()
        if not self._same(value, was):
            self.changed.emit(value)

    def finish(self) -> None:
        """Takes the text still being typed, as when the field is left."""
        if self._before is not None:
            self._take(last=True)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.entered.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if not self.hasSelectedText():
            self.setCursorPosition(0)  # show the beginning of a long text
        self.left.emit()  # editingFinished is not emitted if the value was only stepped

    def event(self, event: QEvent) -> bool:
        if self._before is None and is_undo(event):
            event.ignore()  # the app's: the field would undo its text without its value
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._before is not None:
            self._go_back(self._before)
            self._mended()
        else:
            super().keyPressEvent(event)

    # typing

    def _on_edited(self, text: str) -> None:
        if self._before is None:
            self._before = self._value
        self._pause.start()

    def _take(self, last: bool) -> None:
        """Takes the current text; `last`: the field is left."""
        self._pause.stop()
        before = self._value if self._before is None else self._before
        try:
            value = self.read(self.text())
        except ValueError as error:
            if not last and self.is_begun(self.text().strip()):
                return
            if last:
                self._go_back(before)
            else:
                self._go_to(before)
            self._refuse(str(error), self.tell(before))
            return
        self._mended()
        if last:
            self._before = None
        if last or self._at_once:
            self._go_to(value)

    def _refuse(self, why: str, kept: str) -> None:
        self._refuses = True
        stays = f"the value is still {kept}" if kept else "the field is still empty"
        sentence = f"{why[:1].upper()}{why[1:]}; {stays}."
        self.setAccessibleDescription(sentence)
        self.refused.emit(sentence)

    def _mended(self) -> None:
        if self._refuses:
            self._refuses = False
            self.setAccessibleDescription("")
            self.refused.emit("")

    def _go_to(self, value: Any) -> None:
        """Sets the value without changing the text."""
        if not self._same(value, self._value):
            self._value = value
            self.changed.emit(value)

    def _go_back(self, before: Any) -> None:
        was = self._value
        self._show(before)
        if not self._same(was, before):
            self.changed.emit(before)

    def _show(self, value: Any) -> None:
        self._pause.stop()
        self._before, self._value = None, value
        if not self._says(value):
            self.setText(self.tell(value))
            if not self.hasFocus():
                self.setCursorPosition(0)

    def _says(self, value: Any) -> bool:
        try:
            return self._same(self.read(self.text()), value)
        except ValueError:
            return False

    def _same(self, one: Any, other: Any) -> bool:
        """Returns True for equal values; −0 and 0 differ."""
        return bool(one == other) and self.tell(one) == self.tell(other)

    def _restyle(self) -> None:
        now = theme.current()
        self.setFont(now.font("mono", mono=True))
        self.setFixedWidth(now.px(self._wide))
