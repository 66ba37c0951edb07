"""The pause in typing that ends one change, so that the next one can begin."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

LENGTH = 1000  # ms without a keystroke


class TypingPause(QObject):
    """Emits `reached` a second after the last keystroke or step, or when the field is left."""

    reached = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._timer = QTimer(self, singleShot=True, interval=LENGTH)
        self._timer.timeout.connect(self.reached)

    def restart(self) -> None:
        """Restarts the pause after a keystroke or step."""
        self._timer.start()

    def finish(self) -> None:
        """Ends the pause because the field is left."""
        if self._timer.isActive():
            self._timer.stop()
            self.reached.emit()
