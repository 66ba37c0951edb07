"""The commands that a run takes, the same on a thread, in a process and on another machine."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from core.training.config import TrainingConfig
from explorer.engine import errors, tasks
from explorer.engine.jobs import EngineDied
from explorer.runs.requested import key_of
from explorer.runs.run_data import RunData

if TYPE_CHECKING:
    from explorer.engine.engine import Engine
    from explorer.runs.live import Runs
    from explorer.state.settings import Settings

REFUSALS = (ValueError, OSError, EngineDied)  # why a run cannot start, each with its remedy
ENDING = 400  # checks of a trainer that is ending, 20 ms apart


class Steering(QObject):
    """Sends commands through RunControl, off the GUI thread; `opened` is emitted with a run that
    began and the run whose checkpoint it continues, or "".
    """

    opened = Signal(str, str)
    refused = Signal(str)
    changed = Signal()

    def __init__(self, engine: Engine, runs: Runs, settings: Settings, owner: QObject) -> None:
        super().__init__(owner)
        self._engine = engine
        self._runs = runs
        self._settings = settings
        self._owner = owner
        self._requested = runs.requested
        self._requested.changed.connect(lambda _: self.changed.emit())

    def state(self, data: RunData | None) -> str:
        """Returns the requested state of the run, or its current one."""
        if data is None:
            return "new"
        return self._requested.state(data.folder, data.state, data.attempts, data.news)

    def begin(self, config: TrainingConfig, name: str, backend: str) -> None:
        """Creates a run of this config and trains it at once."""
        tasks.spawn(self._begin(config, name, backend), self._owner)

    async def _begin(self, config: TrainingConfig, name: str, backend: str) -> None:
        try:
            folder = await self._engine.io(self._runs.new, config, name)
        except REFUSALS as error:
            self.refused.emit(errors.text_of(error))
            return
        await self._start_new(folder, backend)

    async def _start_new(self, folder: Path, backend: str = "", parent: str = "") -> None:
        """Trains a run that was just created; deletes it if it cannot start."""
        try:
            backend = backend or await self._runs.place(folder, self._settings.run_in)
            await self._runs.launch(folder, backend)
        except REFUSALS as error:
            await self._engine.io(self._runs.discard, folder)
            self.refused.emit(errors.text_of(error))
            return
        self.opened.emit(str(folder), parent)

    def start(self, folder: Path, paused: bool = False, steps: int = 0) -> None:
        """Resumes a run from its last checkpoint; `steps` makes so many, then pauses."""
        self._requested.starting.add(key_of(folder))
        self._requested.ask(folder, "paused" if paused else "running")
        tasks.spawn(self._start(folder, paused or steps > 0, steps), self._owner)

    async def _start(self, folder: Path, paused: bool, steps: int) -> None:
        for _ in range(ENDING):  # a trainer may still be ending after its last entry
            if not self._runs.running_here(folder):
                break
            await asyncio.sleep(0.02)
        try:
            backend = await self._runs.place(folder, self._settings.run_in)
            await self._runs.launch(folder, backend, paused=paused)
        except REFUSALS as error:
            self._requested.ask(folder, None)
            self.refused.emit(errors.text_of(error))
            return
        finally:
            self._requested.starting.discard(key_of(folder))
        if steps:
            sent = self._runs.steer(folder, "step", steps)
            self._requested.ask(folder, "running")
            await self._sent(sent)

    def press(self, folder: Path, what: str) -> None:
        """Runs the action of a row's button: pause, resume, stop, continue or again."""
        press = {"pause": self.pause, "resume": self.resume, "stop": self.stop}
        press.get(what, self.start)(folder)

    def pause(self, folder: Path) -> None:
        self._send(folder, "pause")

    def resume(self, folder: Path) -> None:
        self._send(folder, "resume")

    def step(self, folder: Path) -> None:
        self._send(folder, "step", 1)

    def stop(self, folder: Path) -> None:
        self._send(folder, "stop")

    def take_over(self, folder: Path) -> None:
        """Makes this app control the run; the program that did so before only watches."""
        tasks.spawn(self._sent(self._runs.take_over(folder)), self._owner)

    def branch(
        self, folder: Path, step: int, changes: Mapping[str, Any], name: str | None = None
    ) -> None:
        """Creates a run that continues the checkpoint of `step`, and trains it at once."""
        tasks.spawn(self._branch(folder, step, dict(changes), name), self._owner)

    async def _branch(
        self, folder: Path, step: int, changes: dict[str, Any], name: str | None
    ) -> None:
        from core.training.runs import branch

        try:
            made = await self._engine.io(branch, folder, step, changes, name)
        except REFUSALS as error:
            self.refused.emit(errors.text_of(error))
            return
        await self._start_new(made, parent=str(folder))

    def _send(self, folder: Path, command: str, *values: Any) -> None:
        tasks.spawn(self._sent(self._runs.steer(folder, command, *values)), self._owner)

    async def _sent(self, command: Coroutine[Any, Any, None]) -> None:
        try:
            await command
        except (ValueError, OSError) as error:
            self.refused.emit(errors.text_of(error))
