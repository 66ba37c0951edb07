"""What is known about a run at one moment, read from its folder. No Qt."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.fields import from_json
from core.numbers import format_number
from core.training.alerts import alerts
from core.training.config import TrainingConfig
from core.training.estimates.flops import flops_per_token, model_flops_utilization
from core.training.foreign import ForeignRun
from core.training.head_birth import HeadBirth, head_birth
from core.training.phases import PHASES, SCALED_PHASES
from core.training.records import Exponents
from core.training.step_trace import recorded_steps
from core.transformer.config import ModelConfig
from explorer.runs.folders import ACTIVE

if TYPE_CHECKING:
    from core.training.reader import RunReader, Sample

RECENT = 50  # steps whose mean speed is shown
PACE = 200  # steps whose pace predicts the time left
FEW = 4  # least number of gaps between steps for that
PAUSED = 20  # a gap of so many usual ones is a pause
COUNTED = ("weights", "activations", "gradients", "updates")  # kinds of numbers
SCORED = ("induction", "previous_token", "duplicate", "first_token")  # scores of heads
_NO_HEADS = np.empty((0, 1, 1))
# Series that are drawn or listed.
DRAWN = ("loss", "learning_rate", "grad_norm", "speed", "memory", "seconds", "loss_scale")


@dataclass(frozen=True)
class Skip:
    """A step that a loss scaler skipped: its loss scale, and the next one (0: unknown). `where`:
    the gradient that overflowed first.
    """

    scale: float = 0.0
    after: float = 0.0
    where: str = ""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Skip:
        after = event.get("after", {}).get("loss_scale", 0.0)
        return cls(event.get("loss_scale", 0.0), after, event.get("where", ""))


def was_skipped(row: Any) -> bool:
    """True if a loss scaler skipped a recorded step; runs of older versions skipped none."""
    return "skipped" in (row.dtype.names or ()) and bool(row["skipped"])


def skip_text(step: int, skip: Skip | None) -> str:
    """Returns why a step was skipped, and the effect."""
    which = f" (first {skip.where})" if skip is not None and skip.where else ""
    said = f"Step {step:,} was skipped: its gradients overflowed{which}, so no weight moved."
    if skip is None or not skip.scale or not skip.after:
        return said
    verb = "is halved" if skip.after == skip.scale / 2 else "goes down"
    return (
        f"{said} The loss scale {verb}, from {format_number(skip.scale)} to "
        f"{format_number(skip.after)}."
    )


@dataclass(frozen=True, eq=False)
class RunNumbers:
    """A run's per-step records, its config, and facts from its trainer.

    parameters  number of weights; 0: unknown
    vocabulary  number of tokens; 0: unknown
    before      tokens that a branch's parent read before the first record; None: unknown
    skips       the steps that a loss scaler skipped
    scales      True: the loss is scaled, which adds a phase
    log         the kind of another program's log, which has no phases
    device      torch's name of the GPU; "": a CPU, or unknown
    threads     of all ranks together; 0: unknown
    host        the name of the machine that trained it, if it is not this one
    """

    config: TrainingConfig
    steps: np.ndarray
    parameters: int = 0
    vocabulary: int = 0
    before: int | None = None
    skips: Mapping[int, Skip] = field(default_factory=dict)
    scales: bool = False
    log: str = ""
    device: str = ""
    threads: int = 0
    host: str = ""

    @property
    def model(self) -> ModelConfig:
        """The model's configuration with the tokenizer's number of tokens."""
        model = self.config.model
        return replace(model, vocab_size=self.vocabulary or model.vocab_size)

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases of each step."""
        return SCALED_PHASES if self.scales else PHASES

    @cached_property
    def index(self) -> np.ndarray:
        """The step of every record, contiguous: a search in the records would copy them all."""
        return np.ascontiguousarray(self.steps["step"])

    def until(self, step: int) -> int:
        """Returns the number of records up to a step, inclusive."""
        return int(np.searchsorted(self.index, step, side="right"))

    def row(self, step: int) -> Any:
        """Returns the record of a step, or None."""
        at = self.until(step) - 1
        return self.steps[at] if at >= 0 and int(self.index[at]) == step else None


@dataclass(frozen=True, eq=False)
class RunData:
    """Everything that views show of a run at one moment; immutable."""

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
    not_finite: bool = False  # the last attempt ended with an infinite or NaN loss
    attempts: int = 0
    preparing: str = ""  # what the last attempt does, or did, before its first step
    backend: str = ""  # "thread" or "process" while it trains in this app
    vocabulary: int = 0  # number of tokens; 0: unknown
    before: int | None = None  # tokens read before its first record; None: unknown
    news: int = 0  # how much of the run had been read (`Tail.look`)
    skips: Mapping[int, Skip] = field(default_factory=dict)  # steps that a loss scaler skipped
    probe_text: str = ""  # the text of its attention maps
    scales: bool = False  # the loss is scaled
    exponents: Mapping[str, Exponents] = field(default_factory=dict)  # the newest, by kind
    recorded: tuple[int, ...] = ()  # steps recorded from the inside
    log: str = ""  # the kind of another program's log
    device: str = ""  # torch's name of the GPU; "": a CPU, or unknown
    threads: int = 0  # of all ranks together; 0: unknown
    host: str = ""  # the machine that trained it, where it is not this one
    alerts: tuple[str, ...] = ()  # problems that need the user now
    restarts: bool = False  # it failed, and its launcher is about to restart it
    controller: str = ""  # the other program that steers it; this one watches
    # By score: steps (S,), and the scores of all heads (S, L, H).
    head_scores: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    repeats: tuple[np.ndarray, np.ndarray] | None = None  # steps, and the loss on repeats at them
    damaged: int = 0  # lines and records left out, because no run can have written them

    @cached_property
    def numbers(self) -> RunNumbers:
        told = self.parameters, self.vocabulary, self.before
        seen = self.skips, self.scales, self.log, self.device, self.threads, self.host
        return RunNumbers(self.config, self.steps, *told, *seen)

    @cached_property
    def _series(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        return {}

    def prepare(self) -> RunData:
        """Extracts columns of the records, off the GUI thread: that is slow for a long run."""
        for name in DRAWN:
            self.series(name)
        self.numbers.index  # noqa: B018
        return self

    @cached_property
    def birth(self) -> HeadBirth | None:
        """The induction head that formed in this run; None if there is none."""
        return head_birth(
            *self.head_scores.get("induction", (np.empty(0), _NO_HEADS)), self.repeats
        )

    def in_first_lesson(self, step: int) -> bool:
        """True if a step (from 1) belongs to the run's first lesson, copying."""
        return 0 < step <= self.config.copying_steps

    @property
    def finished(self) -> bool:
        over = self.step >= self.config.steps and self.state not in ACTIVE
        return self.state == "finished" or over

    def prepares(self, state: str) -> bool:
        """True before the first step: the trainer starts, the text is read, the model is built.
        `state` is the one that the user requested.
        """
        return state in ("new", "running") and not self.parameters and not len(self.steps)

    @property
    def active(self) -> bool:
        """True if the run trains now."""
        return self.state in ("running", "paused")

    @property
    def restarting(self) -> bool:
        """True if it restarts after a failure, or is about to, and has no new step yet."""
        done = int(self.steps["attempt"][-1]) if len(self.steps) else 1
        return self.restarts or (self.active and done < self.attempts)

    def nearest_checkpoint(self, step: float) -> int | None:
        """Returns the step of the nearest checkpoint, or None if there is none."""
        return min(self.checkpoints, key=lambda one: abs(one - step), default=None)

    def last(self, field: str) -> float:
        """Returns the newest value of a record's field; NaN if there is none."""
        _, values = self.series(field)
        return float(values[-1]) if len(values) else float("nan")

    def series(self, field: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns steps and values of a record's field, cached. Leaves out the infinite and NaN
        values of skipped steps, so that the line continues.
        """
        if field not in self._series:
            steps, values = self._steps, self._values(field)
            if self._skipped.any():
                kept = ~self._skipped | np.isfinite(values)
                steps, values = steps[kept], values[kept]
            self._series[field] = steps, values
        return self._series[field]

    @cached_property
    def _steps(self) -> np.ndarray:
        return self._column("step")

    @cached_property
    def _skipped(self) -> np.ndarray:
        return self._column("skipped") > 0

    def _values(self, field: str) -> np.ndarray:
        if field == "speed":
            return self._column("tokens") / np.maximum(self._column("seconds"), 1e-9)
        if field == "memory":  # 0: unknown to the system
            known = self._column("memory")
            return np.where(known > 0, known, np.nan)
        return self._column(field)

    def _column(self, field: str) -> np.ndarray:
        if field not in (self.steps.dtype.names or ()):
            return np.full(len(self.steps), np.nan)
        return self.steps[field].astype(np.float64)

    def speed(self, last: int = RECENT) -> float:
        """Returns tokens per second over the last steps; 0 before the first."""
        part = self.steps[-last:]
        if not len(part) or not {"seconds", "tokens"} <= set(part.dtype.names or ()):
            return 0.0
        return float(part["tokens"].sum() / max(1e-9, part["seconds"].sum()))

    @property
    def step_seconds(self) -> float:
        """Median seconds of the last steps; NaN before the first."""
        seconds = self.series("seconds")[1][-RECENT:]
        return float(np.median(seconds)) if len(seconds) else float("nan")

    def utilization(self, peak: float | None) -> float | None:
        """Returns the MFU on devices with this peak; None if speed or peak is unknown."""
        per_token = flops_per_token(self.numbers.model)
        return model_flops_utilization(self.speed(), per_token, peak, self.config.ranks)

    @property
    def seconds_left(self) -> float:
        """Seconds to the run's end at the pace of its last steps; 0 before there are enough.

        Measured by the clock: evaluations, samples and checkpoints between steps count, pauses do
        not. The first step of an attempt is slower than the others, so it is left out.
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
    """Reads the whole run. Copies what the run's writer may still append to."""
    parameters, vocabulary, before = 0, 0, None
    note, not_finite, preparing = "", False, ""
    attempts = len(reader.manifest["attempts"])
    begun = int(reader.steps["step"][0]) - 1 if len(reader.steps) else 0
    skips: dict[int, Skip] = {}
    scales, device, threads, probe_text = False, "", 0, reader.config.probe_text
    host = str(reader.manifest["attempts"][-1].get("host", "")) if attempts else ""
    for event in reader.events:
        if event.get("event") == "model":
            scales = bool(event.get("scales"))
            device = str(event.get("device_name", ""))
            threads = int(event.get("threads", 0)) * int(event.get("ranks", 1))
            probe_text = str(event.get("probe_text", probe_text))
            parameters = int(event.get("parameters", 0))
            vocabulary = int(event.get("vocab_size", vocabulary))
            if event.get("step") == begun:
                before = event.get("tokens")
        elif event.get("event") == "prepare":
            preparing = _preparing(event)
        elif event.get("event") == "skip" and event["step"] <= reader.step:
            skips[event["step"]] = Skip.of(event)
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
        log=reader.kind if isinstance(reader, ForeignRun) else "",
        alerts=tuple(alerts(reader)),
        restarts=reader.restarts,
        damaged=reader.damaged,
        head_scores={name: reader.head_scores(name) for name in SCORED},
        repeats=reader.losses_on_repeats(),
        recorded=tuple(recorded_steps(reader.folder)),
        skips=skips,
        probe_text=probe_text,
        scales=scales,
        exponents=newest_exponents(reader),
        device=device,
        threads=threads,
        host="" if host == socket.gethostname() else host,
    )


def newest_exponents(reader: RunReader) -> dict[str, Exponents]:
    """Returns the last counts of each kind of numbers; a skipped step has no updates, so those of
    an older one are used.
    """
    found: dict[str, Exponents] = {}
    for event in reversed(reader.events):
        if event.get("event") == "exponents":
            counted = from_json(Exponents, event, some=True)
            found = dict.fromkeys(counted.histograms(), counted) | found
            if len(found) == len(COUNTED):
                break
    return found


def _preparing(event: dict[str, Any]) -> str:
    share = float(event.get("share", 1.0))
    done = f", {round(100 * share)} %" if 0 < share < 1 else ""
    return f"{event.get('message', '')}{done}"
