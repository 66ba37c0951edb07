"""The command palette (Ctrl+K): type a few letters, Enter runs the action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QModelIndex, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, Label, elide, put_text, set_look

_ROLE = Qt.ItemDataRole.UserRole
LONGEST = 320  # px to which the repeated query is elided


@dataclass(frozen=True)
class Entry:
    """One action in the palette."""

    id: str
    text: str
    shortcut: str = ""
    enabled: bool = True


def match_score(query: str, text: str) -> int | None:
    """Returns how well `text` matches `query`: lower is better, None is no match.

    Every word of the query must occur; a match at the start of a word beats one inside, then
    shorter texts win. Letters in order ("tgm" for "Toggle theme motion") match last.
    """
    query, text = query.lower().strip(), text.lower()
    if not query:
        return 0
    score = 0
    for word in query.split():
        at = text.find(word)
        if at < 0:
            return _scattered(query.replace(" ", ""), text)
        score += at if at == 0 or not text[at - 1].isalnum() else 100 + at
    return score * 10 + len(text)


def _scattered(letters: str, text: str) -> int | None:
    at = -1
    for letter in letters:
        at = text.find(letter, at + 1)
        if at < 0:
            return None
    return 100_000 + at


class _Row(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        return QSize(100, theme.current().px(32))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex) -> None:
        now = theme.current()
        entry: Entry = index.data(_ROLE)
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(now.color("selected"))
            painter.drawRoundedRect(rect.adjusted(4, 1, -4, -1), 6, 6)
        if not entry.enabled:
            painter.setOpacity(theme.DISABLED_OPACITY)
        box = rect.adjusted(now.px(16), 0, -now.px(16), 0).toRectF()
        put_text(painter, box, entry.text, now.font("body"), now.color("text"), LEFT)
        put_text(painter, box, entry.shortcut, now.font("label"), now.color("muted"), RIGHT)
        painter.restore()


class CommandPalette(QFrame):
    """A popover at the top of its parent. `entryChosen` carries the action's id; Esc closes."""

    entryChosen = Signal(str)
    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName("Command palette")
        set_look(self, "popover")
        self._entries: list[Entry] = []
        self.query = QLineEdit(self)
        self.query.setPlaceholderText("What do you want to do?")
        self.query.setAccessibleName("Search actions")
        self._model = QStandardItemModel(self)
        self._list = QListView(self)
        self._list.setAccessibleName("Actions")
        self._list.setModel(self._model)
        self._list.setItemDelegate(_Row(self._list))
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._list.setStyleSheet("border: none;")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        self.nothing = Label("", "body", "muted", wrap=True)
        self.nothing.setContentsMargins(8, 8, 8, 8)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.query)
        layout.addWidget(self.nothing, 1)
        layout.addWidget(self._list, 1)
        self.query.textChanged.connect(self._filter)
        self.query.installEventFilter(self)
        self._list.clicked.connect(lambda _: self._run())
        theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    def open(self, entries: Sequence[Entry]) -> None:
        """Shows the palette with these actions and an empty query."""
        self._entries = list(entries)
        self.query.clear()
        self._filter("")
        now, parent = theme.current(), self.parentWidget()
        width = min(now.px(520), max(200, parent.width() - 32))
        height = min(now.px(400), max(160, parent.height() - now.px(120)))
        self.setGeometry((parent.width() - width) // 2, now.px(64), width, height)
        self.show()
        self.raise_()
        self.query.setFocus()

    @property
    def shown(self) -> list[str]:
        """The listed ids, best first."""
        return [self._model.item(row).data(_ROLE).id for row in range(self._model.rowCount())]

    def dismiss(self) -> None:
        if self.isVisible():
            self.hide()
            self.closed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
            key = Qt.Key(event.key())
            if key in steps:
                self._select(self._list.currentIndex().row() + steps[key])
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._run()
                return True
            if key == Qt.Key.Key_Escape:
                self.dismiss()
                return True
        if event.type() == QEvent.Type.FocusOut:
            self.dismiss()
        return super().eventFilter(watched, event)

    def _filter(self, query: str) -> None:
        scored = [(match_score(query, entry.text), entry) for entry in self._entries]
        found = [(score, entry) for score, entry in scored if score is not None]
        found.sort(key=lambda pair: pair[0])
        self._model.clear()
        for _, entry in found:
            item = QStandardItem(entry.text)
            item.setData(entry, _ROLE)
            item.setEnabled(entry.enabled)
            self._model.appendRow(item)
        shown = elide(query.strip(), self.nothing.font(), theme.current().px(LONGEST))
        self.nothing.setText("" if found else f"No action matches \u201c{shown}\u201d.")
        self.nothing.setVisible(not found)
        self._list.setVisible(bool(found))
        self._select(0)

    def _select(self, row: int) -> None:
        row = min(max(row, 0), self._model.rowCount() - 1)
        if row >= 0:
            self._list.setCurrentIndex(self._model.index(row, 0))

    def _run(self) -> None:
        index = self._list.currentIndex()
        if index.isValid():
            entry: Entry = index.data(_ROLE)
            if entry.enabled:
                self.dismiss()
                self.entryChosen.emit(entry.id)

    def _restyle(self) -> None:
        self.query.setFont(theme.current().font("sentence"))
