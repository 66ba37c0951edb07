"""A plain area in a theme color, with 1 px dividers at chosen edges."""

from __future__ import annotations

from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from explorer import theme


class Surface(QWidget):
    """Draws `role` ("surface", "window", "raised") and a divider on each edge named in `edges`."""

    def __init__(
        self, role: str = "surface", edges: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._role = role
        self._edges = edges.split()
        theme.changed.connect(self.update)

    def paintEvent(self, event: QPaintEvent) -> None:
        now = theme.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), now.color(self._role))
        line = now.color("divider")
        width, height = self.width(), self.height()
        for edge, box in {
            "top": (0, 0, width, 1),
            "bottom": (0, height - 1, width, 1),
            "left": (0, 0, 1, height),
            "right": (width - 1, 0, 1, height),
        }.items():
            if edge in self._edges:
                painter.fillRect(*box, line)
