"""A row of controls that say less, one after another, where there is little room."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from explorer import theme


class BriefRow(QWidget):
    """`row` holds the controls. `shorten_by(steps)`: each is called with whether it is to be short;
    the first gives way first.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps: tuple[Callable[[bool], None], ...] = ()
        self._fits = False  # is being fitted
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(8)
        theme.changed.connect(self.fit)

    def shorten_by(self, *steps: Callable[[bool], None]) -> None:
        self._steps = steps
        self.fit()

    def fit(self) -> None:
        """As much as there is room for. Whoever changes what a control says asks for it.

        What it shows or hides on the way may resize it at once: fitted again within, it would go on
        without end, until the stack of C++ was full.
        """
        if self._fits:
            return
        self._fits = True
        try:
            for step in self._steps:
                step(False)
            for step in self._steps:
                if self.row.sizeHint().width() <= self.width():
                    break
                step(True)
        finally:
            self._fits = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()
