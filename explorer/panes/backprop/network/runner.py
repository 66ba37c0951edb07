"""Steers the lab from the GUI's thread: begins, changes, learns on, pauses, takes one step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal

from explorer.engine import errors, tasks
from explorer.engine.engine import Engine
from explorer.engine.jobs import SUPERSEDED, EngineDied
from explorer.engine.latest import Latest
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.lab import NetworkLab
from explorer.panes.backprop.network.moment import Moment

TOGETHER = 15  # steps in one call, each with its moment: about 50 ms


class Runner(QObject):
    """`grown`: there are other moments; `begun`: another lab, at step 0.

    State: "idle" before anything, "loading", "paused", "learning", "diverged" or "failed".

    What it asks for changes the lab, so `Latest` is not the way: no question may be dropped for a
    newer one once the engine has it, each optimizer step is taken, and the lab that is being made
    is the one that the next setup changes. Setups wait for one another, and only of those that
    wait the newest counts.
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
        self._seen: Moment | None = None  # the latest that was told
        self._wish: NetworkDraft | None = None  # of which the engine does not know yet
        self._anew = False  # and it begins anew
        self._learned: dict[str, Any] | None = None  # with what a session kept
        self.beginning: tuple[NetworkDraft, dict[str, Any] | None] | None = (
            None  # until it is there
        )
        self._serving = False
        self._shown = "idle"
        self.asked: NetworkDraft | None = None  # the latest that was wanted
        self.lab: NetworkLab | None = None
        self.error = ""

    @property
    def state(self) -> str:
        if self.error:
            return "failed"
        if self.lab is None:
            return "loading" if self._serving else "idle"
        if self.lab.moments and self.lab.moments[-1].diverged:
            return "diverged"
        return "learning" if self._playing else "paused"

    @property
    def learning(self) -> bool:
        return self.state == "learning"

    @property
    def has_points(self) -> bool:
        return self.lab is not None and len(self.lab.data.train) > 0

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
        self._want(draft, anew=self.lab is None)

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
        if self.lab is None:
            made = await self._ask(NetworkLab, draft, learned)
            if isinstance(made, NetworkLab):
                self.lab = made
                self._begin()
        elif anew:
            if await self._ask(self.lab.reset, draft, learned) is not None:
                self._begin()
        elif await self._ask(self.lab.change, draft) is not None:
            self.grown.emit()

    def _begin(self) -> None:
        if not self._anew:  # else another is already wanted
            self.beginning = None
        self.begun.emit()

    def play(self) -> None:
        if self.lab is None or self.lab.diverged or not self.has_points:
            return
        self._playing = True
        if self._learning.job is not None:
            self._learning.job.resume()
        else:
            self._learning.ask(self.lab.run, "the playground learns")
        self._tell()

    def pause(self) -> None:
        """Holds it, and shows the very step at which it stands."""
        if not self._playing:
            return
        self._halt()
        if self.lab is not None:
            tasks.spawn(self._then_grown(self.lab.look), self)
        self._tell()

    def step(self) -> None:
        """One optimizer step."""
        self._halt()
        if self.lab is not None and not self.lab.diverged:
            tasks.spawn(self._then_grown(self.lab.one_step), self)
        self._tell()

    def set_speed(self, speed: float) -> None:
        if self.lab is not None and speed != self.lab.speed:
            self.lab.speed = speed
            if self._learning.job is not None:
                self._learning.job.wake()

    async def steps(self, count: int) -> None:
        """So many steps, at once: for pictures that begin mid-way."""
        while count > 0 and self.lab is not None:
            await self._ask(self.lab.several, min(count, TOGETHER))
            count -= TOGETHER
        self.grown.emit()
        self._tell()

    # what comes

    def _halt(self) -> None:
        self._playing = False
        if self._learning.job is not None:
            self._learning.job.pause()

    def _on_progress(self, _: object = None) -> None:
        moment = self.lab.moments[-1] if self.lab is not None else None
        if moment is not self._seen:  # most of what the job yields shows nothing new
            self._seen = moment
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
