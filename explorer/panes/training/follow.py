"""Follows a run folder: reads what is new off the GUI thread, a few times a second.

The only way that a run reaches this pane, whether it trains in a thread, in a process, elsewhere or
no longer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from core.training.config import TrainingConfig
from explorer.engine import tasks
from explorer.panes.training.phases import RunNumbers
from explorer.panes.training.text import ACTIVE

if TYPE_CHECKING:
    from core.training.reader import RunReader, Sample
    from explorer.runs.live import Runs
    from explorer.runs.tail import Tail

POLL = 120  # ms between two looks while a run moves
SLOW = 1000  # ms between two looks at a run that has ended
PACE = 200  # steps that tell how fast a run is
FEW = 4  # gaps between steps from which on it can be told
PAUSED = 20  # times as long as usual: nobody trained between these two steps
DRAWN = ("loss", "learning_rate", "grad_norm", "speed", "memory")  # series that are lines


@dataclass(frozen=True, eq=False)
class RunData:
    """Everything a view shows of a run at one moment; nothing in it changes afterwards."""

    folder: Path
    name: str
    state: str
    message: str
    config: TrainingConfig
    step: int
    steps: np.ndarray  # per-step records
    evaluations: np.ndarray  # step, train, validation, time
    samples: tuple[Sample, ...]
    probes: dict[int, Path]
    checkpoints: dict[int, Path]
    parent: dict[str, Any] | None
    parameters: int
    note: str = ""
    not_finite: bool = False  # the last attempt ended at a loss that is no number
    attempts: int = 0
    preparing: str = ""  # what the last attempt does, or did, before its first step
    backend: str = ""  # "thread" or "process" while it trains in this app
    vocabulary: int = 0  # among how many tokens it chooses; 0: not told
    before: int | None = None  # tokens read before its first record; None: not told
    damaged: int = 0  # lines and records that were left out, as no run can have written them

    @cached_property
    def numbers(self) -> RunNumbers:
        told = self.parameters, self.vocabulary, self.before
        return RunNumbers(self.config, self.steps, *told)

    @cached_property
    def _series(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        return {}

    def prepare(self) -> RunData:
        """Off the GUI thread: whole columns of the records, which take long in a long run."""
        for field in DRAWN:
            self.series(field)
        self.numbers.index  # noqa: B018
        return self

    @property
    def finished(self) -> bool:
        over = self.step >= self.config.steps and self.state not in ACTIVE
        return self.state == "finished" or over

    @property
    def active(self) -> bool:
        """Somebody trains it now."""
        return self.state in ("running", "paused")

    def last(self, field: str) -> float:
        """The newest value of a record's field; NaN where there is none."""
        if not len(self.steps) or field not in (self.steps.dtype.names or ()):
            return float("nan")
        return float(self.steps[field][-1])

    def series(self, field: str) -> tuple[np.ndarray, np.ndarray]:
        """Steps and values of a record's field, each made once."""
        if field not in self._series:
            steps = next((x for x, _ in self._series.values()), None)
            steps = self._column("step") if steps is None else steps
            self._series[field] = steps, self._values(field)
        return self._series[field]

    def _values(self, field: str) -> np.ndarray:
        if field == "speed":
            return self._column("tokens") / np.maximum(self._column("seconds"), 1e-9)
        if field == "memory":  # 0: the system does not say
            known = self._column("memory")
            return np.where(known > 0, known, np.nan)
        return self._column(field)

    def _column(self, field: str) -> np.ndarray:
        if field not in (self.steps.dtype.names or ()):
            return np.full(len(self.steps), np.nan)
        return self.steps[field].astype(np.float64)

    def speed(self, last: int = 50) -> float:
        """Tokens a second over the last steps; 0 before the first."""
        part = self.steps[-last:]
        if not len(part) or not {"seconds", "tokens"} <= set(part.dtype.names or ()):
            return 0.0
        return float(part["tokens"].sum() / max(1e-9, part["seconds"].sum()))

    @property
    def seconds_left(self) -> float:
        """Until the run's end at the pace of its last steps; 0 before there are a few.

        By the clock: evaluations, samples and checkpoints between the steps count, a pause is left
        out. The first step of an attempt is slower than any other.
        """
        part = self.steps[-PACE:]
        if not len(part) or not {"time", "attempt"} <= set(part.dtype.names or ()):
            return 0.0
        gaps = np.diff(part["time"][part["attempt"] == part["attempt"][-1]])
        if len(gaps) < FEW:
            return 0.0
        usual = float(np.median(gaps))
        pace = np.mean(np.where(gaps > PAUSED * usual, usual, gaps))
        return float(pace) * max(0, self.config.steps - self.step)


def read(reader: RunReader) -> RunData:
    """All of a run now. Copies what the run's writer may still append to."""
    parameters, vocabulary, before = 0, 0, None
    note, not_finite, preparing = "", False, ""
    attempts = len(reader.manifest["attempts"])
    begun = int(reader.steps["step"][0]) - 1 if len(reader.steps) else 0
    for event in reader.events:
        if event.get("event") == "model":
            parameters = int(event.get("parameters", 0))
            vocabulary = int(event.get("vocab_size", vocabulary))
            if event.get("step") == begun:
                before = event.get("tokens")
        elif event.get("event") == "prepare":
            preparing = _preparing(event)
        elif event.get("event") == "note":
            note = str(event.get("message", ""))
        elif event.get("event") == "not-finite":
            not_finite = event.get("attempt") == attempts
    return RunData(
        folder=reader.folder,
        name=reader.name,
        state=reader.state,
        message=reader.message,
        config=reader.config,
        step=reader.step,
        steps=np.array(reader.steps),
        evaluations=reader.evaluations.copy(),
        samples=tuple(reader.samples),
        probes={probe.step: probe.path for probe in reader.probes if not probe.id},
        checkpoints={found.step: found.folder for found in reader.checkpoints},
        parent=reader.parent,
        parameters=parameters,
        note=note,
        not_finite=not_finite,
        attempts=attempts,
        preparing=preparing,
        vocabulary=vocabulary,
        before=before,
        damaged=reader.damaged,
    )


def _preparing(event: dict[str, Any]) -> str:
    share = float(event.get("share", 1.0))
    done = f", {round(100 * share)} %" if 0 < share < 1 else ""
    return f"{event.get('message', '')}{done}"


class Follower(QObject):
    """Emits `changed` with a new RunData when the run has moved on, `failed` when it is none or
    cannot be read, once for each trouble.
    """

    changed = Signal(object)  # RunData
    failed = Signal(str)

    def __init__(self, runs: Runs, parent: QObject) -> None:
        super().__init__(parent)
        self._runs = runs
        self._owner = parent
        self._tail: Tail | None = None
        self._news = 0  # how much of the run was known at the last look
        self._look: asyncio.Task[None] | None = None  # under way
        self._watched = True
        self._state = ("", "", "")  # as its folder told, and what the app knew of its trainer
        self._trouble = False  # the last look failed, and this was told
        self.data: RunData | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(POLL)
        self._timer.timeout.connect(self.look)

    @property
    def folder(self) -> Path | None:
        return self._tail.folder if self._tail is not None else None

    @property
    def polls(self) -> bool:
        """It looks again by itself."""
        return self._timer.isActive()

    def follow(self, folder: Path | None) -> None:
        """Another run, or none. `changed` comes with its first look."""
        self._tail = self._runs.tail(folder) if folder is not None else None
        self._news, self.data = 0, None
        self._state, self._trouble = ("", "", ""), False
        if self._look is not None:
            self._look.cancel()
            self._look = None
        self._timer.stop()
        if folder is not None:
            self.look()

    def run(self, on: bool) -> None:
        """Polls while somebody looks."""
        self._watched = on
        if not on:
            self._timer.stop()
        elif self._tail is not None:
            if self._news:
                self._timer.start()
            self.look()

    def look(self) -> None:
        """Reads what is new, unless a look is under way."""
        if self._tail is not None and (self._look is None or self._look.done()):
            self._look = tasks.spawn(self._read(self._tail), self._owner)

    async def _read(self, tail: Tail) -> None:
        known, state = self._news, self._state
        why, backend = self._runs.failure(tail.folder), self._runs.backend(tail.folder)
        job = self._runs.job(tail.folder)
        raised = job is not None and job.error is not None

        def see(reader: RunReader, news: int) -> tuple[int, tuple[str, str, str], RunData | None]:
            """In the I/O pool: None where nothing is new. A dead run shows by its state alone."""
            now = reader.state, why, backend
            if news == known and now == state:
                return news, now, None
            return news, now, _as_trained(read(reader), why, backend, raised).prepare()

        try:
            news, told, data = await tail.look(see)
        except (ValueError, OSError) as error:
            self._on_trouble(str(error))
            return
        first, self._news = not self._news, news
        self._trouble = False
        self._state = told
        if data is not None:
            self.data = data
            self.changed.emit(data)
        if self.data is not None:
            self._timer.setInterval(POLL if self.data.state in ACTIVE else SLOW)
        if first and self._watched and not self._timer.isActive():
            self._timer.start()

    def _on_trouble(self, message: str) -> None:
        """A run that could be read once is looked at again: a disk comes back, a sync ends."""
        if self.data is None:
            self._timer.stop()
        else:
            self._timer.setInterval(SLOW)
        if not self._trouble:
            self._trouble = True
            self.failed.emit(message)


def _as_trained(data: RunData, why: str, backend: str, raised: bool) -> RunData:
    """A trainer may die before it opens its folder, or of a disk without room for a last word: the
    app knows `why`, or that there is none.
    """
    if why and raised and data.state == "dead":
        return replace(data, state="failed", message=why)
    if backend or data.state not in ("new", "stopped"):
        return replace(data, backend=backend)
    if why:
        return replace(data, state="failed", message=why)
    return replace(data, state="stopped")
