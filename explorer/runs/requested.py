"""Requested states that runs do not report yet, so that a button responds before the step ends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from explorer.runs.folders import ACTIVE

if TYPE_CHECKING:
    from explorer.runs.live import Runs

COMMANDS = {"pause": "paused", "resume": "running", "stop": "stopped"}


class RequestedStates(QObject):
    """Whoever shows a run asks `state` with what its folder tells.

    starting  runs that are about to be started here
    """

    changed = Signal(str)  # the run's folder: it has been asked to be something, or no longer

    def __init__(self, runs: Runs) -> None:
        super().__init__(runs)
        self._runs = runs
        self._wanted: dict[str, str] = {}  # run -> "running", "paused" or "stopped"
        self._attempts: dict[str, int] = {}  # run -> how many when its wish was first seen
        self._granted: dict[str, tuple[str, int]] = {}  # run -> the state, and who knows of it
        self.starting: set[str] = set()
        runs.changed.connect(self._on_run_changed)

    def ask(self, folder: str | Path, state: str | None) -> None:
        """From now on the run is asked to be this; None: to be what it is."""
        for kept in (self._attempts, self._wanted, self._granted):
            kept.pop(key_of(folder), None)  # type: ignore[attr-defined]
        if state is not None:
            self._wanted[key_of(folder)] = state
        self.changed.emit(str(folder))

    def of(self, folder: str | Path) -> str | None:
        """What this run has been asked to be and is not yet."""
        return self._wanted.get(key_of(folder))

    def state(self, folder: str | Path, told: str, attempts: int, news: int = 0) -> str:
        """The run's state as a person has asked for it, or as its folder tells.

        news   how much of the run the asker has read (`Tail.look`): what others have read since
               is true for it, too
        """
        key, wanted = key_of(folder), self.of(folder)
        granted, known = self._granted.get(key, ("", 0))
        if news < known:
            return granted
        trained = told in ACTIVE or key in self.starting
        # Without a trainer nobody grants a wish. One that has just begun has not said so yet: the
        # folder still tells how the attempt before it ended.
        here = key in self.starting or self._runs.running_here(folder)
        over = not (trained or here)
        if wanted is not None and not here:  # another program has taken it up since
            over = over or attempts > self._attempts.setdefault(key, attempts)
        if wanted is not None and (wanted == told or told == "finished" or over):
            self._wanted.pop(key, None)
            self._attempts.pop(key, None)
            self._granted[key] = told, news
            return told
        return wanted or told

    def _on_run_changed(self, folder: str) -> None:
        """A trainer that is gone grants no wish, whether or not its folder says so; that it was to
        stop stays true until the folder is read again.
        """
        gone = key_of(folder) not in self.starting and not self._runs.running_here(folder)
        if gone and self.of(folder) != "stopped":
            self.ask(folder, None)


def key_of(folder: str | Path) -> str:
    """One name for all paths that lead to a folder."""
    return str(Path(folder).resolve())
