"""Runs on the engine: a survey of the text, and a training that plays, pauses and steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.fields import to_json
from core.tokenization.vocabulary_limits import Limits
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.tokenizers.train.compute import Recording, Survey, survey_steps
from explorer.panes.tokenizers.train.draft import TrainDraft
from explorer.panes.tokenizers.train.text import tokenizer_title


class Surveyor(QObject):
    """Surveys the text of the newest draft: sets `survey`, or `error` if the text cannot be read.
    Emits `grown` when more is known.
    """

    grown = Signal()

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self.survey, self.error = Survey(), ""
        self._question: tuple[Any, ...] = ()  # of the newest survey
        self._latest = Latest(engine, parent)
        self._latest.progressed.connect(self.grown)
        self._latest.failed.connect(self._on_failed)
        self._latest.ended.connect(self.grown)

    def ask(self, draft: TrainDraft) -> None:
        """Surveys the draft's text unless that survey is the newest already."""
        if draft.question == self._question:
            return
        self._latest.stop()
        self.survey, self.error, self._question = Survey(), "", ()
        if draft.errors().keys() & {"corpus", "kilobytes"}:
            return
        self._question = draft.question
        self._latest.ask(
            lambda: survey_steps(self.survey, draft.texts_steps(), draft.chosen),
            "looking at the text",
        )

    def stop(self) -> None:
        """Stops a running survey; the next `ask` starts it again."""
        if self._latest.stop():
            self._question = ()

    def limits(self, draft: TrainDraft) -> list[Limits | None]:
        """Returns each lane's possible sizes, None for lanes whose survey is not complete."""
        is_known = draft.question == self._question and not self._latest.running
        known = self.survey.limits if is_known else {}
        return [known.get(lane.unsized) for lane in draft.chosen]

    def _on_failed(self, message: str) -> None:
        self.error = message

    async def settled(self) -> None:
        await self._latest.settled()


class Trainer(QObject):
    """Runs a training. Emits `grown` for new moments or a new sample, and `stateChanged(state)`.

    States: "idle" without a training, "preparing", "training", "paused", "done" or "failed".
    """

    grown = Signal()
    stateChanged = Signal(str)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._training = Latest(engine, self, open_ended=True)
        self._training.progressed.connect(self._on_progress)
        self._training.failed.connect(self._on_failed)
        self._training.ended.connect(self._on_ended)
        self._splitting = Latest(engine, self)
        self._splitting.ended.connect(self.grown)
        self._told = "idle"
        self.playing = False
        self.recording: Recording | None = None
        self.draft = TrainDraft()  # of the recording
        self.error = ""

    @property
    def state(self) -> str:
        if self.recording is None:
            return "idle"
        if self.error:
            return "failed"
        if self.recording.ended and self.recording.tokenizers:
            return "done"
        if not len(self.recording):
            return "preparing"
        return "training" if self.playing else "paused"

    @property
    def trains(self) -> bool:
        """Whether a training has not ended yet; it may be waiting or paused."""
        return self.state in ("preparing", "training", "paused")

    # control

    def start(
        self,
        draft: TrainDraft,
        speed: float,
        until: int | None,
        limits: Sequence[Limits | None],
    ) -> Recording:
        """Trains from the beginning; with `until` at full speed up to that moment, then waits.
        `limits` are the possible sizes of each lane, None if unknown.
        """
        self.clear()
        plans = [lane.plan for lane in draft.chosen]
        recording = Recording(plans, draft.names, draft.sample, draft.sizes)
        recording.speed = speed
        recording.limit, recording.hurry = until, until is not None
        self.recording, self.draft, self.playing = recording, draft, until is None
        self._training.ask(
            lambda: recording.run(draft.texts_steps(), draft.pieces, limits),
            "training tokenizers",
        )
        self._tell()
        return recording

    def clear(self) -> None:
        """Drops the training, and cancels it if it is running."""
        self._training.stop()
        self._splitting.stop()
        self.recording, self.playing, self.error = None, False, ""
        self._tell()

    def play(self) -> None:
        self._go_on(playing=True, limit=None)

    def pause(self) -> None:
        if self.recording is not None and self.trains:
            self.playing = self.recording.hurry = False
            if not len(self.recording):  # preparations go on; it waits at the first moment
                self.recording.limit = 1
            elif self._training.job is not None:
                self._training.job.pause()
            self._tell()

    def step(self) -> None:
        """Trains one more common step."""
        self._go_on(playing=False, limit=len(self.recording or ()) + 1)

    def hurry(self) -> None:
        """Trains to the end at full speed."""
        if self.recording is not None:
            self.recording.hurry = True
            self.play()

    def _go_on(self, playing: bool, limit: int | None) -> None:
        if self.recording is not None and self.trains:
            self.playing, self.recording.limit = playing, limit
            if self._training.job is not None:
                self._training.job.resume()
            self._tell()

    def set_speed(self, speed: float) -> None:
        if self.recording is not None and speed != self.recording.speed:
            self.recording.speed = speed
            if self._training.job is not None:
                self._training.job.wake()

    def set_sample(self, sample: str) -> None:
        """Splits a new sample after every step so far."""
        recording = self.recording
        if recording is not None and sample != recording.sample:
            self._splitting.ask(lambda: recording.resplit(sample), "cutting the sample")

    async def settled(self) -> None:
        """Waits until a new sample is split; does not wait for the training."""
        await self._splitting.settled()

    # progress

    def _on_progress(self, _: object) -> None:
        recording = self.recording
        if recording is None:
            return
        is_far_enough = recording.limit is not None and len(recording) >= recording.limit
        if is_far_enough and self._training.job is not None:
            self._training.job.pause()
        self.grown.emit()
        self._tell()

    def _on_failed(self, message: str) -> None:
        self.error = message

    def _on_ended(self) -> None:
        self.playing = False
        if self.recording is not None:
            self.recording.ended = True
        self.grown.emit()
        self._tell()

    def _tell(self) -> None:
        if self.state != self._told:
            self._told = self.state
            self.stateChanged.emit(self._told)

    # results

    @property
    def tokenizers(self) -> list[Any]:
        """The finished tokenizers, None for a lane that failed; empty before the end."""
        return self.recording.tokenizers if self.recording is not None else []

    def tokenizer(self, lane: int) -> Any:
        """Returns a lane's finished tokenizer, or None."""
        return self.tokenizers[lane] if lane < len(self.tokenizers) else None

    def title(self, lane: int) -> str:
        """Returns the title of a finished tokenizer: "Unigram 1,000, stories"."""
        size = self.tokenizer(lane).vocab_size
        return tokenizer_title(self.draft.names[lane], size, self.draft.corpus)

    def remembered(self) -> dict[str, Any] | None:
        """Returns the data to repeat the training from a session; or None (none or failed)."""
        if self.recording is None or self.error:
            return None
        done = self.state == "done"
        return {"moments": len(self.recording), "done": done, "options": to_json(self.draft)}
