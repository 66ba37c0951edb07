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
    """The requested states; views of a run pass the state in its folder to `state`.

    starting  runs that are about to start here
    """

    changed = Signal(str)  # the run's folder: a request was made, or is over

    def __init__(self, runs: Runs) -> None:
        super().__init__(runs)
        self._runs = runs
        self._wanted: dict[str, str] = {}  # run -> "running", "paused" or "stopped"
        self._attempts: dict[str, int] = {}  # run -> attempts when its request was first seen
        self._granted: dict[str, tuple[str, int]] = {}  # run -> the granted state, and its `news`
        self.starting: set[str] = set()
        runs.changed.connect(self._on_run_changed)

    def ask(self, folder: str | Path, state: str | None) -> None:
        """Requests a state of a run; None withdraws the request."""
        for kept in (self._attempts, self._wanted, self._granted):
            kept.pop(key_of(folder), None)  # type: ignore[attr-defined]
        if state is not None:
            self._wanted[key_of(folder)] = state
        self.changed.emit(str(folder))

    def of(self, folder: str | Path) -> str | None:
        """Returns the requested state that is not reached yet, or None."""
        return self._wanted.get(key_of(folder))

    def state(self, folder: str | Path, told: str, attempts: int, news: int = 0) -> str:
        """Returns the requested state of a run, or the one in its folder.

        news   how much of the run the caller has read (`Tail.look`): a state confirmed by a later
               read holds for the caller, too
        """
        key, wanted = key_of(folder), self.of(folder)
        granted, known = self._granted.get(key, ("", 0))
        if news < known:
            return granted
        trained = told in ACTIVE or key in self.starting
        # Without a trainer, no request can be granted. One that has just started is not in the
        # folder yet: it still holds the end of the previous attempt.
        here = key in self.starting or self._runs.running_here(folder)
        over = not (trained or here)
        if wanted is not None and not here:  # another program has resumed it since
            over = over or attempts > self._attempts.setdefault(key, attempts)
        if wanted is not None and (wanted == told or told == "finished" or over):
            self._wanted.pop(key, None)
            self._attempts.pop(key, None)
            self._granted[key] = told, news
            return told
        return wanted or told

    def _on_run_changed(self, folder: str) -> None:
        """Withdraws the request if the trainer is gone, whether or not its folder says so; a
        requested stop stays until the folder is read again.
        """
        gone = key_of(folder) not in self.starting and not self._runs.running_here(folder)
        if gone and self.of(folder) != "stopped":
            self.ask(folder, None)


def key_of(folder: str | Path) -> str:
    """Returns one name for all paths that lead to a folder."""
    return str(Path(folder).resolve())
