"""The actions of the card's buttons and of the transport on the run on display."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.training.config import TrainingConfig
from explorer.panes.training.run.card_text import ASK_AGAIN, SAME_END, ways_on
from explorer.runs.run_data import RunData
from explorer.runs.steering import Steering


class Controls(QObject):
    """Controls the run that `shown` returns. `refusal` returns why this machine cannot train it, or
    "".

    Emits `branchRequested`; `settingsTaken(run, changes)` to set up a new run with this run's
    settings and these changes; `told(reason)` if an action is impossible.
    """

    branchRequested = Signal()
    settingsTaken = Signal(object, object)
    told = Signal(str)

    def __init__(
        self,
        steering: Steering,
        shown: Callable[[], RunData | None],
        refusal: Callable[[RunData], str],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._steering, self._shown, self._refusal = steering, shown, refusal
        self._asked: tuple[Path, int] | None = None  # the attempt that was asked to begin again

    @property
    def trains(self) -> bool:
        return self._steering.state(self._shown()) in ("running", "new")

    def play(self) -> None:
        """Continues training; where that would begin again at step 0, only when pressed twice."""
        data = self._shown()
        if data is None or data.finished:
            return
        if data.active:
            self._steering.resume(data.folder)
        elif self._can_go_on(data) and self._may_replace(data):
            self._steering.start(data.folder)

    def pause(self) -> None:
        if (data := self._shown()) is not None:
            self._steering.pause(data.folder)

    def step(self) -> None:
        """Trains one optimizer step."""
        data = self._shown()
        if data is None or data.finished:
            return
        if data.active:
            self._steering.step(data.folder)
        elif self._can_go_on(data) and self._may_replace(data):
            self._steering.start(data.folder, steps=1)

    def press(self, button: str) -> None:
        """Runs the action of a card's button."""
        data = self._shown()
        if data is None:
            return
        match button:
            case "pause":
                self.pause()
            case "again":  # the button says what it does
                self._asked = (data.folder, data.attempts)
                self.play()
            case "resume" | "continue":
                self.play()
            case "stop":
                self._steering.stop(data.folder)
            case "take":
                self._steering.take_over(data.folder)
            case "branch":
                self.branchRequested.emit()
            case "lower":  # resume from the last checkpoint after a non-finite loss
                kept = max(data.checkpoints)
                self._steering.branch(data.folder, kept, lowered(data.config))
            case "slower":
                self.settingsTaken.emit(data, lowered(data.config))
            case "anew":
                self.settingsTaken.emit(data, {})

    def _may_replace(self, data: RunData) -> bool:
        """Returns True if continuing replaces no curve, or the user was asked before; else emits
        the question.
        """
        asked = self._asked == (data.folder, data.attempts)
        if asked or data.checkpoints or not len(data.steps):
            return True
        self._asked = (data.folder, data.attempts)
        self.told.emit(ASK_AGAIN)
        return False

    def _can_go_on(self, data: RunData) -> bool:
        """Returns True if an inactive run can continue unchanged; else emits the reason."""
        refused = self._refusal(data)
        can = bool({"continue", "again"} & set(ways_on(data, data.state, refused)))
        if not can:
            self.told.emit(refused or f"{SAME_END} Choose a lower learning rate.")
        return can


def lowered(config: TrainingConfig) -> Mapping[str, Any]:
    """Returns a tenth of the peak and of the last learning rate."""
    names = ("learning_rate", "min_learning_rate")
    return {name: getattr(config, name) / 10 for name in names}
