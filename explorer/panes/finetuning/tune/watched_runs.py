"""The runs whose curves are drawn together: each is followed, and known by its folder."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.finetuning.settings import FINETUNING, METHODS, settings_of
from explorer.panes.finetuning.tune import text
from explorer.panes.finetuning.tune.scene import Curves, curves_of
from explorer.runs.follower import Follower
from explorer.runs.run_data import RunData


class WatchedRuns(QObject):
    """`changed`: one was added, dismissed, or has moved on; `refused(message)`: it is none that can
    be drawn here, and was dismissed.
    """

    changed = Signal()
    refused = Signal(str)

    def __init__(self, runs: Any, parent: QObject) -> None:
        super().__init__(parent)
        self._runs, self._polls = runs, False
        self._followers: dict[str, Follower] = {}

    @property
    def folders(self) -> list[str]:
        return list(self._followers)

    @property
    def known(self) -> dict[str, RunData]:
        """Those that have been read."""
        found = {folder: one.data for folder, one in self._followers.items()}
        return {folder: data for folder, data in found.items() if data is not None}

    def add(self, folder: str) -> None:
        if folder in self._followers:
            return
        follower = Follower(self._runs, self, lambda reader, _: measures_of(reader))
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
        """While somebody looks."""
        self._polls = on
        for one in self._followers.values():
            one.run(on)

    def look(self) -> None:
        for one in self._followers.values():
            one.look()

    def curves(self) -> dict[str, Curves]:
        """By folder, in the order of the methods. One that was trained more than once has a number
        behind its name.
        """
        known = self.known
        methods = {folder: settings_of(data.config).method for folder, data in known.items()}
        found = {}
        for folder in sorted(known, key=lambda one: METHODS.index(methods[one])):
            method, measured = methods[folder], self._followers[folder].extra
            alike = [one for one in known if methods[one] == method]
            name = text.title(method)
            name += f" {alike.index(folder) + 1}" if len(alike) > 1 else ""
            found[folder] = curves_of(known[folder], measured or {}, name, method)
        return found

    def checkpoints(self, step: float = math.inf) -> dict[str, tuple[int, str]]:
        """The newest checkpoint of each run up to a step, by the run's folder: its step, and where
        it lies.
        """
        found = {}
        for folder, data in self.known.items():
            kept = [one for one in data.checkpoints if one <= step]
            if kept:
                found[folder] = max(kept), str(data.checkpoints[max(kept)])
        return found

    def _on_data(self, folder: str, data: RunData) -> None:
        if data.config.task != FINETUNING:
            self._refuse(folder, text.no_finetuning(data.name))
        else:
            self.changed.emit()

    def _on_failed(self, folder: str, message: str) -> None:
        """One that could be read once comes back."""
        if folder not in self.known:
            self._refuse(folder, message)

    def _refuse(self, folder: str, message: str) -> None:
        self.dismiss(folder)
        self.refused.emit(message)


def measures_of(reader: Any) -> dict[str, np.ndarray]:
    """What evaluations measured beside both losses; logs of other programs have none."""
    return {name: one.copy() for name, one in getattr(reader, "measures", {}).items()}
