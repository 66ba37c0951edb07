"""Notices when the process of a run has ended, and finds the reason in its log.

A trainer may die before it has opened its run folder, so the folder cannot tell.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

if TYPE_CHECKING:
    from core.training import ProcessLauncher

LOOK = 200  # ms between two checks of the processes
TAIL = 400  # characters of the log that are shown


class ProcessWatch(QObject):
    """Emits `ended(folder)` once for every process announced by `begin`."""

    ended = Signal(str)

    def __init__(self, launcher: ProcessLauncher, parent: QObject) -> None:
        super().__init__(parent)
        self._launcher = launcher
        self._logs: dict[Path, int] = {}  # length of each log before its process started
        self._watched: dict[Path, str] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK)
        self._timer.timeout.connect(self.look)

    def begin(self, folder: str | Path) -> None:
        """Called before a process starts: later entries of its log are its own."""
        key = Path(folder).resolve()
        log = _log_of(key)
        self._logs[key] = log.stat().st_size if log.is_file() else 0

    def started(self, folder: str | Path) -> None:
        self._watched[Path(folder).resolve()] = str(folder)
        self._timer.start()

    def stop(self) -> None:
        self._timer.stop()

    def look(self) -> None:
        for key, folder in list(self._watched.items()):
            if not self._launcher.running(key):
                del self._watched[key]
                self.ended.emit(folder)
        if not self._watched:
            self._timer.stop()

    def failure(self, folder: str | Path) -> str:
        """Returns why the last process failed, with the end of its log; "" if it did not."""
        key = Path(folder).resolve()
        code = self._launcher.exit_code(key)
        if not code or key not in self._logs:
            return ""
        how = f"ended with code {code}" if code > 0 else f"was killed by signal {-code}"
        said = _tail(_log_of(key), self._logs[key])
        return f"The process that trained this run {how}. {said}".strip()


def _log_of(folder: Path) -> Path:
    from core.training.launch import LOG

    return folder / LOG


def _tail(log: Path, start: int) -> str:
    """Returns the last lines written after byte `start`."""
    from core.files import open_to_read

    try:
        with open_to_read(log) as file:
            size = file.seek(0, 2)
            file.seek(max(start, size - TAIL))
            return file.read(TAIL).decode("utf-8", "replace").strip()
    except (OSError, ValueError):
        return ""
