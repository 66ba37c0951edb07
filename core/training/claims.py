"""Control of a run: one program at a time steers it, while others may watch.

A program that starts or steers a run claims it: `controller.json` in the run folder names the
program. While that program runs, `RunControl` does not let any other steer the run; others may
watch it or take over. On the machine of the claim, its process shows whether the program still
runs; elsewhere the file's age does, so the controlling program renews it.
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
RENEWED = 10.0  # seconds between renewals


@dataclass(frozen=True, kw_only=True)
class Controller:
    """The program named by a claim."""

    pid: int = field(least=1, most=(1 << 31) - 1)
    host: str
    process_start: int | None = None

    @property
    def is_ours(self) -> bool:
        """Whether the controller is this process."""
        ours = records.process_identity()
        return (self.pid, self.host, self.process_start) == (
            ours["pid"],
            ours["host"],
            ours["process_start"],
        )

    def __str__(self) -> str:
        """Returns the controller's name in messages to the user."""
        return f"process {self.pid} on {self.host}"


def controller(folder: Path) -> Controller | None:
    """Returns the other program that controls a run; None if there is none or it is this one."""
    claimed = _claimed(folder)
    if claimed is None or claimed.is_ours:
        return None
    if claimed.host == records.process_identity()["host"]:
        told = {"pid": claimed.pid, "process_start": claimed.process_start}
        return claimed if records.is_living(told) else None
    return claimed if _age(folder) < SILENCE else None


def claim(folder: Path) -> None:
    """Makes this program the run's controller. Ignores a read-only folder: commands cannot be
    written there either, and report it.
    """
    claimed = _claimed(folder)
    if claimed is not None and claimed.is_ours:
        renew(folder)
        return
    with suppress(OSError):
        write_json(folder / CLAIM, records.process_identity())


def renew(folder: Path) -> None:
    """Renews this program's claim, if it has one, for programs on other machines."""
    if _age(folder) < RENEWED:
        return
    claimed = _claimed(folder)
    if claimed is not None and claimed.is_ours:
        with suppress(OSError):
            (folder / CLAIM).touch()


def release(folder: Path) -> None:
    """Withdraws this program's claim, if it has one."""
    claimed = _claimed(folder)
    if claimed is not None and claimed.is_ours:
        with suppress(OSError):
            (folder / CLAIM).unlink()


def _claimed(folder: Path) -> Controller | None:
    """Returns the program named by the claim, running or not; None without a readable claim."""
    try:
        return from_json(Controller, read_json(folder / CLAIM), some=True)
    except (ValueError, OSError):
        return None


def _age(folder: Path) -> float:
    """Returns the seconds since the claim was made or renewed; infinity without a claim."""
    try:
        return time.time() - (folder / CLAIM).stat().st_mtime
    except OSError:
        return float("inf")
