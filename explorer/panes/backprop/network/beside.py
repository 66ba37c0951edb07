"""What lies beside the drawing, brought up to date in turn: all at once would cost a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

if TYPE_CHECKING:
    from explorer.panes.backprop.network.mode import NetworkMode

TURN = 60  # ms: losses, layers and inspector, one each time


class Beside:
    """Curves, histograms and the inspector of a mode."""

    def __init__(self, mode: NetworkMode) -> None:
        self._mode = mode
        self._turn = 0
        self._timer = QTimer(mode, singleShot=True, interval=TURN)
        self._timer.timeout.connect(self._show_next)

    @property
    def waits(self) -> bool:
        return self._timer.isActive()

    def soon(self) -> None:
        """There is something new."""
        if not self._timer.isActive() and self._mode.view.isVisible():
            self._turn = 0
            self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def show_all(self) -> None:
        self._show_curves()
        self._show_moment()

    def _show_next(self) -> None:
        parts = (self._mode.inspect, self._show_curves, self._show_moment)
        parts[self._turn % len(parts)]()
        self._turn += 1
        going = self._turn % len(parts) or self._mode.runner.learning
        if going and self._mode.view.isVisible():
            self._timer.start()

    def _show_curves(self) -> None:
        lab = self._mode.runner.lab
        if lab is not None:
            self._mode.view.panel.set_curves(lab.curves)

    def _show_moment(self) -> None:
        mode, moment = self._mode, self._mode.shown_moment
        if moment is not None:
            mode.view.panel.set_moment(moment, not mode.active or mode.player.at_live_edge)
