"""Controls the training from the GUI thread: begins, changes, plays, pauses, takes one step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from explorer.engine import errors, tasks
from explorer.engine.engine import Engine
from explorer.engine.jobs import SUPERSEDED, EngineDied
from explorer.engine.latest import Latest
from explorer.panes.backprop.network.compute import Training
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.keyframe import Keyframe

TOGETHER = 15  # steps per call, each with its keyframe: about 50 ms


class Runner(QObject):
    """Runs the training. `grown`: there are new keyframes; `begun`: another network starts.

    State: "idle" before anything, "loading", "paused", "learning", "diverged" or "failed".

    Its requests change the training, so they do not use `Latest`: the engine must answer each one,
    take each optimizer step, and apply the next setup to the training being made. Setups wait
    for one another; of those that wait, only the newest is applied.
    """

    grown = Signal()
    begun = Signal()
    stateChanged = Signal(str)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._run = Latest(engine, self, open_ended=True)
        self._run.progressed.connect(self._on_progress)
        self._run.failed.connect(self._on_failed)
        self._run.ended.connect(self._on_ended)
        self._playing = False
        self._newest: Keyframe | None = None  # the newest announced one
        self._pending: NetworkDraft | None = None  # not yet sent to the engine
        self._starts_over = False  # True if it starts at step 0
        self._saved: dict[str, Any] | None = None  # state from a session
        # Setup and state of the network being made.
        self.beginning: tuple[NetworkDraft, dict[str, Any] | None] | None = None
        self._serving = False
        self._emitted = "idle"
        self.asked: NetworkDraft | None = None  # the newest setup
        self.training: Training | None = None
        self.error = ""

    @property
    def state(self) -> str:
        if self.error:
            return "failed"
        if self.training is None:
            return "loading" if self._serving else "idle"
        if self.training.keyframes and self.training.keyframes[-1].diverged:
            return "diverged"
        return "learning" if self._playing else "paused"

    @property
    def learning(self) -> bool:
        return self.state == "learning"

    @property
    def has_points(self) -> bool:
        return self.training is not None and len(self.training.data.train) > 0

    # commands

    def begin(self, draft: NetworkDraft, saved: dict[str, Any] | None = None) -> None:
        """Makes a new network, paused: at step 0, or in the `saved` state of a session."""
        self._halt()
        self.error = ""
        self._saved, self.beginning = saved, (draft, saved)
        self._request(draft, starts_over=True)

    def change(self, draft: NetworkDraft) -> None:
        """Applies another setup from the next step on."""
        if self.beginning is not None:
            self.beginning = draft, self.beginning[1]
        self._request(draft, starts_over=self.training is None)

    def _request(self, draft: NetworkDraft, *, starts_over: bool) -> None:
        """Requests the newest setup; a pending start is still carried out."""
        self.asked = self._pending = draft
        self._starts_over = self._starts_over or starts_over
        if not self._serving:
            self._serving = True
            tasks.spawn(self._serve(), self)
        self._emit_state()

    async def _serve(self) -> None:
        """Sends the newest setup to the engine until none is pending."""
        try:
            while self._pending is not None:
                asked = self._pending, self._starts_over, self._saved
                self._pending, self._starts_over, self._saved = None, False, None
                await self._apply(*asked)
        finally:
            self._serving = False
        self._emit_state()

    async def _apply(
        self, draft: NetworkDraft, starts_over: bool, saved: dict[str, Any] | None
    ) -> None:
        if self.training is None:
            made = await self._ask(Training, draft, saved)
            if isinstance(made, Training):
                self.training = made
                self._announce()
        elif starts_over:
            if await self._ask(self.training.reset, draft, saved) is not None:
                self._announce()
        elif await self._ask(self.training.change, draft) is not None:
            self.grown.emit()

    def _announce(self) -> None:
        if not self._starts_over:  # else another start is pending
            self.beginning = None
        self.begun.emit()

    def play(self) -> None:
        if self.training is None or self.training.diverged or not self.has_points:
            return
        self._playing = True
        if self._run.job is not None:
            self._run.job.resume()
        else:
            self._run.ask(self.training.run, "training the network")
        self._emit_state()

    def pause(self) -> None:
        """Pauses, and records the current step."""
        if not self._playing:
            return
        self._halt()
        if self.training is not None:
            tasks.spawn(self._then_grown(self.training.record), self)
        self._emit_state()

    def step(self) -> None:
        """Takes one optimizer step."""
        self._halt()
        if self.training is not None and not self.training.diverged:
            tasks.spawn(self._then_grown(self.training.one_step), self)
        self._emit_state()

    def set_speed(self, speed: float) -> None:
        if self.training is not None and speed != self.training.speed:
            self.training.speed = speed
            if self._run.job is not None:
                self._run.job.wake()

    async def steps(self, count: int) -> None:
        """Takes `count` steps at once, for pictures that start in mid-training."""
        while count > 0 and self.training is not None:
            await self._ask(self.training.several, min(count, TOGETHER))
            count -= TOGETHER
        self.grown.emit()
        self._emit_state()

    # engine

    def _halt(self) -> None:
        self._playing = False
        if self._run.job is not None:
            self._run.job.pause()

    def _on_progress(self, _: object = None) -> None:
        keyframe = self.training.keyframes[-1] if self.training is not None else None
        if keyframe is not self._newest:  # most yields bring no new keyframe
            self._newest = keyframe
            self.grown.emit()
            self._emit_state()

    def _on_failed(self, message: str) -> None:
        self.error = message

    def _on_ended(self) -> None:
        self._playing = False
        self.grown.emit()
        self._emit_state()

    async def _then_grown(self, function: Callable[[], Any]) -> None:
        if await self._ask(function) is not None:
            self.grown.emit()
            self._emit_state()

    async def _ask(self, function: Callable[..., Any], *args: Any) -> Any:
        """Returns the engine's answer; None if it failed or the engine is closed."""
        try:
            found = await self._engine.call(function, *args, name="the network")
        except Exception as error:
            self._fail(error)
            return None
        return None if found is SUPERSEDED else found

    def _fail(self, error: BaseException) -> None:
        self.error = str(error)
        self._halt()
        if not isinstance(error, (ValueError, EngineDied)):
            errors.report(error, "training the network")
        self._emit_state()

    def _emit_state(self) -> None:
        if self.state != self._emitted:
            self._emitted = self.state
            self.stateChanged.emit(self._emitted)
