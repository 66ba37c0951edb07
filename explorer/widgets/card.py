"""A card: an icon and a word, what happened, what to do; repeated errors are counted."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from explorer import theme, theme_icons
from explorer.widgets.base import IconButton, Label, ratio_of, set_look

WORDS = {"error": "Error", "warning": "Warning", "info": "Note", "success": "Done"}
MOST_SHOWN = 400  # characters of a message: a file's errors may quote what it holds
ROLES = {"error": "error", "warning": "warning", "info": "accent", "success": "success"}


def in_short(message: str) -> str:
    """A long message without its middle: what happened comes first, what to do comes last."""
    if len(message) <= MOST_SHOWN:
        return message
    half = MOST_SHOWN // 2
    return f"{message[:half].rstrip()} … {message[-half:].lstrip()}"


class Glyph(QWidget):
    """A small static icon."""

    def __init__(
        self, name: str, role: str, size: float = 20, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._name, self._role, self._size = name, role, size
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def set(self, name: str, role: str) -> None:
        self._name, self._role = name, role
        self.update()

    def sizeHint(self) -> QSize:
        size = theme.current().px(self._size)
        return QSize(size, size)

    def paintEvent(self, event) -> None:
        painter = QPainter(self)
        ratio = ratio_of(painter)
        down = (self.height() - theme.current().px(self._size)) // 2
        painter.drawPixmap(0, down, theme_icons.pixmap(self._name, self._role, self._size, ratio))
        painter.end()


class Card(QFrame):
    """Kind "error", "warning", "info" or "success". Signals: `actionTriggered` with the action's
    text, `closed` when it is dismissed. A `compact` card takes one line where there is room."""

    actionTriggered = Signal(str)
    closed = Signal()

    def __init__(
        self,
        kind: str,
        message: str,
        actions: list[str] | None = None,
        title: str = "",
        closable: bool = False,
        compact: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        set_look(self, "card")
        self._said = message
        self._count = 1
        self._compact = compact
        self._title_text = title or WORDS[kind]
        self._glyph = Glyph(kind, ROLES[kind])
        self._title = Label(self._title_text, "body", ROLES[kind], 600)
        self._title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._message = Label("", "body", "text", wrap=True)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = IconButton("close", "Dismiss")
        self._close.setVisible(closable)
        self._close.clicked.connect(self.closed)
        self._choices = QWidget()
        self._buttons = QHBoxLayout(self._choices)
        self._buttons.setContentsMargins(0, 0, 0, 0)
        self._buttons.setSpacing(8)
        self._text = QGridLayout()
        self._text.setHorizontalSpacing(12)
        self._text.setVerticalSpacing(4)
        self._text.setColumnStretch(1, 1)
        self._text.setRowStretch(3, 1)  # room that is left over stays below
        self._row = QHBoxLayout(self)
        self._row.setSpacing(12)
        self._row.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignTop)
        self._row.addLayout(self._text, 1)
        self._row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self._arrangement = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.set_actions(actions or [])
        self.set_message(message)

    def set_message(self, message: str) -> None:
        """What happened, and what to do; a long one is shown without its middle."""
        self._said = message
        self._message.setText(in_short(message))
        self.setAccessibleName(f"{self._title_text}: {in_short(message)}")
        self._arrange()

    @property
    def message(self) -> str:
        return self._said

    def set_count(self, count: int) -> None:
        """How often this happened; shown from the second time on."""
        self._count = count
        times = f" ({count} times)" if count > 1 else ""
        self._title.setText(self._title_text + times)
        self._arrange()

    @property
    def count(self) -> int:
        return self._count

    def set_actions(self, actions: list[str]) -> None:
        """Buttons below the message; the first is the way out."""
        while self._buttons.count():
            item = self._buttons.takeAt(0)
            if item is not None and item.widget() is not None:
                item.widget().deleteLater()
        for text in actions:
            button = QPushButton(text, self)
            button.clicked.connect(lambda _=False, name=text: self.actionTriggered.emit(name))
            self._buttons.addWidget(button)
        self._choices.setVisible(bool(actions))
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """Compact: title, message and buttons in one line, or the message below the two others;
        else one below the other."""
        wanted = "stacked"
        if self._compact:
            wanted = "line" if self._fits_one_line() else "two lines"
        if wanted == self._arrangement:
            return
        self._arrangement = wanted
        for part in (self._title, self._message, self._choices):
            self._text.removeWidget(part)
        left = Qt.AlignmentFlag.AlignLeft
        self._text.addWidget(self._title, 0, 0)
        if wanted == "stacked":
            self._text.addWidget(self._message, 1, 0, 1, 3)
            self._text.addWidget(self._choices, 2, 0, 1, 3, left)
        else:
            self._text.addWidget(self._choices, 0, 2)
            place = (0, 1, 1, 1) if wanted == "line" else (1, 0, 1, 3)
            self._text.addWidget(self._message, *place)
        self._buttons.setContentsMargins(0, 4 if wanted == "stacked" else 0, 0, 0)
        margin = 12 if wanted == "stacked" else 5
        self._row.setContentsMargins(16, margin, margin, margin)
        level = theme.current().px("control") if self._compact else self._glyph.sizeHint().height()
        self._glyph.setFixedHeight(level)
        self.updateGeometry()

    def _fits_one_line(self) -> bool:
        shown = self._message.text()
        if "\n" in shown:
            return False
        parts = [self._glyph, self._title, self._close]
        words = self._message.fontMetrics().horizontalAdvance(shown)
        taken = sum(part.sizeHint().width() + 12 for part in parts) + words + 12
        return taken + self._choices.sizeHint().width() + 32 <= self.width()
