"""A card: an icon and a word, what happened, what to do; repeated errors are counted."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from explorer import theme, theme_icons
from explorer.widgets.base import IconButton, Label, ratio_of, set_look

WORDS = {"error": "Error", "warning": "Warning", "info": "Note", "success": "Done"}
ROLES = {"error": "error", "warning": "warning", "info": "accent", "success": "success"}


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
        painter.drawPixmap(0, 0, theme_icons.pixmap(self._name, self._role, self._size, ratio))
        painter.end()


class Card(QFrame):
    """Kind "error", "warning", "info" or "success". Signals: `actionTriggered` with the action's
    text, `closed` when it is dismissed."""

    actionTriggered = Signal(str)
    closed = Signal()

    def __init__(
        self,
        kind: str,
        message: str,
        actions: list[str] | None = None,
        title: str = "",
        closable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        set_look(self, "card")
        self._kind = kind
        self._count = 1
        self._title_text = title or WORDS[kind]
        self._glyph = Glyph(kind, ROLES[kind])
        self._title = Label(self._title_text, "body", ROLES[kind], 600)
        self._title.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._message = Label(message, "body", "text", wrap=True)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._close = IconButton("close", "Dismiss")
        self._close.setVisible(closable)
        self._close.clicked.connect(self.closed)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(8)
        text = QVBoxLayout()
        text.setSpacing(4)
        text.addWidget(self._title)
        text.addWidget(self._message)
        text.addSpacing(4)
        text.addLayout(self._buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 12, 12)
        row.setSpacing(12)
        row.addWidget(self._glyph, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(text, 1)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.set_actions(actions or [])
        self.set_message(message)

    def set_message(self, message: str) -> None:
        self._message.setText(message)
        self.setAccessibleName(f"{self._title_text}: {message}")

    @property
    def message(self) -> str:
        return self._message.text()

    def set_count(self, count: int) -> None:
        """How often this happened; shown from the second time on."""
        self._count = count
        times = f" ({count} times)" if count > 1 else ""
        self._title.setText(self._title_text + times)

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
        self._buttons.addStretch(1)
