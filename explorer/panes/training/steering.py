"""What a person may ask of a run, the same for a thread, a process, and a run elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from core.training.config import TrainingConfig
from explorer.engine import errors, tasks
from explorer.engine.jobs import EngineDied
from explorer.panes.training.run_data import ACTIVE, RunData
from explorer.runs.live import key_of

if TYPE_CHECKING:
    from explorer.engine.engine import Engine
    from explorer.runs.live import Runs
    from explorer.state.settings import Settings

REFUSALS = (ValueError, OSError, EngineDied)  # why nothing trains, each with its remedy
ENDING = 400  # looks at a trainer that is leaving, 20 ms apart


class Steering(QObject):
    """Sends commands through RunControl, off the GUI thread; `opened` names a run that began.

    What a run has been asked to be counts until its folder says so: a button answers at once,
    whatever a step takes.
    """

    opened = Signal(str)
    refused = Signal(str)
    changed = Signal()

    def __init__(self, engine: Engine, runs: Runs, settings: Settings, owner: QObject) -> None:
        super().__init__(owner)
        self._engine = engine
        self._runs = runs
        self._settings = settings
        self._owner = owner
        self._wanted: dict[str, str] = {}  # run -> "running", "paused" or "stopped"
        self._attempts: dict[str, int] = {}  # run -> how many it had when the wish was first seen
        self._starting: set[str] = set()
        runs.changed.connect(self._on_run_changed)

    def state(self, data: RunData | None) -> str:
        """The run's state as a person has asked for it, or as it is."""
        if data is None:
            return "new"
        key, wanted = key_of(data.folder), self.wanted(data.folder)
        trained = data.state in ACTIVE or key in self._starting
        # Without a trainer nobody grants a wish. One that has just begun has not said so yet: the
        # folder still tells how the attempt before it ended.
        here = key in self._starting or self._runs.running_here(data.folder)
        over = not (trained or here)
        if wanted is not None and not here:  # another program has taken it up since
            over = over or data.attempts > self._attempts.setdefault(key, data.attempts)
        if wanted == data.state or data.state == "finished" or over:
            self._wanted.pop(key, None)
            self._attempts.pop(key, None)
            return data.state
        return wanted or data.state

    def wanted(self, folder: str | Path) -> str | None:
        """What this run has been asked to be and is not yet."""
        return self._wanted.get(key_of(folder))

    def begin(self, config: TrainingConfig, name: str, backend: str) -> None:
        """A new run of this config, trained at once."""
        tasks.spawn(self._begin(config, name, backend), self._owner)

    async def _begin(self, config: TrainingConfig, name: str, backend: str) -> None:
        try:
            folder = await self._engine.io(self._runs.new, config, name)
        except REFUSALS as error:
            self.refused.emit(errors.text_of(error))
            return
        await self._start_new(folder, backend)

    async def _start_new(self, folder: Path, backend: str = "") -> None:
        """Trains a run that was made for it: where it cannot be, nothing of it stays."""
        try:
            backend = backend or await self._runs.place(folder, self._settings.run_in)
            self._runs.start(folder, backend)
        except REFUSALS as error:
            await self._engine.io(self._runs.discard, folder)
            self.refused.emit(errors.text_of(error))
            return
        self.opened.emit(str(folder))

    def start(self, folder: Path, paused: bool = False, steps: int = 0) -> None:
        """Trains a run on from its last checkpoint; `steps` makes so many, then pauses."""
        self._starting.add(key_of(folder))
        self._want(folder, "paused" if paused else "running")
        tasks.spawn(self._start(folder, paused or steps > 0, steps), self._owner)

    async def _start(self, folder: Path, paused: bool, steps: int) -> None:
        for _ in range(ENDING):  # a trainer that has just said its last word is still leaving
            if not self._runs.running_here(folder):
                break
            await asyncio.sleep(0.02)
        try:
            backend = await self._runs.place(folder, self._settings.run_in)
            self._runs.start(folder, backend, paused=paused)
        except REFUSALS as error:
            self._want(folder, None)
            self.refused.emit(errors.text_of(error))
            return
        finally:
            self._starting.discard(key_of(folder))
        if steps:
            await self._ask(folder, "step", (steps,))

    def pause(self, folder: Path) -> None:
        self._want(folder, "paused")
        self._send(folder, "pause")

    def resume(self, folder: Path) -> None:
        self._want(folder, "running")
        self._send(folder, "resume")

    def step(self, folder: Path) -> None:
        self._want(folder, None)
        self._send(folder, "step", 1)

    def stop(self, folder: Path) -> None:
        self._want(folder, "stopped")
        self._send(folder, "stop")

    def branch(
        self, folder: Path, step: int, changes: Mapping[str, Any], name: str | None = None
    ) -> None:
        """A new run that continues the checkpoint of `step`, trained at once."""
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
        await self._start_new(made)

    def _on_run_changed(self, folder: str) -> None:
        """A trainer that is gone grants no wish, whether or not its folder says so; that it was to
        stop stays true until the folder is read again.
        """
        gone = key_of(folder) not in self._starting and not self._runs.running_here(folder)
        if gone and self.wanted(folder) != "stopped":
            self._want(folder, None)

    def _want(self, folder: str | Path, state: str | None) -> None:
        self._attempts.pop(key_of(folder), None)
        if state is None:
            self._wanted.pop(key_of(folder), None)
        else:
            self._wanted[key_of(folder)] = state
        self.changed.emit()

    def _send(self, folder: Path, command: str, *values: Any) -> None:
        tasks.spawn(self._ask(folder, command, values), self._owner)

    async def _ask(self, folder: Path, command: str, values: tuple[Any, ...]) -> None:
        control = self._runs.control(folder)
        try:
            await self._engine.io(getattr(control, command), *values)
        except (ValueError, OSError) as error:
            self._want(folder, None)
            self.refused.emit(errors.text_of(error))
            return
        self._runs.wake(folder)
