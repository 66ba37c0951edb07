"""Which runs there are to choose from: those of the app's folder, and those opened from elsewhere.

The latter are kept in the settings, so that they are still there at the next start.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from explorer.engine.latest import Latest
from explorer.panes.base import Context
from explorer.runs.folders import run_folders


class KnownRuns(QObject):
    """`listed(folders)`: every run, the newest first; they are looked for in the I/O pool."""

    listed = Signal(object)

    def __init__(self, context: Context, owner: QObject) -> None:
        super().__init__(owner)
        self._context = context
        self._noted: Path | None = None
        self._looking = Latest(context.engine, owner)
        self._looking.came.connect(self.listed)

    def note(self, folder: Path) -> None:
        """Keeps a run that lies elsewhere in the list from now on; it could be read."""
        if folder == self._noted:
            return
        self._noted, whole = folder, folder.resolve()
        if whole.parent != self._context.runs.folder().resolve():
            self._context.settings.remember_run(str(whole))

    def look(self, *shown: str | Path | None) -> None:
        """Lists the runs anew, those that are shown among them."""
        elsewhere = [*(str(one) for one in shown if one), *self._context.settings.runs]
        folder, io = self._context.runs.folder(), self._context.engine.io
        self._looking.ask(lambda: io(list_runs, folder, elsewhere), "listing runs")


def list_runs(folder: Path, elsewhere: list[str]) -> list[Path]:
    """Every run in a folder, newest first, then those from elsewhere that are there."""
    return list(dict.fromkeys(path.resolve() for path in run_folders(folder, elsewhere)))
