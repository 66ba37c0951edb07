"""The tooltip of a picture's cell; while open, it follows changes of the cell's value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QToolTip

if TYPE_CHECKING:
    from explorer.widgets.heat_map import HeatMap


class CellTip:
    """Shows the tooltip of the hovered cell on request and updates it when its text changes."""

    def __init__(self, picture: HeatMap) -> None:
        self._picture = picture
        self._place = QPoint()  # in screen coordinates
        self._shown = ""

    def show(self, event: QHelpEvent) -> None:
        self._place = event.globalPos()
        self._tell(self._text())

    def renew(self) -> None:
        if self._shown and QToolTip.isVisible() and QToolTip.text() == self._shown:
            text = self._text()
            if text != self._shown:
                self._tell(text)

    def _text(self) -> str:
        cell = self._picture.cell_at(QPointF(self._picture.mapFromGlobal(self._place)))
        return self._picture.describe(*cell) if cell else ""

    def _tell(self, text: str) -> None:
        self._shown = text
        QToolTip.showText(self._place, text, self._picture)
