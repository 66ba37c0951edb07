"""Several runs shown together, each followed and identified by its folder."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from explorer.runs.follower import Follower, More
from explorer.runs.live import Runs
from explorer.runs.run_data import RunData


class WatchedRuns(QObject):
    """Emits `changed` when a run was added, dismissed, or has new data, and `refused(message)` when
    one cannot be read, or is refused, and was dismissed.

    more    reads additional parts of each run
    refuse  returns why a run does not belong here, or ""
    """

    changed = Signal()
    refused = Signal(str)

    def __init__(
        self, runs: Runs, parent: QObject, more: More, refuse: Callable[[RunData], str]
    ) -> None:
        super().__init__(parent)
        self._runs, self._more, self._why = runs, more, refuse
        self._polls = False
        self._followers: dict[str, Follower] = {}

    @property
    def folders(self) -> list[str]:
        return list(self._followers)

    @property
    def known(self) -> dict[str, RunData]:
        """The runs that have been read, by folder."""
        found = {folder: one.data for folder, one in self._followers.items()}
        return {folder: data for folder, data in found.items() if data is not None}

    def extra(self, folder: str) -> Any:
        """Returns what `more` has read."""
        return self._followers[folder].extra

    def add(self, folder: str) -> None:
        if folder in self._followers:
            return
        follower = Follower(self._runs, self, self._more)
        follower.run(self._polls)
        follower.changed.connect(lambda data: self._on_data(folder, data))
        follower.failed.connect(lambda message: self._on_failed(folder, message))
        self._followers[folder] = follower
        follower.follow(Path(folder))
        self.changed.emit()

    def dismiss(self, folder: str) -> None:
        if (follower := self._followers.pop(folder, None)) is not None:
            follower.follow(None)
            follower.deleteLater()
            self.changed.emit()

    def poll(self, on: bool) -> None:
        """Starts or stops polling."""
        self._polls = on
        for one in self._followers.values():
            one.run(on)

    def look(self) -> None:
        for one in self._followers.values():
            one.look()

    def checkpoints(self, step: float = math.inf) -> dict[str, tuple[int, str]]:
        """Returns the newest checkpoint of each run up to a step, by the run's folder: its step and
        its folder.
        """
        found = {}
        for folder, data in self.known.items():
            kept = [one for one in data.checkpoints if one <= step]
            if kept:
                found[folder] = max(kept), str(data.checkpoints[max(kept)])
        return found

    def _on_data(self, folder: str, data: RunData) -> None:
        if why := self._why(data):
            self._refuse(folder, why)
        else:
            self.changed.emit()

    def _on_failed(self, folder: str, message: str) -> None:
        """Dismisses a run that was never readable; one that was may return."""
        if folder not in self.known:
            self._refuse(folder, message)

    def _refuse(self, folder: str, message: str) -> None:
        self.dismiss(folder)
        self.refused.emit(message)
