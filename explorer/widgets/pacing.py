"""When an inspector updates its numbers: rarely enough to be read, and without delaying frames."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from explorer import theme
from explorer.state.player import Player


class Pacing(QObject):
    """Emits `due` once for all preceding calls of `soon`.

    During playback that is at most eight times a second, just after a frame was painted, so that
    the update is laid out and painted before the next frame, which would otherwise be late. While
    paused, `due` follows as soon as the window is idle.
    """

    due = Signal()

    def __init__(self, player: Player, parent: QObject) -> None:
        super().__init__(parent)
        self._player = player
        self._wait = QTimer(self, singleShot=True)
        self._wait.timeout.connect(self._on_waited)
        self._gap = QTimer(self, singleShot=True, interval=0)  # fires after pending paint events
        self._gap.timeout.connect(self.due)
        self._for_a_frame = False
        player.ticked.connect(self._on_frame)
        player.playingChanged.connect(self._on_frame)

    @property
    def pending(self) -> bool:
        return self._for_a_frame or self._wait.isActive() or self._gap.isActive()

    def soon(self) -> None:
        if not self.pending:
            self._wait.start(theme.MOTION["live_number"] if self._player.playing else 0)

    def stop(self) -> None:
        """Cancels the pending update."""
        self._for_a_frame = False
        self._wait.stop()
        self._gap.stop()

    def flush(self) -> None:
        """Emits a pending `due` now."""
        if self.pending:
            self.stop()
            self.due.emit()

    def _on_waited(self) -> None:
        if self._player.moving:
            self._for_a_frame = True
        else:
            self.due.emit()

    def _on_frame(self) -> None:
        if self._for_a_frame:
            self._for_a_frame = False
            self._gap.start()
