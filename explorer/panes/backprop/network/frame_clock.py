"""Spreads updates of the screen over frames, as all of them at once would delay one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from explorer.engine import courtesy
from explorer.state.player import FRAME


class FrameClock(QObject):
    """In each frame either the drawing takes a new keyframe (`newsDue`) or, if there is none, one
    of the `parts` beside it is updated.
    """

    newsDue = Signal()

    def __init__(
        self,
        parts: Sequence[Callable[[], None]],
        learning: Callable[[], bool],
        visible: Callable[[], bool],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._parts, self._learning, self._visible = parts, learning, visible
        self._news = False
        self._next = 0  # index of the next part to update
        self._older = 0  # number of outdated parts
        self.clock = QTimer(self, interval=FRAME)
        self.clock.setTimerType(Qt.TimerType.PreciseTimer)
        self.clock.timeout.connect(self._on_frame)

    @property
    def waits(self) -> bool:
        return self.clock.isActive()

    def news(self) -> None:
        """Announces new keyframes; the next frame takes the newest."""
        self._news = True
        self._start()

    def soon(self) -> None:
        """Schedules the parts after a change of the drawing; in training one per keyframe."""
        self._older = 1 if self._learning() else len(self._parts)
        self._start()

    def stop(self) -> None:
        self.clock.stop()

    def flush(self) -> None:
        """Shows a waiting keyframe at once."""
        if self._news:
            self._news = False
            self.newsDue.emit()

    def _start(self) -> None:
        if self._visible() and not self.clock.isActive():
            self.clock.start()

    def _on_frame(self) -> None:
        courtesy.window_works()
        if self._news:
            self.flush()
        elif self._older:
            self._parts[self._next]()
            self._next = (self._next + 1) % len(self._parts)
            self._older -= 1
        elif not self._learning():
            self.clock.stop()
