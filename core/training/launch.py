"""ProcessLauncher: trains a run folder in a process of its own, which ends when this one does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from core.files import open_to_append
from core.training import records
from core.training.config import TrainingConfig

LOG = "process.log"
# The exit code of a trainer whose parent is gone.
ORPHANED = 17


class ProcessLauncher:
    """Runs `python -m core.training --run FOLDER` as a child, at a lower priority.

    module     what is run; another module may bring another Task
    niceness   how far the child steps back behind the window (POSIX)
    bound      True: the child ends when this process does, even if it is killed
    """

    def __init__(
        self, module: str = "core.training", niceness: int = 10, bound: bool = True
    ) -> None:
        self.module = module
        self.niceness = niceness
        self.bound = bound
        self._processes: dict[Path, subprocess.Popen[bytes]] = {}

    def start(self, folder: Path, resume: bool) -> None:
        """Starts the run. What the child prints goes to process.log in the run folder.

        Raises ValueError when the folder is no run or is already being trained here, OSError when
        no process starts.
        """
        folder = Path(folder).resolve()
        config = TrainingConfig.from_json(records.read_manifest(folder)["config"])
        if self.running(folder):
            raise ValueError(f"{folder.name} is being trained already; stop it first")
        command = [sys.executable, "-m", self.module, "--run", str(folder)]
        command += ["--nice", str(self.niceness)]
        command += ["--resume"] if resume else []
        command += ["--bound"] if self.bound else []
        root = str(Path(__file__).resolve().parents[2])
        search = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        environment = {
            **os.environ,
            "PYTHONPATH": search,
            "PYTHONUNBUFFERED": "1",
            # Before torch loads: two spinning threads beside a window make a step ten times slower.
            "OMP_NUM_THREADS": str(config.threads),
            "OMP_WAIT_POLICY": "passive",
        }
        # A pipe that nobody reads would stop the child once it is full; a file never does.
        with os.fdopen(open_to_append(folder / LOG), "ab") as log:
            self._processes[folder] = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE if self.bound else subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=folder,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )

    def running(self, folder: str | Path) -> bool:
        """Whether a process of ours trains the run."""
        return self.exit_code(folder) is None and Path(folder).resolve() in self._processes

    def exit_code(self, folder: str | Path) -> int | None:
        """The child's exit code; None while it runs.

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
        """Waits for the child to end; its exit code, or None when the time is over."""
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

        It does neither the rest of a step nor what is due after it. On Windows it ends at once.
        """
        process = self._processes.get(Path(folder).resolve())
        if process is not None and process.poll() is None:
            process.terminate()

    def kill(self, folder: str | Path) -> None:
        """Ends the child at once; the run folder stays whole, and `start` goes on from it."""
        process = self._processes.get(Path(folder).resolve())
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()
        self.exit_code(folder)


def end_with_parent() -> None:
    """Ends this process once its stdin, a pipe that the parent holds, is closed."""

    def watch() -> None:
        try:
            # Not sys.stdin: Python would abort at exit while a thread is reading it.
            while os.read(0, 1):
                pass
        except OSError:
            pass
        os._exit(ORPHANED)

    threading.Thread(target=watch, name="parent", daemon=True).start()
