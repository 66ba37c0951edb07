"""Which runs the list offers: those of the app's folder, and those opened from elsewhere.

The latter are kept in the settings, so that they are still there at the next start.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from explorer.engine.latest import Latest
from explorer.panes.training.run.header import KnownRun, RunChoice
from explorer.runs.folders import is_run, run_folders

if TYPE_CHECKING:
    from explorer.panes.base import Context


class KnownRuns(QObject):
    """Fills the list; folders are looked at in the I/O pool."""

    def __init__(self, context: Context, choice: RunChoice, owner: QObject) -> None:
        super().__init__(owner)
        self._context = context
        self._choice = choice
        self._noted: Path | None = None
        self._shown = "", ""  # which run is shown, which lies over it
        self._looking = Latest(context.engine, owner)
        self._looking.came.connect(self._on_found)

    def note(self, folder: Path) -> None:
        """A run could be read: one that lies elsewhere stays in the list from now on."""
        if folder == self._noted:
            return
        self._noted, whole = folder, folder.resolve()
        if whole.parent != self._context.runs.folder().resolve():
            self._context.settings.remember_run(str(whole))

    def renew(self, current: str | Path | None, other: str | Path | None) -> None:
        """The list as it is now; which run is shown, which lies over it."""
        self._shown = str(current or ""), str(other or "")
        elsewhere = [*self._shown, *self._context.settings.runs]
        folder, io = self._context.runs.folder(), self._context.engine.io
        self._looking.ask(lambda: io(list_runs, folder, elsewhere), "listing runs")

    def _on_found(self, runs: list[KnownRun]) -> None:
        here, over = (str(Path(path).resolve()) if path else "" for path in self._shown)
        self._choice.set_runs(runs, here, over)


def list_runs(folder: Path, elsewhere: Sequence[str]) -> list[KnownRun]:
    """Every run in a folder, newest first, then those from elsewhere; what is no run any more last.

    A disk may come back, so a folder that is not there is no reason to forget it.
    """
    paths = [*run_folders(folder), *(Path(other) for other in elsewhere if other)]
    known: dict[str, KnownRun] = {}
    for path in (path.resolve() for path in paths):
        known.setdefault(str(path), KnownRun(str(path), path.name, gone=not is_run(path)))
    return sorted(known.values(), key=lambda run: run.gone)
