"""Runs that this app trains or looks at: where they lie, who drives them, how they end.

A run trains on the engine's thread or in a process of its own; both are steered by RunControl and
read from the run folder, so nothing else in the app knows the difference.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QThread, Signal

from core.resources import data_folder
from explorer.engine import errors
from explorer.engine.jobs import EngineDied
from explorer.engine.loop import load_shared
from explorer.runs.backend_choice import AUTO, backend_for, seconds_per_step
from explorer.runs.process_watch import ProcessWatch
from explorer.runs.run_source import RunSource
from explorer.runs.tail import Tail
from explorer.state.settings import read_object, write_object

if TYPE_CHECKING:
    from core.training import RunControl, TrainingConfig
    from explorer.engine.engine import Engine
    from explorer.engine.jobs import Job

UNFINISHED = ("stopped", "dead", "failed")  # nobody trains it now


def _train(folder: Path, resume: bool) -> Any:
    """The generator that the engine drives; imported here, for it loads torch."""
    from core.training import RunReader, train_steps

    yield from train_steps(RunReader(folder).config, folder, resume=resume)


def _load_libraries() -> None:
    """What the first run needs: torch's optimizers load its compiler, which takes a second."""
    import torch._dynamo  # noqa: F401

    import core.training.loop  # noqa: F401


class ThreadLauncher(QObject):
    """Trains on the engine's thread: a Launcher for RunControl. May be called from any thread."""

    ended = Signal(str)
    _asked = Signal(str, bool)

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._engine = engine
        self._jobs: dict[str, Job] = {}
        self._lost: list[Path] = []
        self._asked.connect(self._on_asked)

    def start(self, folder: Path, resume: bool) -> None:
        """Raises ValueError when the run is being trained here already."""
        if self.running(folder):
            raise ValueError(f"{Path(folder).name} is being trained already; stop it first")
        if QThread.currentThread() is self.thread():
            self._on_asked(str(folder), resume)
        else:
            self._asked.emit(str(folder), resume)

    def _on_asked(self, folder: str, resume: bool) -> None:
        job = self._engine.run(_train(Path(folder), resume), name=Path(folder).name)
        self._jobs[key_of(folder)] = job
        job.finished.connect(lambda: self._on_finished(folder, job))

    def _on_finished(self, folder: str, job: Job) -> None:
        if isinstance(job.error, EngineDied):  # one card speaks of the engine and all its runs
            self._lost.append(Path(folder))
        elif job.error is not None:
            errors.report(job.error, f"run {job.name}", key_of(folder))
        self.ended.emit(folder)

    def take_lost(self) -> list[Path]:
        """The runs that the death of the engine's thread has ended; each is told once."""
        lost, self._lost = self._lost, []
        return lost

    def job(self, folder: str | Path) -> Job | None:
        return self._jobs.get(key_of(folder))

    def running(self, folder: str | Path) -> bool:
        job = self.job(folder)
        return job is not None and not job.over


class Runs(QObject):
    """All runs that this window started or opened."""

    changed = Signal(str)  # a run's folder: it began or ended here, in whichever way

    def __init__(self, engine: Engine, folder: Path | None = None) -> None:
        super().__init__(engine)
        from core.training import ProcessLauncher

        self._engine = engine
        self.thread_launcher = ThreadLauncher(engine)
        self.process_launcher = ProcessLauncher()
        self._processes = ProcessWatch(self.process_launcher, self)
        self._controls: dict[str, RunControl] = {}
        self._tails: weakref.WeakValueDictionary[str, Tail] = weakref.WeakValueDictionary()
        self._started: dict[str, str] = {}  # folder -> backend
        self._folder = folder
        self._closing = False
        self._prepared = False
        self._unanswered: list[str] | None = None  # of the last session, until a person answers
        self._listed: list[str] = []  # what the file of unfinished runs says
        for trainers in (self.thread_launcher, self._processes):
            trainers.ended.connect(self.changed)
            trainers.ended.connect(self._remember)

    def folder(self) -> Path:
        """Where new runs go."""
        return self._folder or data_folder() / "runs"

    async def prepare(self) -> None:
        """Ahead of a first run: so that its first loss comes sooner."""
        if not self._prepared and self._engine.is_ready:
            self._prepared = True
            await self._engine.call(_load_libraries)

    def new(self, config: TrainingConfig, name: str = "run") -> Path:
        """A new run folder for `config`. Raises ValueError or OSError, and makes none, where such a
        run could not begin. May be called from any thread.
        """
        load_shared()
        from core.training import new_run_folder
        from core.training.requirements import check_requirements

        check_requirements(config)
        return new_run_folder(self.folder(), name, config)

    def discard(self, folder: str | Path) -> None:
        """Deletes a run that was made here and could not begin."""
        self._controls.pop(key_of(folder), None)
        shutil.rmtree(folder, ignore_errors=True)

    def control(self, folder: str | Path, backend: str | None = None) -> RunControl:
        """The one RunControl of a run. `backend` ("thread" or "process") is used by its start."""
        from core.training import RunControl

        key = key_of(folder)
        if key not in self._controls:
            self._controls[key] = RunControl(Path(folder), self.thread_launcher)
        control = self._controls[key]
        if backend is not None:
            if backend not in ("thread", "process"):
                raise ValueError(f"a run trains in a thread or a process, not {backend!r}")
            is_thread = backend == "thread"
            control.launcher = self.thread_launcher if is_thread else self.process_launcher
        return control

    def tail(self, folder: str | Path) -> Tail:
        """The one reader of a run, shared by all that hold it."""
        tail = self._tails.get(key_of(folder))
        if tail is None:
            tail = self._tails[key_of(folder)] = Tail(self._engine, folder)
        return tail

    def source(self, folder: str | Path) -> RunSource:
        """The live model of a run, for panes to look at."""
        return RunSource(self._engine, self.control(folder), self.tail(folder))

    async def place(self, folder: str | Path, chosen: str = AUTO) -> str:
        """Where a run goes on: "thread" or "process". Raises ValueError or OSError where it cannot
        be read.
        """
        seconds = await self.tail(folder).look(seconds_per_step) if chosen == AUTO else 0.0
        return backend_for(seconds, chosen)

    def backend(self, folder: str | Path) -> str:
        """Where a run trains here now; "" where it does not."""
        return self._started.get(key_of(folder), "") if self.running_here(folder) else ""

    def start(self, folder: str | Path, backend: str = "thread", paused: bool = False) -> int:
        """Trains a run on, here; returns the sequence number of its start command."""
        if backend == "process":
            self._processes.begin(folder)
        sequence = self.control(folder, backend).start(paused=paused)
        self._started.pop(key_of(folder), None)  # the newest stands last
        self._started[key_of(folder)] = backend
        self.forget(folder)
        errors.retire(key_of(folder))  # what ended it before is told no longer
        if backend == "process":
            self._processes.started(folder)
        self.changed.emit(str(folder))
        return sequence

    def wake(self, folder: str | Path) -> None:
        """A command was written: a paused run on the engine's thread looks at it at once."""
        job = self.thread_launcher.job(folder)
        if job is not None and not job.over:
            job.wake()

    def running_here(self, folder: str | Path) -> bool:
        return self.thread_launcher.running(folder) or self.process_launcher.running(folder)

    def failure(self, folder: str | Path) -> str:
        """What the trainer that was started here died of, also where its folder does not tell;
        "" while it trains or when it ended well.
        """
        if self.running_here(folder):
            return ""
        if self._started.get(key_of(folder)) == "process":
            return self._processes.failure(folder)
        job = self.job(folder)
        return errors.text_of(job.error) if job is not None and job.error is not None else ""

    def job(self, folder: str | Path) -> Job | None:
        return self.thread_launcher.job(folder)

    @property
    def live(self) -> list[Path]:
        """The runs that train here now."""
        return [Path(key) for key in self._started if self.running_here(key)]

    # the end of a session and the start of the next

    async def close(self, timeout: float = 8.0) -> None:
        """Every run finishes its step, writes a checkpoint and ends; the list of them is kept."""
        live = self.live
        self._remember()
        self._closing = True
        self._processes.stop()
        deadline = time.monotonic() + timeout
        for folder in live:
            with contextlib.suppress(OSError, ValueError):
                self.control(folder).stop()
                self.wake(folder)
        while any(self.running_here(folder) for folder in live) and time.monotonic() < deadline:
            await asyncio.sleep(0.03)
        for folder in live:
            if self.process_launcher.running(folder):
                self.process_launcher.kill(folder)

    def _list_path(self) -> Path:
        return self.folder() / "unfinished.json"

    def _remember(self, _: str = "") -> None:
        """Writes down which runs train here, so that a crash leaves a trace as well."""
        if not self._closing:
            live = [str(folder) for folder in self.live]
            kept = [path for path in self._waiting() if key_of(path) not in live]
            if [*live, *kept] != self._listed:  # a write waits for the disk
                self._listed = [*live, *kept]
                write_object(self._list_path(), {"runs": self._listed})

    def _waiting(self) -> list[str]:
        """The runs of earlier sessions that nobody has decided about."""
        if self._unanswered is None:
            listed = read_object(self._list_path()).get("runs", [])
            found = listed if isinstance(listed, list) else []
            self._unanswered = [path for path in found if isinstance(path, str)]
            self._listed = list(self._unanswered)
        return self._unanswered

    def forget(self, folder: str | Path) -> None:
        """The person has answered the card about this run."""
        self._unanswered = [path for path in self._waiting() if key_of(path) != key_of(folder)]
        self._remember()

    async def interrupted(self) -> list[tuple[Path, int, int]]:
        """Runs that were training when the last session ended: (folder, step, steps).

        Those that are gone or need no answer any more are forgotten.
        """
        found, settled = await self._engine.io(_unfinished, list(self._waiting()))
        for folder in settled:
            self.forget(folder)
        return found


def _unfinished(listed: list[str]) -> tuple[list[tuple[Path, int, int]], list[str]]:
    """In the I/O pool: the runs to ask about, and those that there is nothing to ask about."""
    from core.training import RunReader

    found, settled = [], []
    for path in listed:
        with contextlib.suppress(OSError, ValueError):
            if not Path(path).is_dir():
                settled.append(path)
                continue
            reader = RunReader(path)
            lost = reader.state == "failed" and not reader.checkpoints  # there is nothing to resume
            if lost or reader.state not in UNFINISHED or reader.step >= reader.config.steps:
                settled.append(path)
            else:
                found.append((Path(path), reader.step, reader.config.steps))
    return found, settled


def key_of(folder: str | Path) -> str:
    """One name for all paths that lead to a folder."""
    return str(Path(folder).resolve())
