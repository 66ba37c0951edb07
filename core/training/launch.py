"""ProcessLauncher: trains a run folder in a separate process, which may outlive this one."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.fields import field, from_json
from core.files import open_to_append, read_json, write_json
from core.training import records

if TYPE_CHECKING:
    from core.training.config import TrainingConfig

LOG = "process.log"
PR_SET_PDEATHSIG = 1  # of Linux' prctl
# exit code of a trainer whose parent has ended
ORPHANED = 17


@dataclass(frozen=True, kw_only=True)
class Launched:
    """The contents of process.json: the process launched for the run, and its Unix time."""

    pid: int = field(least=1, most=(1 << 31) - 1)
    host: str
    process_start: int | None = None
    time: float = 0.0

    def trains(self, folder: Path) -> bool:
        """Returns True if that process still trains the run or is about to begin. Raises ValueError
        or OSError if the folder is not a run.
        """
        from core.training.reader import RunReader  # late: a window has a launcher from its start

        mine = records.process_identity()
        told = {"pid": self.pid, "process_start": self.process_start}
        if self.host != mine["host"] or not records.is_living(told):
            return False
        run = RunReader(folder)
        begun = [float(attempt.get("started", 0.0)) for attempt in run.manifest["attempts"]]
        # Without the start time of processes, the number may belong to another process by now.
        return not begun or begun[-1] < self.time or run.state in ("running", "paused")


def launched(folder: str | Path) -> Launched | None:
    """Returns the launched process that trains the run or is about to, or None."""
    folder = Path(folder).resolve()
    try:
        found = from_json(Launched, read_json(folder / records.PROCESS), some=True)
        return found if found.trains(folder) else None
    except (ValueError, OSError):
        return None


class ProcessLauncher:
    """Runs `python -m core.training --run FOLDER` as a child, at a lower priority.

    module     the module to run, or a function of the config that returns it; another module may
               define another Task
    niceness   nice value of the child, which keeps the window responsive (POSIX)
    bound      True: the child ends when this process does, even if it is killed; False: it
               continues, even if the terminal is closed, and another launcher may `adopt` it
    """

    def __init__(
        self,
        module: str | Callable[[TrainingConfig], str] = "core.training",
        niceness: int = 10,
        bound: bool = True,
    ) -> None:
        self.module = module
        self.niceness = niceness
        self.bound = bound
        self._processes: dict[Path, subprocess.Popen[bytes]] = {}
        self._adopted: dict[Path, Launched] = {}

    def start(self, folder: Path, resume: bool) -> None:
        """Starts the run. The child's output is written to process.log in the run folder.

        Raises ValueError if the folder is not a run or is already being trained here, OSError if
        no process starts.
        """
        from core.training.config import TrainingConfig

        folder = Path(folder).resolve()
        config = TrainingConfig.from_json(records.read_manifest(folder)["config"])
        if self.running(folder):
            raise ValueError(f"{folder.name} is being trained already; stop it first")
        module = self.module if isinstance(self.module, str) else self.module(config)
        command = [sys.executable, "-m", module, "--run", str(folder)]
        command += ["--nice", str(self.niceness)]
        command += ["--resume"] if resume else []
        command += ["--bound"] if self.bound else []
        root = str(Path(__file__).resolve().parents[2])
        search = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        environment = {
            **os.environ,
            "PYTHONPATH": search,
            "PYTHONUNBUFFERED": "1",
            # Set before torch loads: two busy-waiting threads beside a window slow a step tenfold.
            "OMP_NUM_THREADS": str(config.threads),
            "OMP_WAIT_POLICY": "passive",
        }
        # An unread pipe would stop the child once it is full; a file never does.
        with os.fdopen(open_to_append(folder / LOG), "ab") as log:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE if self.bound else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                start_new_session=not self.bound,
            )
        self._processes[folder] = process
        self._adopted.pop(folder, None)
        with suppress(OSError):  # the run trains; only a later launcher cannot adopt it
            write_json(folder / records.PROCESS, _identity_of(process.pid))

    def adopt(self, folder: str | Path) -> bool:
        """Adopts the process that an earlier launcher started for the run; returns False if there
        is none or it has ended. `running` then covers it; its exit code stays unknown.
        """
        folder = Path(folder).resolve()
        found = None if self.running(folder) else launched(folder)
        if found is None:
            return False
        self._processes.pop(folder, None)
        self._adopted[folder] = found
        return True

    def running(self, folder: str | Path) -> bool:
        """Returns True if a started or adopted process trains the run."""
        folder = Path(folder).resolve()
        adopted = self._adopted.get(folder)
        if adopted is not None:
            return records.is_living({"pid": adopted.pid, "process_start": adopted.process_start})
        return folder in self._processes and self.exit_code(folder) is None

    def exit_code(self, folder: str | Path) -> int | None:
        """Returns the child's exit code; None while it runs, and for an adopted process.

        0: finished or stopped; negative: killed by that signal; else as `python -m core.training`.
        """
        process = self._processes.get(Path(folder).resolve())
        if process is None:
            return None
        code = process.poll()
        if code is not None and process.stdin is not None:
            process.stdin.close()
        return code

    def wait(self, folder: str | Path, timeout: float | None = None) -> int | None:
        """Waits for the child to end; returns its exit code, or None after `timeout` seconds."""
        process = self._processes.get(Path(folder).resolve())
        if process is None:
            return None
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        return self.exit_code(folder)

    def terminate(self, folder: str | Path) -> None:
        """Asks the child to write a checkpoint of its last whole step and end.

        It skips the rest of a step and what is due after it. On Windows it ends at once.
        """
        process = self._processes.get(Path(folder).resolve())
        if process is not None and process.poll() is None:
            process.terminate()

    def kill(self, folder: str | Path) -> None:
        """Ends the child at once; the run folder stays intact, and `start` can resume it."""
        process = self._processes.get(Path(folder).resolve())
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
        self.exit_code(folder)


def _identity_of(pid: int) -> dict[str, object]:
    started = {"pid": pid, "process_start": records.process_start(pid)}
    return {**records.process_identity(), **started, "time": time.time()}


def die_with_parent() -> None:
    """Makes Linux kill this process, even if it is stopped, when the process that started it ends.
    For a child of a program's main thread.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_with_parent() -> None:
    """Ends this process once its stdin, a pipe held by the parent, is closed."""

    def watch() -> None:
        try:
            # Not sys.stdin: Python would abort at exit if a thread is reading it.
            while os.read(0, 1):
                pass
        except OSError:
            pass
        os._exit(ORPHANED)

    threading.Thread(target=watch, name="parent", daemon=True).start()
