"""What changes on the screen, one thing a frame: all at once would make a frame late."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer

from explorer.engine import courtesy
from explorer.state.player import FRAME

if TYPE_CHECKING:
    from explorer.panes.backprop.network.mode import NetworkMode


class Frames:
    """The clock of a mode: at each frame either the drawing takes a new moment or, while there is
    none, one of what lies beside it is brought up to date: losses, layers or the inspector.
    """

    def __init__(self, mode: NetworkMode) -> None:
        self._mode = mode
        self._news = False
        self._turn = 0
        self._left = 0  # how many parts show something older
        self.clock = QTimer(mode, interval=FRAME)
        self.clock.setTimerType(Qt.TimerType.PreciseTimer)
        self.clock.timeout.connect(self._tick)

    @property
    def waits(self) -> bool:
        return self.clock.isActive()

    def news(self) -> None:
        """There are new moments; the next frame takes the newest."""
        self._news = True
        self._start()

    def soon(self) -> None:
        """The drawing shows something new: what lies beside it follows, while it learns one part
        after each moment.
        """
        self._left = 1 if self._mode.runner.learning else len(self._parts)
        self._start()

    def stop(self) -> None:
        self.clock.stop()

    def flush(self) -> None:
        """What waits for a frame is shown now."""
        if self._news:
            self._news = False
            self._mode.take_news()
        self.show_all()

    def show_all(self) -> None:
        self._show_curves()
        self._show_moment()

    def _start(self) -> None:
        if self._mode.view.isVisible() and not self.clock.isActive():
            self.clock.start()

    def _tick(self) -> None:
        courtesy.window_works()
        if self._news:
            self._news = False
            self._mode.take_news()
        elif self._left:
            self._parts[self._turn]()
            self._turn = (self._turn + 1) % len(self._parts)
            self._left -= 1
        elif not self._mode.runner.learning:
            self.clock.stop()

    @property
    def _parts(self) -> tuple[Callable[[], None], ...]:
        return self._mode.inspect, self._show_curves, self._show_moment

    def _show_curves(self) -> None:
        lab = self._mode.runner.lab
        if lab is not None:
            self._mode.view.panel.set_curves(lab.curves, not self._mode.runner.learning)

    def _show_moment(self) -> None:
        mode, moment = self._mode, self._mode.shown_moment
        if moment is not None:
            mode.view.panel.set_moment(moment, not mode.active or mode.player.at_live_edge)
