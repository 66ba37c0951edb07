"""Steers a recording: starts its job on the engine, plays, pauses, steps, and tells what came."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from explorer.engine import Engine
from explorer.jobs import Job
from explorer.panes.tokenizers.train.options import TrainOptions, whole
from explorer.panes.tokenizers.train.recording import Recording

KILOBYTE = 1000


class Trainer(QObject):
    """`grown`: there are more moments, or another sample; `stateChanged`: see `state`.

    State: "idle" before anything, "preparing", "training", "paused", "done" or "failed".
    """

    grown = Signal()
    stateChanged = Signal(str)

    def __init__(self, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._engine = engine
        self._job: Job | None = None
        self._splitting: Job | None = None
        self._playing = False
        self._shown = "idle"
        self.recording: Recording | None = None
        self.options: TrainOptions | None = None  # what the recording was started with
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

    def start(self, options: TrainOptions, speed: float, *, until: int | None = None) -> None:
        """Trains from the beginning; `until`: fast to this many moments, then it waits."""
        self.clear()
        recording = Recording([lane.plan for lane in options.chosen], options.names, options.sample)
        recording.speed = speed
        recording.limit, recording.hurry = until, until is not None
        steps = recording.run(
            options.corpus, KILOBYTE * (whole(options.kilobytes) or 1), options.pieces
        )
        self.recording, self.options = recording, options
        self._playing = until is None
        job = self._engine.run(steps, name="training tokenizers", pure_python=True)
        self._job = job
        job.progressed.connect(self._on_progress)
        job.finished.connect(self._on_finished)
        self.destroyed.connect(job.cancel)
        self._tell()

    def clear(self) -> None:
        """Forgets the training; one that is under way is cancelled."""
        if self._job is not None:
            self._job.progressed.disconnect(self._on_progress)
            self._job.finished.disconnect(self._on_finished)
        for job in (self._job, self._splitting):
            if job is not None and not job.over:
                job.cancel()
        self._job = self._splitting = self.recording = None
        self._playing = False
        self.error = ""
        self._tell()

    def play(self) -> None:
        if self._job is not None and self.recording is not None and not self._job.over:
            self._playing = True
            self.recording.limit = None
            self._job.resume()
            self._tell()

    def pause(self) -> None:
        if self._job is not None and self.recording is not None and not self._job.over:
            self._playing = False
            self.recording.hurry = False
            if len(self.recording):
                self._job.pause()
            else:  # what prepares goes on, and waits at the first moment
                self.recording.limit = 1
            self._tell()

    def step(self) -> None:
        """One common step more."""
        self.to(len(self.recording) + 1 if self.recording is not None else 0)

    def to(self, moments: int) -> None:
        """On until there are so many moments, then it waits."""
        if self._job is not None and self.recording is not None and not self._job.over:
            self._playing = False
            self.recording.limit = moments
            self._job.resume()
            self._tell()

    def hurry(self) -> None:
        """To the end as fast as it goes."""
        if self.recording is not None:
            self.recording.hurry = True
            self.play()

    def set_speed(self, speed: float) -> None:
        if self.recording is not None and speed != self.recording.speed:
            self.recording.speed = speed
            if self._job is not None:
                self._job.wake()

    def set_sample(self, sample: str) -> None:
        """Cuts another sample after every step."""
        if self.recording is None or sample == self.recording.sample:
            return
        if self._splitting is not None and not self._splitting.over:
            self._splitting.cancel()
        job = self._engine.run(
            self.recording.resplit(sample), name="cutting the sample", pure_python=True
        )
        self._splitting = job
        job.finished.connect(self.grown)

    async def settled(self) -> None:
        """Returns once nothing comes any more by itself."""
        for job in (self._splitting, self._job):
            if job is not None and job is self._splitting:
                await job.done()

    # what comes

    def _on_progress(self, _: object = None) -> None:
        job, recording = self._job, self.recording
        if job is None or recording is None:
            return
        if recording.limit is not None and len(recording) >= recording.limit:
            job.pause()
        self.grown.emit()
        self._tell()

    def _on_finished(self) -> None:
        job = self._job
        if job is None:
            return
        self._playing = False
        if self.recording is not None:
            self.recording.over = job.error is None
            self.recording.failed = job.error is not None
        if job.error is not None:
            self.error = str(job.error)
            if not isinstance(job.error, (ValueError, OSError)):
                self._unexpected(job.error)
        self.grown.emit()
        self._tell()

    def _unexpected(self, error: BaseException) -> None:
        from explorer import errors

        errors.report(error, "training tokenizers")

    def _tell(self) -> None:
        if self.state != self._shown:
            self._shown = self.state
            self.stateChanged.emit(self._shown)

    def lanes_done(self) -> list[Any]:
        """The finished tokenizers, None where there is none."""
        recording = self.recording
        return list(recording.tokenizers or []) if recording is not None else []
