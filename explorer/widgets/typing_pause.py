"""The pause after typing, which ends one change and lets the next one begin."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

LENGTH = 1000  # ms without a key


class TypingPause(QObject):
    """Emits `reached` a second after the last key or turn, or as soon as the field is left."""

    reached = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, singleShot=True, interval=LENGTH)
        self._timer.timeout.connect(self.reached)

    def restart(self) -> None:
        """Something was typed or turned."""
        self._timer.start()

    def finish(self) -> None:
        """The field is left."""
        if self._timer.isActive():
            self._timer.stop()
            self.reached.emit()
