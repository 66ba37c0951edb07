"""The left rail: one entry per pane, icon over a small label."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from explorer import theme
from explorer.theme import icons
from explorer.widgets.base import Picture, elide, put_text

NARROWEST = 80  # per cent: the least horizontal stretch of a label


class Rail(Picture):
    """Entries (id, title, icon, tooltip). Up and Down move, `chosen` carries the id."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Panes", parent)
        self.setObjectName("rail")
        self._entries: list[tuple[str, str, str, str]] = []
        self._current = ""
        self._hover = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)

    def set_entries(self, entries: list[tuple[str, str, str, str]]) -> None:
        """Shows panes as (id, title, icon, tooltip)."""
        self._entries = list(entries)
        if entries and self._current not in [entry[0] for entry in entries]:
            self._current = entries[0][0]
        self.data_changed()

    def set_current(self, identity: str) -> None:
        """Selects a pane without emitting a signal."""
        if identity != self._current:
            self._current = identity
            self.setAccessibleDescription(identity)
            self.update()

    @property
    def current(self) -> str:
        return self._current

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px("rail"), now.px(56) * max(1, len(self._entries)))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px("rail"), 0)

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        painter.fillRect(self.rect(), now.color("window"))
        painter.fillRect(QRectF(self.width() - 1, 0, 1, self.height()), now.color("divider"))
        for index, (identity, title, icon, _) in enumerate(self._entries):
            cell = self.entry_rect(index)
            chosen = identity == self._current
            if chosen or index == self._hover:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(now.color("selected" if chosen else "raised"))
                painter.drawRoundedRect(cell.adjusted(4, 2, -5, -2), 6, 6)
            if chosen:
                painter.setBrush(now.color("accent"))
                painter.setPen(Qt.PenStyle.NoPen)
                painter.drawRoundedRect(QRectF(0, cell.y() + 14, 3, cell.height() - 28), 1.5, 1.5)
            role = "text" if chosen else "muted"
            pixmap = icons.pixmap(icon, "accent" if chosen else "muted", 20, self.ratio)
            x = cell.center().x() - now.px(20) / 2
            top = cell.center().y() - now.px(19)
            painter.drawPixmap(QPointF(round(x), top), pixmap)
            text = QRectF(cell.x() + 2, top + now.px(23), cell.width() - 4, now.px(14))
            font = _fitting(now.font("rail"), title, text.width() - now.px(4))
            put_text(painter, text, elide(title, font, text.width()), font, now.color(role))
            if chosen and self.shows_focus:
                now.focus_ring(painter, cell.adjusted(7, 5, -8, -5))

    def entry_rect(self, index: int) -> QRectF:
        now, count = theme.current(), max(1, len(self._entries))
        height = min(now.px(56), (self.height() - 2 * now.px(4)) / count)
        return QRectF(0, now.px(4) + index * height, self.width(), height)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._choose(self._at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hover = self._at(event.position())
        if hover != self._hover:
            self._hover = hover
            self.update()

    def leaveEvent(self, event) -> None:
        self._hover = -1
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        names = [entry[0] for entry in self._entries]
        if step is None or self._current not in names:
            super().keyPressEvent(event)
            return
        self._choose(min(max(names.index(self._current) + step, 0), len(names) - 1))

    def event(self, event) -> bool:
        if isinstance(event, QHelpEvent):
            index = self._at(QPointF(event.pos()))
            text = self._entries[index][3] if index >= 0 else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def _at(self, point: QPointF) -> int:
        for index in range(len(self._entries)):
            if self.entry_rect(index).contains(point):
                return index
        return -1

    def _choose(self, index: int) -> None:
        if 0 <= index < len(self._entries) and self._entries[index][0] != self._current:
            self.set_current(self._entries[index][0])
            self.chosen.emit(self._current)


def _fitting(font: QFont, text: str, width: float) -> QFont:
    """Returns the font, condensed a little if the text would touch the edges."""
    wide = QFontMetricsF(font).horizontalAdvance(text)
    if wide > width:
        font = QFont(font)
        font.setStretch(max(NARROWEST, int(100 * width / wide)))
    return font
