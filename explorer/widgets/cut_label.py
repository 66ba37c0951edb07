"""A line of text that takes the room there is, cut with an ellipsis; whole in its tooltip."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy

from explorer.widgets.base import Label, elide


class CutLabel(Label):
    """Asks for no width, so a long text pushes nothing aside. Give it a layout's stretch."""

    def __init__(self, size: str = "body", role: str = "text") -> None:
        super().__init__("", size, role)
        self.whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def set_text(self, text: str) -> None:
        self.whole = text
        self.setAccessibleName(text)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = elide(self.whole, self.font(), self.width(), Qt.TextElideMode.ElideRight)
        self.setText(shown)
        self.setToolTip(self.whole if shown != self.whole else "")
