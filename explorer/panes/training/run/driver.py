"""What the buttons and the transport do with a run: start, train on, pause, step, branch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from core.training.config import TrainingConfig
from explorer.panes.training.run.draft import config_of, draft_of, run_name
from explorer.panes.training.run.text import SAME_END, ways_on
from explorer.runs.run_data import RunData
from explorer.runs.steering import Steering

if TYPE_CHECKING:
    from explorer.panes.training.run.mode import RunMode


class Driver:
    """Asks the run that is looked at; knows nothing of how it is shown."""

    def __init__(self, mode: RunMode, steering: Steering) -> None:
        self._mode = mode
        self.steering = steering

    def start_run(self) -> None:
        """Trains what the setup says, at once."""
        if self._mode.planning.errors:
            self._mode.statusRequested.emit(next(iter(self._mode.planning.errors.values())))
            return
        draft = self._mode.planning.draft.value
        if draft.is_by_hand("run_in") and draft.where == draft.run_in:
            self._mode.context.settings.run_in = draft.run_in
        try:
            config = config_of(draft, self._mode.workspace.prompt)
        except ValueError as error:
            self.steering.refused.emit(str(error))
            return
        self.steering.begin(config, run_name(draft), draft.run_in)

    def train_on(self) -> None:
        """Play at the live edge."""
        data = self._mode.follower.data
        if data is None or data.finished:
            return
        if data.active:
            self.steering.resume(data.folder)
        elif self._can_go_on(data):
            self.steering.start(data.folder)

    def _can_go_on(self, data: RunData) -> bool:
        """Whether a run that nobody trains can be trained on as it is; says why where it cannot."""
        refused = self._mode.screen.refused(data)
        can = bool({"continue", "again"} & set(ways_on(data, data.state, refused)))
        if not can:
            self._mode.statusRequested.emit(refused or f"{SAME_END} Choose a lower learning rate.")
        return can

    def pause_run(self) -> None:
        if self._mode.follower.data is not None:
            self.steering.pause(self._mode.follower.data.folder)

    def step_run(self) -> None:
        """One optimizer step at the live edge."""
        data = self._mode.follower.data
        if data is None or data.finished:
            return
        if data.active:
            self.steering.step(data.folder)
        elif self._can_go_on(data):
            self.steering.start(data.folder, steps=1)

    def branch_here(self) -> None:
        """Asks about a new run from the checkpoint under the cursor: its rate, steps and name."""
        moment, data = self._mode.moment, self._mode.follower.data
        if moment is not None and data is not None and moment.checkpoint is not None:
            self._mode.branching.open(data, moment.step)

    def answer(self, what: str) -> None:
        data = self._mode.follower.data
        if data is None:
            return
        match what:
            case "pause":
                self.steering.pause(data.folder)
            case "resume" | "continue" | "again":
                self.train_on()
            case "stop":
                self.steering.stop(data.folder)
            case "take":
                self.steering.take_over(data.folder)
            case "branch":
                self.branch_here()
            case "lower":
                self._lower(data)
            case "slower":
                self._anew(data, lowered(data.config))
            case "anew":
                self._anew(data, {})

    def _lower(self, data: RunData) -> None:
        """After a loss that is no number: go on from the last good checkpoint, more carefully."""
        if data.checkpoints:
            self.steering.branch(data.folder, max(data.checkpoints), lowered(data.config))

    def _anew(self, data: RunData, changes: Mapping[str, Any]) -> None:
        """Back to the setup, filled with what the run began with and these changes."""
        draft = draft_of(data.config.change(changes), self._mode.planning.draft.value)
        self._mode.new_run()
        self._mode.planning.draft.change(draft, f"Take the settings of {data.name}")

    def trains(self) -> bool:
        return self.steering.state(self._mode.follower.data) in ("running", "new")


def lowered(config: TrainingConfig) -> dict[str, float]:
    """A tenth of the learning rate, from its peak to where it comes down to."""
    names = ("learning_rate", "min_learning_rate")
    return {name: getattr(config, name) / 10 for name in names}
