"""A field for something that is read out of what a person types: how it is taken, and refused."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QWidget

from explorer import theme

_UNDO = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)


def is_undo(event: QEvent) -> bool:
    """Whether it is a key for undo or redo, or asks whose that key is."""
    keys = (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress)
    return event.type() in keys and any(event.matches(one) for one in _UNDO)  # type: ignore[attr-defined]


class TypedField(QLineEdit):
    """`changed(value)` for what a person has typed: once there is a pause, or, where `at_once` is
    False, once the field is left or Enter is pressed. `refused(why)` for what means nothing, a
    sentence with the remedy, and `refused("")` once that is mended or given up. What is refused
    leaves the value that was there before the typing began, and no other that stood there on the
    way. What was typed stays as it was typed for as long as it says the value.

    `width` in pixels, in the font of numbers; without it the layout says how wide it is.
    """

    changed = Signal(object)
    entered = Signal()  # it has the keyboard's focus
    left = Signal()  # it has lost it, or Enter is pressed: what comes then is another change
    refused = Signal(str)

    def __init__(
        self, name: str, *, at_once: bool = True, width: int = 0, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._value: Any = 0.0
        self._before: Any = None  # the value when the typing began; None: nobody types
        self._refuses = False  # what stands there, or stood there when it was left
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

    # what a kind of field says

    def read(self, text: str) -> Any:
        """The value that a text means. Raises ValueError, with the remedy, where it means none."""
        return text

    def tell(self, value: Any) -> str:
        """As a person types it."""
        return str(value)

    def is_begun(self, text: str) -> bool:
        """Whether what means nothing yet may become a value by typing on."""
        return False

    # what is shown

    @property
    def value(self) -> Any:
        return self._value

    def set_value(self, value: Any) -> None:
        """Shows a value; one that is being typed stays as it is typed."""
        if self._before is None or not self._same(value, self._value):
            self._show(value)

    def choose(self, value: Any) -> None:
        """A person has chosen a value in another way than by typing."""
        was = self._value
        if self._before is None and self._same(value, was):
            return  # a menu that has it tells so, too, when a person stops typing
        self._show(value)
        self._mended()
        if not self._same(value, was):
            self.changed.emit(value)

    def finish(self) -> None:
        """Takes what is still being typed, as when the field is left."""
        if self._before is not None:
            self._take(last=True)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.entered.emit()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if not self.hasSelectedText():
            self.setCursorPosition(0)  # of what is too long the beginning is read
        self.left.emit()  # a field that was only turned has not finished any editing

    def event(self, event: QEvent) -> bool:
        if self._before is None and is_undo(event):
            event.ignore()  # the program's: the field would go back without its value
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._before is not None:
            self._go_back(self._before)
            self._mended()
        else:
            super().keyPressEvent(event)

    # what is typed

    def _on_edited(self, text: str) -> None:
        if self._before is None:
            self._before = self._value
        self._pause.start()

    def _take(self, last: bool) -> None:
        """What stands there now; `last`: the field is left."""
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
        """Without touching what is typed."""
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
        """−0 is another value than 0."""
        return bool(one == other) and self.tell(one) == self.tell(other)

    def _restyle(self) -> None:
        now = theme.current()
        self.setFont(now.font("mono", mono=True))
        self.setFixedWidth(now.px(self._wide))
