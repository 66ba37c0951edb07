"""When an inspector tells its numbers: seldom enough to be read, and never in a frame's way."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from explorer import theme
from explorer.state.player import Player


class Pacing(QObject):
    """Says `due` once for all the `soon` that came before it.

    While the player plays that is at most eight times a second, and just after a frame was
    painted: what is told then is laid out and painted before the next frame, which would come
    late otherwise. While it stands still, `due` comes as soon as the window has a moment.
    """

    due = Signal()

    def __init__(self, player: Player, parent: QObject) -> None:
        super().__init__(parent)
        self._player = player
        self._wait = QTimer(self, singleShot=True)
        self._wait.timeout.connect(self._on_waited)
        self._gap = QTimer(self, singleShot=True, interval=0)  # comes after what is to be painted
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
        """What was asked for is not wanted any more."""
        self._for_a_frame = False
        self._wait.stop()
        self._gap.stop()

    def flush(self) -> None:
        """What was asked for is told now."""
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
