"""The base of the modes that show one side of the run that is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from core.training.config import TrainingConfig
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk, Mode
from explorer.runs.folders import ACTIVE
from explorer.runs.follower import Follower, More
from explorer.runs.run_data import RunData

GONE = 0.05  # seconds between two looks whether a launcher has ended


class RunWatcher(Mode):
    """Follows the workspace's run while somebody looks and nothing plays.

    Subclasses implement `on_run`, `on_data` and `on_failed`, and call `watch` when they are built.
    """

    def __init__(self, desk: Desk, parent: QObject, more: More | None = None) -> None:
        super().__init__(desk, parent)
        self.follower = Follower(self.context.runs, self, more)
        self.followers = [self.follower]  # all that look while somebody does
        self._starts = Latest(self.engine, self)
        self._resumed = -1  # the attempt after which it was asked to go on

    def watch(self) -> None:
        """From now on the run comes, and every other one that is opened."""
        self._look(False)  # until the mode is shown
        self.follower.changed.connect(self.on_data)
        self.follower.failed.connect(self.on_failed)
        self._starts.came.connect(self._on_made)
        self._starts.failed.connect(self.statusRequested)
        self.workspace.runChanged.connect(self._on_run)
        self._on_run(self.workspace.run)

    # what comes

    def on_run(self) -> None:
        """Another run, of which nothing is known yet, or none."""

    def on_data(self, data: RunData) -> None:
        """The run has moved on."""

    def on_failed(self, message: str) -> None:
        """It is no run, or cannot be read."""
        self.statusRequested.emit(message)

    def _on_run(self, folder: str | None) -> None:
        self._resumed = -1
        self.follower.follow(Path(folder) if folder else None)
        self.on_run()

    # what is known

    @property
    def folder(self) -> Path | None:
        """Of the run."""
        return self.follower.folder

    @property
    def data(self) -> RunData | None:
        """The run, as far as it was read."""
        return self.follower.data

    @property
    def trains(self) -> bool:
        """Whether somebody trains it now, or is about to."""
        return self.data is not None and self.data.state in ACTIVE

    @property
    def restarts(self) -> bool:
        """Whether it begins again, and no new step is done yet."""
        data = self.data
        return data is not None and (data.restarting or data.attempts == self._resumed)

    # what is asked of it

    def resume(self) -> None:
        """It goes on from its last checkpoint, in processes of its own."""
        if self.folder is not None and self.data is not None:
            self._resumed = self.data.attempts
            self.on_data(self.data)
            self.spawn(self._resume(self.folder))

    async def _resume(self, folder: Path) -> None:
        """Once whoever has watched a rank that failed is gone as well; until it has begun."""
        runs = self.context.runs
        while runs.running_here(folder):
            await asyncio.sleep(GONE)
        try:
            runs.start(folder, "process")
        except (ValueError, OSError) as error:
            self.statusRequested.emit(str(error))
        while runs.running_here(folder) and self.data and self.data.attempts == self._resumed:
            await asyncio.sleep(GONE)
        if self.folder == folder and self.data is not None:
            self._resumed = -1
            self.on_data(self.data)

    def steer(self, command: str, *values: Any, said: str = "") -> None:
        """Asks it for something; `said`, or why it cannot be, goes to the status bar."""
        if self.folder is not None:
            self.spawn(self._steer(self.folder, command, values, said))

    async def _steer(self, folder: Path, command: str, values: Any, said: str) -> None:
        try:
            await self.context.runs.steer(folder, command, *values)
        except (ValueError, OSError) as error:
            said = str(error)
        if said:
            self.statusRequested.emit(said)

    def train_here(self, configs: Mapping[str, TrainingConfig]) -> None:
        """Trains new runs, by name, each in processes of its own; the first is looked at."""
        new = self.context.runs.new
        made = lambda: [new(config, name) for name, config in configs.items()]  # noqa: E731
        self._starts.ask(lambda: self.engine.io(made), "starting a run")

    @property
    def starts(self) -> bool:
        """Whether new runs are being made."""
        return self._starts.running

    def _on_made(self, folders: list[Path]) -> None:
        for folder in folders:
            self.context.runs.start(folder, "process")
        self.workspace.set_run(str(folders[0]))
        self.on_started()

    def on_started(self) -> None:
        """The runs that were asked for train now."""

    # what the pane tells

    def shown(self) -> None:
        self._look(True)

    def left(self) -> None:
        self._look(False)

    def on_playing(self, playing: bool) -> None:
        self._look(not playing)

    def _look(self, on: bool) -> None:
        for follower in self.followers:
            follower.run(on)
