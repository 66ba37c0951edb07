"""Steers a recording: starts its job on the engine, plays, pauses, steps, and tells what came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.tokenization.vocabulary_limits import Limits
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.tokenizers.train.draft import TrainDraft
from explorer.panes.tokenizers.train.recording import Recording
from explorer.state.typed_numbers import whole_in

KILOBYTE = 1000


class Trainer(QObject):
    """`grown`: there are more moments, or another sample; `stateChanged`: see `state`.

    State: "idle" before anything, "preparing", "training", "paused", "done" or "failed".
    """

    grown = Signal()
    stateChanged = Signal(str)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._training = Latest(engine, self, open_ended=True)
        self._training.progressed.connect(self._on_progress)
        self._training.came.connect(self._on_done)
        self._training.failed.connect(self._on_failed)
        self._training.ended.connect(self._on_ended)
        self._splitting = Latest(engine, self)
        self._splitting.ended.connect(self.grown)
        self._playing = False
        self._shown = "idle"
        self.recording: Recording | None = None
        self.draft: TrainDraft | None = None  # what the recording was started with
        self.error = ""

    @property
    def state(self) -> str:
        if self.recording is None:
            return "idle"
        if self.error:
            return "failed"
        if self.recording.over:
            return "done"
        if not len(self.recording):
            return "preparing"
        return "training" if self._playing else "paused"

    @property
    def playing(self) -> bool:
        return self._playing

    # steering

    def start(
        self,
        draft: TrainDraft,
        speed: float,
        *,
        until: int | None = None,
        limits: Sequence[Limits | None] = (),
    ) -> None:
        """Trains from the beginning; `until`: fast to this many moments, then it waits; `limits`:
        what the text allows of each, as far as that is known."""
        self.clear()
        plans = [lane.plan for lane in draft.chosen]
        recording = Recording(plans, draft.names, draft.sample, draft.sizes)
        recording.speed = speed
        recording.limit, recording.hurry = until, until is not None
        amount = KILOBYTE * (whole_in(draft.kilobytes) or 1)
        self.recording, self.draft = recording, draft
        self._playing = until is None
        self._training.ask(
            lambda: recording.run(draft.texts_steps(amount), draft.pieces, limits),
            "training tokenizers",
        )
        self._tell()

    def clear(self) -> None:
        """Forgets the training; one that is under way is cancelled."""
        self._training.stop()
        self._splitting.stop()
        self.recording = None
        self._playing = False
        self.error = ""
        self._tell()

    def play(self) -> None:
        if self.recording is not None and self._goes_on:
            self._playing = True
            self.recording.limit = None
            self._resume()
            self._tell()

    def pause(self) -> None:
        if self.recording is not None and self._goes_on:
            self._playing = False
            self.recording.hurry = False
            if len(self.recording):
                self._hold()
            else:  # what prepares goes on, and waits at the first moment
                self.recording.limit = 1
            self._tell()

    def step(self) -> None:
        """One common step more."""
        self.to(len(self.recording) + 1 if self.recording is not None else 0)

    def to(self, moments: int) -> None:
        """On until there are so many moments, then it waits."""
        if self.recording is not None and self._goes_on:
            self._playing = False
            self.recording.limit = moments
            self._resume()
            self._tell()

    def hurry(self) -> None:
        """To the end as fast as it goes."""
        if self.recording is not None:
            self.recording.hurry = True
            self.play()

    def set_speed(self, speed: float) -> None:
        if self.recording is not None and speed != self.recording.speed:
            self.recording.speed = speed
            if self._training.job is not None:
                self._training.job.wake()

    def set_sample(self, sample: str) -> None:
        """Cuts another sample after every step."""
        recording = self.recording
        if recording is not None and sample != recording.sample:
            self._splitting.ask(lambda: recording.resplit(sample), "cutting the sample")

    async def settled(self) -> None:
        """Returns once another sample is cut; a training goes on."""
        await self._splitting.settled()

    @property
    def _goes_on(self) -> bool:
        """It has not ended: it may wait for the engine, or for a person."""
        return self.recording is not None and not (self.recording.over or self.recording.failed)

    def _resume(self) -> None:
        if self._training.job is not None:
            self._training.job.resume()

    def _hold(self) -> None:
        if self._training.job is not None:
            self._training.job.pause()

    # what comes

    def _on_progress(self, _: object = None) -> None:
        recording = self.recording
        if recording is None:
            return
        if recording.limit is not None and len(recording) >= recording.limit:
            self._hold()
        self.grown.emit()
        self._tell()

    def _on_done(self, _: object) -> None:
        if self.recording is not None:
            self.recording.over = True

    def _on_failed(self, message: str) -> None:
        if self.recording is not None:
            self.recording.failed = True
            self.error = message

    def _on_ended(self) -> None:
        self._playing = False
        self.grown.emit()
        self._tell()

    def _tell(self) -> None:
        if self.state != self._shown:
            self._shown = self.state
            self.stateChanged.emit(self._shown)

    def lanes_done(self) -> list[Any]:
        """The finished tokenizers, None where there is none."""
        recording = self.recording
        return list(recording.tokenizers or []) if recording is not None else []
