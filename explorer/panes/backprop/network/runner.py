"""Steers the training from the window: begins, changes, plays, pauses, takes one step."""

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

TOGETHER = 15  # steps in one call, each with its keyframe: about 50 ms


class Runner(QObject):
    """`grown`: there are other keyframes; `begun`: another training, at step 0.

    State: "idle" before anything, "loading", "paused", "learning", "diverged" or "failed".

    Its questions change the training, so it does not use `Latest`: the engine answers each one,
    takes each optimizer step, and the next setup changes the training that is being made. Setups
    wait for one another; of those that wait only the newest counts.
    """

    grown = Signal()
    begun = Signal()
    stateChanged = Signal(str)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._learning = Latest(engine, self, open_ended=True)
        self._learning.progressed.connect(self._on_progress)
        self._learning.failed.connect(self._on_failed)
        self._learning.ended.connect(self._on_ended)
        self._playing = False
        self._seen: Keyframe | None = None  # the latest that was told
        self._wish: NetworkDraft | None = None  # of which the engine does not know yet
        self._anew = False  # and it begins anew
        self._learned: dict[str, Any] | None = None  # with what a session kept
        self.beginning: tuple[NetworkDraft, dict[str, Any] | None] | None = (
            None  # until it is there
        )
        self._serving = False
        self._shown = "idle"
        self.asked: NetworkDraft | None = None  # the latest that was wanted
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

    # steering

    def begin(self, draft: NetworkDraft, learned: dict[str, Any] | None = None) -> None:
        """A new network, which waits: at step 0, or with what a session kept."""
        self._halt()
        self.error = ""
        self._learned, self.beginning = learned, (draft, learned)
        self._want(draft, anew=True)

    def change(self, draft: NetworkDraft) -> None:
        """Another setup from the next step on."""
        if self.beginning is not None:
            self.beginning = draft, self.beginning[1]
        self._want(draft, anew=self.training is None)

    def _want(self, draft: NetworkDraft, *, anew: bool) -> None:
        """The latest setup counts; a beginning that is still to come is never lost over it."""
        self.asked = self._wish = draft
        self._anew = self._anew or anew
        if not self._serving:
            self._serving = True
            tasks.spawn(self._serve(), self)
        self._tell()

    async def _serve(self) -> None:
        """Has the engine fulfil the latest wish, until there is none."""
        try:
            while self._wish is not None:
                draft, anew = self._wish, self._anew
                learned, self._wish, self._anew, self._learned = self._learned, None, False, None
                await self._fulfil(draft, anew, learned)
        finally:
            self._serving = False
        self._tell()

    async def _fulfil(
        self, draft: NetworkDraft, anew: bool, learned: dict[str, Any] | None
    ) -> None:
        if self.training is None:
            made = await self._ask(Training, draft, learned)
            if isinstance(made, Training):
                self.training = made
                self._begin()
        elif anew:
            if await self._ask(self.training.reset, draft, learned) is not None:
                self._begin()
        elif await self._ask(self.training.change, draft) is not None:
            self.grown.emit()

    def _begin(self) -> None:
        if not self._anew:  # else another is already wanted
            self.beginning = None
        self.begun.emit()

    def play(self) -> None:
        if self.training is None or self.training.diverged or not self.has_points:
            return
        self._playing = True
        if self._learning.job is not None:
            self._learning.job.resume()
        else:
            self._learning.ask(self.training.run, "the playground learns")
        self._tell()

    def pause(self) -> None:
        """Holds it, and shows the very step at which it stands."""
        if not self._playing:
            return
        self._halt()
        if self.training is not None:
            tasks.spawn(self._then_grown(self.training.record), self)
        self._tell()

    def step(self) -> None:
        """One optimizer step."""
        self._halt()
        if self.training is not None and not self.training.diverged:
            tasks.spawn(self._then_grown(self.training.one_step), self)
        self._tell()

    def set_speed(self, speed: float) -> None:
        if self.training is not None and speed != self.training.speed:
            self.training.speed = speed
            if self._learning.job is not None:
                self._learning.job.wake()

    async def steps(self, count: int) -> None:
        """So many steps, at once: for pictures that begin mid-way."""
        while count > 0 and self.training is not None:
            await self._ask(self.training.several, min(count, TOGETHER))
            count -= TOGETHER
        self.grown.emit()
        self._tell()

    # what comes

    def _halt(self) -> None:
        self._playing = False
        if self._learning.job is not None:
            self._learning.job.pause()

    def _on_progress(self, _: object = None) -> None:
        keyframe = self.training.keyframes[-1] if self.training is not None else None
        if keyframe is not self._seen:  # most of what the job yields shows nothing new
            self._seen = keyframe
            self.grown.emit()
            self._tell()

    def _on_failed(self, message: str) -> None:
        self.error = message

    def _on_ended(self) -> None:
        self._playing = False
        self.grown.emit()
        self._tell()

    async def _then_grown(self, function: Callable[[], Any]) -> None:
        if await self._ask(function) is not None:
            self.grown.emit()
            self._tell()

    async def _ask(self, function: Callable[..., Any], *args: Any) -> Any:
        """What the engine answers; None where it could not, or is closed."""
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
            errors.report(error, "the playground")
        self._tell()

    def _tell(self) -> None:
        if self.state != self._shown:
            self._shown = self.state
            self.stateChanged.emit(self._shown)
