"""Runs that this app trains or watches: where they are stored, who drives them, how they end.

A run trains on the engine's thread or in a process of its own; both are steered by RunControl and
read from the run folder, so nothing else in the app knows the difference.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import shutil
import time
import weakref
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QThread, Signal

from core.resources import DATA_VARIABLE, data_folder
from explorer.engine import errors, tasks
from explorer.engine.jobs import EngineDied
from explorer.engine.loop import load_shared
from explorer.runs.backend_choice import AUTO, backend_for, seconds_per_step
from explorer.runs.folders import WaitingRun, is_trained, run_folders, settled_runs, waiting_runs
from explorer.runs.process_watch import ProcessWatch
from explorer.runs.requested import COMMANDS, RequestedStates, key_of
from explorer.runs.run_source import RunSource
from explorer.runs.tail import Tail

if TYPE_CHECKING:
    from core.training import RunControl, RunReader, TrainingConfig
    from explorer.engine.engine import Engine
    from explorer.engine.jobs import Job


def training_steps(folder: Path, resume: bool) -> Any:
    """Returns the generator that the engine runs; imports torch."""
    from core.finetuning.program import program_of
    from core.training import RunReader

    config = RunReader(folder).config
    yield from program_of(config).steps()(config, folder, resume=resume)


def _module_of(config: TrainingConfig) -> str:
    """Returns the module that a process trains with; imported late, the window opens sooner."""
    from core.finetuning.program import program_of

    return program_of(config).module


def _load_libraries() -> None:
    """Loads what the first run needs: torch's optimizers import its compiler, for a second."""
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
        """Raises ValueError if the run already trains here."""
        if self.running(folder):
            raise ValueError(f"{Path(folder).name} is being trained already; stop it first")
        if QThread.currentThread() is self.thread():
            self._on_asked(str(folder), resume)
        else:
            self._asked.emit(str(folder), resume)

    def _on_asked(self, folder: str, resume: bool) -> None:
        job = self._engine.run(training_steps(Path(folder), resume), name=Path(folder).name)
        self._jobs[key_of(folder)] = job
        job.finished.connect(lambda: self._on_finished(folder, job))

    def _on_finished(self, folder: str, job: Job) -> None:
        if isinstance(job.error, EngineDied):  # one card reports the engine and all its runs
            self._lost.append(Path(folder))
        elif job.error is not None:
            errors.report(job.error, f"run {job.name}", key_of(folder))
        self.ended.emit(folder)

    def take_lost(self) -> list[Path]:
        """Returns the runs that ended with the engine's thread; each is returned once."""
        lost, self._lost = self._lost, []
        return lost

    def job(self, folder: str | Path) -> Job | None:
        return self._jobs.get(key_of(folder))

    def running(self, folder: str | Path) -> bool:
        job = self.job(folder)
        return job is not None and not job.over


class Runs(QObject):
    """All runs that this window has started or opened."""

    changed = Signal(str)  # a run's folder: it started or ended here

    def __init__(self, engine: Engine, folder: Path | None = None) -> None:
        super().__init__(engine)
        from core.training import ProcessLauncher

        self._engine = engine
        self.thread_launcher = ThreadLauncher(engine)
        self.process_launcher = ProcessLauncher(_module_of, bound=False)
        self._processes = ProcessWatch(self.process_launcher, self)
        self._controls: dict[str, RunControl] = {}
        self._tails: weakref.WeakValueDictionary[str, Tail] = weakref.WeakValueDictionary()
        self._started: dict[str, str] = {}  # folder -> backend
        self._folder = folder
        self._closing = False
        self._prepared = False
        self.requested = RequestedStates(self)
        for trainers in (self.thread_launcher, self._processes):
            trainers.ended.connect(self.changed)
            trainers.ended.connect(self._on_ended)

    def folder(self) -> Path:
        """Returns the folder for new runs."""
        return self._folder or data_folder() / "runs"

    async def prepare(self) -> None:
        """Loads libraries before the first run, so that its first loss appears sooner."""
        if not self._prepared and self._engine.is_ready:
            self._prepared = True
            await self._engine.call(_load_libraries, name="loading the optimizers")

    def new(self, config: TrainingConfig, name: str = "run") -> Path:
        """Creates a run folder for `config`. Raises ValueError or OSError, and creates none, if
        such a run could not start. May be called from any thread.
        """
        load_shared()
        from core.finetuning.program import program_of
        from core.training import new_run_folder

        program_of(config).check(config)
        try:
            return new_run_folder(self.folder(), name, config)
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise
            # No form has a field for the folder of all runs.
            told = type(error)(f"{error}, with the environment variable {DATA_VARIABLE}")
            told.errno = error.errno
            raise told from error

    def discard(self, folder: str | Path) -> None:
        """Deletes a new run that could not start."""
        self._controls.pop(key_of(folder), None)
        shutil.rmtree(folder, ignore_errors=True)

    def control(self, folder: str | Path, backend: str | None = None) -> RunControl:
        """Returns the one RunControl of a run. Its start uses `backend`: "thread" or "process"."""
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
        """Returns the one reader of a run, shared by all who hold it."""
        tail = self._tails.get(key_of(folder))
        if tail is None:
            tail = self._tails[key_of(folder)] = Tail(self._engine, folder)
        return tail

    def source(self, folder: str | Path) -> RunSource:
        """Returns the live model of a run, for panes to read."""
        return RunSource(self._engine, self.control(folder), self.tail(folder))

    async def place(self, folder: str | Path, chosen: str = AUTO) -> str:
        """Returns where a run continues: "thread" or "process". Raises ValueError or OSError if it
        cannot be read.
        """
        seconds = await self.tail(folder).look(seconds_per_step) if chosen == AUTO else 0.0
        return backend_for(seconds, chosen)

    def backend(self, folder: str | Path) -> str:
        """Returns where a run trains here now, or "" if it does not."""
        return self._started.get(key_of(folder), "") if self.running_here(folder) else ""

    async def launch(
        self, folder: str | Path, backend: str = "thread", paused: bool = False
    ) -> int:
        """Starts a run as `start` does, but reads it off the GUI thread: a long run takes a while.
        Raises ValueError or OSError.
        """
        from core.training import RunReader

        run = await self._engine.io(RunReader, Path(folder))
        return self.start(folder, backend, paused, run)

    def start(
        self,
        folder: str | Path,
        backend: str = "thread",
        paused: bool = False,
        run: RunReader | None = None,
    ) -> int:
        """Starts or resumes a run here; returns the sequence number of its start command. A run of
        several ranks always trains in processes. `run`: the run as just read; None: it is read now.
        """
        from core.training import RunReader

        run = RunReader(folder) if run is None else run
        if run.config.ranks > 1:
            backend = "process"
        if backend == "process":
            self._processes.begin(folder)
        sequence = self.control(folder, backend).start(paused=paused, run=run)
        self._started.pop(key_of(folder), None)  # the newest run is the last
        self._started[key_of(folder)] = backend
        self.requested.ask(folder, "paused" if paused else "running")
        errors.retire(key_of(folder))  # errors that ended it before are obsolete
        if backend == "process":
            self._processes.started(folder)
        self.changed.emit(str(folder))
        return sequence

    def steer(self, folder: str | Path, command: str, *values: Any) -> Coroutine[Any, Any, None]:
        """Shows a command's requested state at once; awaiting the result sends the command.

        Awaiting raises ValueError or OSError if the command is invalid or cannot be written.
        """
        self.requested.ask(folder, COMMANDS.get(command))
        return self._send(folder, command, values)

    async def _send(self, folder: str | Path, command: str, values: Sequence[Any]) -> None:
        try:
            await self._engine.io(getattr(self.control(folder), command), *values)
        except (ValueError, OSError):
            self.requested.ask(folder, None)
            raise
        self.wake(folder)

    async def take_over(self, folder: str | Path) -> None:
        """Makes this app control a run; the program that did so before only watches."""
        await self._engine.io(self.control(folder).take_over)
        self.changed.emit(str(folder))

    def wake(self, folder: str | Path) -> None:
        """Makes a paused run on the engine's thread read its commands at once."""
        job = self.thread_launcher.job(folder)
        if job is not None and not job.over:
            job.wake()

    def running_here(self, folder: str | Path) -> bool:
        return self.thread_launcher.running(folder) or self.process_launcher.running(folder)

    def failure(self, folder: str | Path) -> str:
        """Returns why the trainer that was started here died, even if its folder does not say; ""
        while it trains or if it ended well.
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

    # end of a session, start of the next

    async def close(self, timeout: float = 8.0) -> None:
        """Ends the runs on the engine's thread with a checkpoint of the last whole step; a run in a
        process continues.
        """
        self._closing = True
        self._processes.stop()
        if self._engine.alive:
            with contextlib.suppress(TimeoutError):  # if a disk does not answer
                await asyncio.wait_for(self._engine.io(self._release), 1.0)
        deadline = time.monotonic() + timeout
        here = [job for folder in self.live if (job := self.job(folder)) is not None]
        for job in here:
            job.cancel()
        while any(not job.over for job in here) and time.monotonic() < deadline:
            await asyncio.sleep(0.03)

    def _release(self) -> None:
        for control in list(self._controls.values()):
            control.release()

    @property
    def going_on(self) -> list[Path]:
        """The runs that continue when the window closes: each in its own process."""
        return [folder for folder in self.live if self.process_launcher.running(folder)]

    async def take_up(self, elsewhere: Sequence[str] = ()) -> list[Path]:
        """Adopts the runs whose processes continue from an earlier session; they now train here.

        elsewhere   runs outside the app's own folder
        """
        folders = await self._engine.io(run_folders, self.folder(), elsewhere)
        adopt = self.process_launcher.adopt
        taken = await self._engine.io(lambda: [folder for folder in folders if adopt(folder)])
        for folder in taken:
            self._started[key_of(folder)] = "process"
            self._processes.started(folder)
            self.changed.emit(str(folder))
        return taken

    async def waiting(self, elsewhere: Sequence[str] = ()) -> list[WaitingRun]:
        """Returns the interrupted runs that the user has not decided about since."""
        folders = await self._engine.io(run_folders, self.folder(), elsewhere)
        left = [folder for folder in folders if not self.running_here(folder)]
        return await self._engine.io(waiting_runs, left)

    async def settled(self, folders: Sequence[Path]) -> list[Path]:
        """Returns those of these runs that no longer wait, if they can be read."""
        here = [folder for folder in folders if self.running_here(folder)]
        others = [folder for folder in folders if folder not in here]
        return [*here, *await self._engine.io(settled_runs, others)]

    async def put_aside(self, folder: str | Path) -> None:
        """Marks a run as stopped by the user's decision. One that has been resumed since keeps
        training. Raises ValueError or OSError.
        """
        await self._engine.io(self._put_aside, Path(folder))

    def _put_aside(self, folder: Path) -> None:
        from core.training.launch import launched

        trained = self.running_here(folder) or is_trained(folder)
        if not trained and launched(folder) is None:
            self.control(folder).stop()

    def _on_ended(self, folder: str) -> None:
        if not self._closing and tasks.in_loop():
            tasks.spawn(self._know_failure(folder), self)

    async def _know_failure(self, folder: str) -> None:
        """Prevents the next start from offering a run that failed while the user watched, or that
        its process refused before it opened the folder.
        """
        with contextlib.suppress(OSError, ValueError):
            state = await self.tail(folder).look(lambda reader, _: reader.state)
            refused = state == "new" and (self.process_launcher.exit_code(folder) or 0) > 0
            if (state == "failed" or refused) and not self.running_here(folder):
                await self.put_aside(folder)
