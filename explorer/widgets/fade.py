"""A veil over a picture that stands beside the one that tells what is waited for."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from explorer import theme


class Fade(QWidget):
    """Covers a widget, and fades it to 45 % while it is visible: what it shows is outdated."""

    def __init__(self, faded: QWidget, ground: str = "window") -> None:
        super().__init__(faded)
        self._ground = ground
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        faded.installEventFilter(self)
        self.hide()

    def show_stale(self, stale: bool) -> None:
        self.resize(self.parentWidget().size())
        self.setVisible(stale)
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.resize(self.parentWidget().size())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.current().color(self._ground, 1 - theme.STALE_OPACITY))
        painter.end()
