"""The list of runs to choose from: those in the app's folder, and those opened from elsewhere.

The settings remember the latter for the next start.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from explorer.engine.latest import Latest
from explorer.panes.base import Context
from explorer.runs.folders import run_folders


class KnownRuns(QObject):
    """Emits `listed(folders)`: all runs, newest first. Searches for them in the I/O pool."""

    listed = Signal(object)

    def __init__(self, context: Context, owner: QObject) -> None:
        super().__init__(owner)
        self._context = context
        self._noted: Path | None = None
        self._looking = Latest(context.engine, owner)
        self._looking.came.connect(self.listed)

    def note(self, folder: Path) -> None:
        """Remembers a readable run if it is outside the app's folder."""
        if folder == self._noted:
            return
        self._noted, whole = folder, folder.resolve()
        if whole.parent != self._context.runs.folder().resolve():
            self._context.settings.remember_run(str(whole))

    def look(self, *shown: str | Path | None) -> None:
        """Updates the list of runs, which includes the runs in `shown`."""
        elsewhere = [*(str(one) for one in shown if one), *self._context.settings.runs]
        folder, io = self._context.runs.folder(), self._context.engine.io
        self._looking.ask(lambda: io(list_runs, folder, elsewhere), "listing runs")


def list_runs(folder: Path, elsewhere: list[str]) -> list[Path]:
    """Returns the runs in a folder, newest first, then the existing ones from elsewhere."""
    return list(dict.fromkeys(path.resolve() for path in run_folders(folder, elsewhere)))
