"""The base of modes that show one aspect of the current run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.training.config import TrainingConfig
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk, Mode
from explorer.runs.folders import ACTIVE
from explorer.runs.follower import Follower, More
from explorer.runs.run_data import RunData

READING = "reading the run"  # what is waited for
GONE = 0.05  # seconds between two checks if a launcher has ended


class RunWatcher(Mode):
    """Follows the workspace's run while the mode is visible and nothing plays.

    A subclass builds its `view`, whose `body`, if any, is a StatefulPicture, implements `on_run`,
    `on_data` and `on_failed`, and calls `watch` when it is built.
    """

    view: Any

    def __init__(self, desk: Desk, parent: QObject, more: More | None = None) -> None:
        super().__init__(desk, parent)
        self.follower = Follower(self.context.runs, self, more)
        self.followers = [self.follower]  # all that are active while the mode is visible
        self._starts = Latest(self.engine, self)
        self._resumed = -1  # attempt after which the user resumed it

    def watch(self) -> None:
        """Starts to follow the current run, and every one that is opened later."""
        self._look(False)  # until the mode is shown
        self.follower.changed.connect(self.on_data)
        self.follower.failed.connect(self.on_failed)
        self._starts.came.connect(self._on_made)
        self._starts.failed.connect(self.statusRequested)
        if (body := getattr(self.view, "body", None)) is not None:  # Run shows a run as it grows
            self.show_one_answer(body, beside=self.beside(), stop=self._give_up)
            body.retryRequested.connect(self._retry)
        self.workspace.runChanged.connect(self._on_run)
        self._on_run(self.workspace.run)

    def beside(self) -> Sequence[QWidget]:
        """Returns widgets outside the view's body that show parts of the run."""
        return ()

    def look_again(self) -> None:
        """Reads other parts of the run; until they are there, the old ones are stale."""
        self.view.body.show_loading(READING)
        self.follower.look(again=True)

    def _give_up(self) -> None:
        """Stops reading the run until Retry; what was chosen stays."""
        chosen = self.state()
        self.follower.follow(None)
        self.on_run()
        self.restore(chosen)

    def _retry(self) -> None:
        if self.follower.folder is not None:
            self.follower.look(again=True)
            return
        chosen = self.state()
        self._on_run(self.workspace.run)
        self.restore(chosen)

    # changes of the run

    def on_run(self) -> None:
        """Called for another run, of which nothing is known yet, or for none."""

    def on_data(self, data: RunData) -> None:
        """Called when the run has new data."""

    def on_failed(self, message: str) -> None:
        """Called if the folder is not a run or cannot be read."""
        self.statusRequested.emit(message)

    def _on_run(self, folder: str | None) -> None:
        self._resumed = -1
        self.follower.follow(Path(folder) if folder else None)
        self.on_run()

    # state of the run

    @property
    def folder(self) -> Path | None:
        """The run's folder."""
        return self.follower.folder

    @property
    def data(self) -> RunData | None:
        """The run as read so far."""
        return self.follower.data

    @property
    def trains(self) -> bool:
        """Whether the run is being trained, or is about to be."""
        return self.data is not None and self.data.state in ACTIVE

    @property
    def restarts(self) -> bool:
        """Whether the run is restarting and has not finished a new step yet."""
        data = self.data
        return data is not None and (data.restarting or data.attempts == self._resumed)

    # commands to the run

    def resume(self) -> None:
        """Resumes the run from its last checkpoint, in separate processes."""
        if self.folder is not None and self.data is not None:
            self._resumed = self.data.attempts
            self.on_data(self.data)
            self.spawn(self._resume(self.folder))

    async def _resume(self, folder: Path) -> None:
        """Starts the run when the launcher of a failed rank has ended; waits until it trains."""
        runs = self.context.runs
        while runs.running_here(folder):
            await asyncio.sleep(GONE)
        try:
            await runs.launch(folder, "process")
        except (ValueError, OSError) as error:
            self.statusRequested.emit(str(error))
        while runs.running_here(folder) and self.data and self.data.attempts == self._resumed:
            await asyncio.sleep(GONE)
        if self.folder == folder and self.data is not None:
            self._resumed = -1
            self.on_data(self.data)

    def steer(self, command: str, *values: Any, said: str = "") -> None:
        """Sends a command to the run; the status bar shows `said`, or the reason for a refusal."""
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
        """Trains new runs, by name, each in separate processes; opens the first one."""
        new = self.context.runs.new
        made = lambda: [new(config, name) for name, config in configs.items()]  # noqa: E731
        self._starts.ask(lambda: self.engine.io(made), "starting a run")

    @property
    def starts(self) -> bool:
        """Whether new runs are being created."""
        return self._starts.running

    def _on_made(self, folders: list[Path]) -> None:
        for folder in folders:
            self.context.runs.start(folder, "process")
        self.workspace.set_run(str(folders[0]))
        self.on_started()

    def on_started(self) -> None:
        """Called when the requested runs have started."""

    # called by the pane

    def shown(self) -> None:
        self._look(True)

    def left(self) -> None:
        self._look(False)

    def on_playing(self, playing: bool) -> None:
        self._look(not playing)

    def _look(self, on: bool) -> None:
        for follower in self.followers:
            follower.run(on)
