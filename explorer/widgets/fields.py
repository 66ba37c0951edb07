"""Labeled fields of a form: a name above, the editor, and its error."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from explorer import theme
from explorer.widgets.base import Label, show_text
from explorer.widgets.card import Glyph, breakable
from explorer.widgets.toggle import SegmentedControl

LONG_WORD = 20  # letters from which on a word, most often a path, may be broken


class ErrorLine(QWidget):
    """An icon and one sentence below a field; takes no space without an error."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = ""
        self._text = Label("", "label", "error", wrap=True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(Glyph("error", "error", 14), 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        self.hide()

    def set_text(self, text: str) -> None:
        if text != self.text:
            self.text = text
            self._text.setText(breakable(text, LONG_WORD))
            self.setAccessibleName(text)
        self.setVisible(bool(text))


class Field(QWidget):
    """A name, an editor and its error. `changed` carries the value typed or chosen."""

    changed = Signal(str)

    def __init__(self, name: str, title: str, editor: QWidget, hint: str = "") -> None:
        super().__init__()
        self.name = name
        self.setObjectName(name)
        self.title = title
        self._title = Label(title, "label", "muted")
        self._title.setBuddy(editor)
        self.editor = editor
        self.error = ErrorLine()
        editor.setAccessibleName(title)
        if hint:
            editor.setToolTip(hint)
            self._title.setToolTip(hint)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.current().px(4))
        column.addWidget(self._title)
        column.addWidget(editor)
        column.addWidget(self.error)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)

    def set_note(self, note: str) -> None:
        """Shows a note after the name."""
        self._title.setText(f"{self.title}: {note}" if note else self.title)

    def set_error(self, text: str) -> None:
        self.error.set_text(text)
        self.editor.setAccessibleDescription(text)

    def sizeHint(self) -> QSize:
        """Returns a size high enough for all lines of the error."""
        hint, column = super().sizeHint(), self.layout()
        if self.error.text and column is not None:
            hint.setHeight(max(hint.height(), column.totalHeightForWidth(self.width())))
        return hint

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.error.text:
            self.updateGeometry()

    def set_value(self, text: str) -> None:
        """Shows a value without emitting a signal."""

    @property
    def value(self) -> str:
        return ""


class TextField(Field):
    """A field for a number or a short text."""

    def __init__(self, name: str, title: str, hint: str = "") -> None:
        self._line = QLineEdit()
        super().__init__(name, title, self._line, hint)
        self._line.textEdited.connect(self.changed)
        self._line.setMinimumWidth(theme.current().px(56))

    def set_value(self, text: str) -> None:
        show_text(self._line, text)

    @property
    def value(self) -> str:
        return self._line.text()


class ChoiceField(Field):
    """A choice between a few values, side by side."""

    def __init__(
        self, name: str, title: str, choices: list[tuple[str, str]], hint: str = ""
    ) -> None:
        self.control = SegmentedControl(choices, title)
        self._known = [identity for identity, _ in choices]
        super().__init__(name, title, self.control, hint)
        layout = self.layout()
        assert isinstance(layout, QVBoxLayout)
        layout.setAlignment(self.control, Qt.AlignmentFlag.AlignLeft)
        self.control.chosen.connect(self.changed)

    def set_value(self, text: str) -> None:
        if text in self._known:
            self.control.set_current(text)

    @property
    def value(self) -> str:
        return self.control.current


class MenuField(Field):
    """A choice between several values: more than fit side by side."""

    def __init__(
        self, name: str, title: str, choices: list[tuple[str, str]], hint: str = ""
    ) -> None:
        self.box = QComboBox()
        # As wide as its place in the layout, not as its longest choice.
        self.box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.box.setMinimumContentsLength(8)
        self.set_choices(choices)
        super().__init__(name, title, self.box, hint)
        self.box.activated.connect(lambda _: self.changed.emit(self.value))

    def set_choices(self, choices: list[tuple[str, str]]) -> None:
        """Replaces the choices; `set_value` selects one."""
        self.box.clear()
        for identity, text in choices:
            self.box.addItem(text, identity)

    def set_value(self, text: str) -> None:
        place = self.box.findData(text)
        if place >= 0:
            self.box.setCurrentIndex(place)

    @property
    def value(self) -> str:
        return str(self.box.currentData())


class Deepest(QObject):
    """Makes Enter in any field of a form trigger the form's action."""

    entered = Signal()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and event.key() in (  # type: ignore[attr-defined]
            Qt.Key.Key_Return,
            Qt.Key.Key_Enter,
        ):
            self.entered.emit()
            return True
        return False
