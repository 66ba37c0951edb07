"""Who controls a run: one program at a time, while others watch it.

Whoever starts or steers a run claims it: `controller.json` in its folder names that program. While
it lives, `RunControl` refuses to steer the run for any other, which may look at it and may take it
over. On the machine of the claim its process tells whether it lives; elsewhere the file's age does,
so whoever controls renews it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.fields import field, from_json
from core.files import read_json, write_json
from core.training import records
from core.training.reader import SILENCE

CLAIM = "controller.json"
RENEWED = 10.0  # seconds from one renewal to the next


@dataclass(frozen=True, kw_only=True)
class Controller:
    """The program that a claim names."""

    pid: int = field(least=1, most=(1 << 31) - 1)
    host: str
    process_start: int | None = None

    @property
    def is_ours(self) -> bool:
        """Whether it is this process."""
        ours = records.process_identity()
        return (self.pid, self.host, self.process_start) == (
            ours["pid"],
            ours["host"],
            ours["process_start"],
        )

    def __str__(self) -> str:
        """For people."""
        return f"process {self.pid} on {self.host}"


def controller(folder: Path) -> Controller | None:
    """The other program that controls a run; None where there is none, or it is this one."""
    claimed = _claimed(folder)
    if claimed is None or claimed.is_ours:
        return None
    if claimed.host == records.process_identity()["host"]:
        told = {"pid": claimed.pid, "process_start": claimed.process_start}
        return claimed if records.is_living(told) else None
    return claimed if _age(folder) < SILENCE else None


def claim(folder: Path) -> None:
    """From now on this program controls the run. Where the folder may not be written, commands
    could not be either: they say so.
    """
    claimed = _claimed(folder)
    if claimed is not None and claimed.is_ours:
        renew(folder)
        return
    with suppress(OSError):
        write_json(folder / CLAIM, records.process_identity())


def renew(folder: Path) -> None:
    """Shows programs on other machines that this one still controls the run, if it does."""
    if _age(folder) < RENEWED:
        return
    claimed = _claimed(folder)
    if claimed is not None and claimed.is_ours:
        with suppress(OSError):
            (folder / CLAIM).touch()


def release(folder: Path) -> None:
    """This program controls the run no longer, if it did."""
    claimed = _claimed(folder)
    if claimed is not None and claimed.is_ours:
        with suppress(OSError):
            (folder / CLAIM).unlink()


def _claimed(folder: Path) -> Controller | None:
    """Whom the claim names, whether or not it lives."""
    try:
        return from_json(Controller, read_json(folder / CLAIM), some=True)
    except (ValueError, OSError):
        return None


def _age(folder: Path) -> float:
    """Seconds since the claim was made or renewed; without one it was never."""
    try:
        return time.time() - (folder / CLAIM).stat().st_mtime
    except OSError:
        return float("inf")
