"""RunReader: a run folder as arrays, read while another process may be writing it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.fields import as_object, field, from_json
from core.files import (
    GET_AGAIN,
    MEGABYTE,
    mapped,
    names_in,
    open_to_read,
    parse_json,
    read_json,
)
from core.tensor_files import read_tensors
from core.training import records
from core.training.config import MOST_STEPS, TrainingConfig
from core.training.locking import held_here
from core.training.place import LEFT_ALONE_MESSAGE

# Seconds without a heartbeat after which a run on another machine counts as dead.
SILENCE = 60.0
LATEST = 200  # steps, of which at least one was not skipped

# Bounds on the contents of a run folder from elsewhere.
MOST_WRITTEN = 10_000_000  # characters of a sample
MOST_IDS = 4_000_000  # of a sample
MOST_LINES = 500_000  # of events or commands; a run of a million steps writes some ten thousand
MOST_LINE_BYTES = 64 * MEGABYTE  # of all these lines
MOST_VALUES = 100_000  # in a line
MOST_RECORD_BYTES = 448 * MEGABYTE  # four million steps
MOST_ASKED = 256  # ranks that are checked for why a run ended
MOST_NAMED = 4  # ranks without a message that are named
MOST_PROBE_BYTES = 1024 * MEGABYTE  # attention of GPT-2 on a full context takes two thirds of it

EVALUATION_DTYPE = np.dtype(
    [("step", "<i8"), ("train", "<f8"), ("validation", "<f8"), ("time", "<f8")]
)

MEASURES = ("base", "untuned", "exact")  # of a fine-tuning run's evaluations


@dataclass(frozen=True, slots=True)
class Sample:
    """A text that the model generated at a step: `text` continues `prompt`."""

    step: int = field(least=0)
    prompt: str = field(longest=MOST_WRITTEN)
    text: str = field(longest=MOST_WRITTEN)
    ids: tuple[int, ...] = field(least=0, longest=MOST_IDS)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint folder."""

    step: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Probe:
    """The model's activations on a few ids at a step.

    `id` is that of the command that requested it, or "" if it was scheduled by the config.
    """

    step: int
    id: str
    path: Path

    def load(self) -> dict[str, np.ndarray]:
        """Returns arrays by site, and "ids" (T,).

        "attention" is (L, H, T, T): float32, or uint8 (255 for 1) in scheduled probes.
        """
        return read_tensors(self.path, max_bytes=MOST_PROBE_BYTES)


class JsonLines:
    """The complete lines of a growing file, each read once; an incomplete last line is read later.

    A file that has shrunk was replaced, for example by an older copy: it is read from its start,
    and `again` is True after that read: earlier results are no longer valid. `damaged` counts the
    lines left out because they hold no JSON object, such as two torn lines merged into one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.again = False
        self.damaged = 0
        self._lines = 0

    def read(self) -> list[dict[str, Any]]:
        """Returns the new objects.

        Raises ValueError if the path is not a file, or too large to have been written by a run.
        """
        self.again = False
        try:
            with open_to_read(self.path) as file:
                size = file.seek(0, os.SEEK_END)
                if size < self.offset:
                    self.again, self.offset, self.damaged, self._lines = True, 0, 0, 0
                self._check(size <= MOST_LINE_BYTES, f"{size:,} bytes")
                file.seek(self.offset)
                whole = file.read(size - self.offset)
        except FileNotFoundError:
            return []
        whole = whole[: whole.rfind(b"\n") + 1]
        lines = self._lines + whole.count(b"\n")
        self._check(lines <= MOST_LINES, f"{lines:,} lines")
        self._lines = lines
        self.offset += len(whole)
        found = []
        for line in whole.splitlines():
            try:
                found.append(as_object(parse_json(line, self.path, max_values=MOST_VALUES), "line"))
            except ValueError:
                self.damaged += 1
        return found

    def _check(self, fits: bool, holds: str) -> None:
        if not fits:
            raise ValueError(
                f"{self.path} holds {holds}, more than is read of a run's events and commands: "
                f"{GET_AGAIN}, or open a run that evaluates and samples less often"
            )


class RunReader:
    """A run as arrays and lists, whether it runs here, runs elsewhere or has finished.

    Steps, events and state are those of one rank; checkpoints, samples and probes are the run's.
    `measures` maps the names of measures other than the losses of both splits to an array (n, 2) of
    steps and values.

    `refresh` reads new data. `damaged` is the number of lines and records left out because no run
    can have written them.

    Raises ValueError if `folder` is not a run folder, or one of its files cannot be from a run.
    """

    def __init__(self, folder: str | Path, rank: int = 0) -> None:
        self.folder = Path(folder)
        self.rank = rank
        self.manifest = records.read_manifest(self.folder)
        self.config = TrainingConfig.from_json(self.manifest["config"])
        self._dtype = records.record_dtype(self.manifest)
        self._manifest_stamp: tuple[int, int] | None = None
        self._lines = JsonLines(records.events_file(self.folder, rank))
        self._events: list[dict[str, Any]] = []
        self._foreign = 0  # lines that are not events
        self._sound = 0  # records checked so far, all of them valid
        self._damaged_records = 0
        self._samples: dict[tuple[int, str], Sample] = {}  # by the attempt that wrote it
        self._listings: dict[str, tuple[int, list[str]]] = {}
        self._signature: tuple[object, ...] = ()
        self.steps: np.ndarray = np.empty(0, self._dtype)
        self.events: list[dict[str, Any]] = []
        self.evaluations: np.ndarray = np.empty(0, EVALUATION_DTYPE)
        self.measures: dict[str, np.ndarray] = {}
        self.samples: list[Sample] = []
        self.checkpoints: list[Checkpoint] = []
        self.probes: list[Probe] = []
        self.refresh()

    @property
    def name(self) -> str:
        """The run's name in its manifest, or its folder's name."""
        return str(self.manifest.get("name") or self.folder.name)

    @property
    def parent(self) -> dict[str, Any] | None:
        """{"run": folder, "step": step} of a branch, else None."""
        return self.manifest.get("parent")

    @property
    def step(self) -> int:
        """The last finished step."""
        if len(self.steps):
            return int(self.steps["step"][-1])
        attempts = self.manifest["attempts"]
        return int(attempts[-1]["from_step"]) if attempts else 0

    @property
    def damaged(self) -> int:
        """Number of lines of events and records of steps that were left out."""
        return self._lines.damaged + self._foreign + self._damaged_records

    @property
    def loss(self) -> float | None:
        """The newest loss, or None; the loss of a skipped step counts only if it is finite."""
        newest = self.steps[-LATEST:]
        kept = np.isfinite(newest["loss"])
        if "skipped" in (newest.dtype.names or ()):
            kept |= newest["skipped"] == 0
        losses = newest["loss"][kept]
        return float(losses[-1]) if len(losses) else None

    def newest(self, field: str) -> float | None:
        """Returns a number of the newest step, or None if there is no step yet, the run does not
        record this number, or its value is unknown.
        """
        if not len(self.steps) or field not in (self.steps.dtype.names or ()):
            return None
        value = float(self.steps[field][-1])
        return None if np.isnan(value) else value

    def refresh(self) -> bool:
        """Reads added data; returns True if anything changed. Cheap if nothing did."""
        self._read_manifest()
        added = self._lines.read()
        if self._lines.again:
            self._events, self._signature, self._foreign = [], (), 0
        ours = list(filter(records.is_event, added))
        self._foreign += len(added) - len(ours)
        self._events += ours
        last = records.limits(self.manifest["attempts"])
        self._read_steps(last)
        checkpoints = self._names(records.CHECKPOINTS)
        probes = self._names(records.PROBES)
        signature = (
            self._manifest_stamp,
            len(self._events),
            self.damaged,
            len(self.steps),
            tuple(checkpoints),
            tuple(probes),
            self._recorded(),
        )
        if signature == self._signature:
            return False
        if signature[:2] != self._signature[:2]:
            self._read_events(last)
        folder = self.folder / records.CHECKPOINTS
        found = sorted((records.step_of(name) or 0, name) for name in checkpoints)
        self.checkpoints = [Checkpoint(step, folder / name) for step, name in found]
        folder = self.folder / records.PROBES
        seen = sorted((records.step_of(name) or 0, name) for name in probes)
        found_probes = (
            Probe(step, name.rpartition("step-")[0].rstrip("-"), folder / name)
            for step, name in seen
        )
        # Probes beyond the last step are of an abandoned attempt.
        self.probes = [probe for probe in found_probes if probe.id or probe.step <= self.step]
        self._signature = signature
        return True

    @property
    def exponents(self) -> list[records.Exponents]:
        """The exponents of the numbers of the probed steps, in the order of the steps."""
        last = {e["step"]: e for e in self.events if e.get("event") == "exponents"}
        return [from_json(records.Exponents, event, some=True) for event in last.values()]

    def head_scores(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns steps (S,), and each head's score at them (S, L, H) in a field of `HeadScores`.

        Empty if the run does not record it: a run of an older version, or of a task without such a
        test.
        """
        model = self.config.model
        heads = model.n_layer * model.n_head
        rows = {e["step"]: e.get(name, ()) for e in self.events if e.get("event") == "heads"}
        steps = sorted(step for step, row in rows.items() if len(row) == heads)
        scores = np.array([rows[step] for step in steps], np.float32)
        return np.array(steps, np.int64), scores.reshape(-1, model.n_layer, model.n_head)

    def losses_on_repeats(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns steps (S,), and the loss on repeats at them (S,); empty for an older run."""
        found = {e["step"]: e.get("loss_on_repeats") for e in self.events if e["event"] == "heads"}
        steps = sorted(step for step, loss in found.items() if loss is not None)
        return np.array(steps, np.int64), np.array([found[step] for step in steps], np.float64)

    def probe(self, id: str) -> Probe | None:
        """Returns the answer to the probe command with this id, or None if there is none yet."""
        return next((probe for probe in reversed(self.probes) if probe.id == id), None)

    @property
    def heartbeat_age(self) -> float | None:
        """Returns the seconds since the last heartbeat, or None if there was none yet."""
        try:
            path = records.heartbeat_file(self.folder, self.rank)
            return max(0.0, time.time() - path.stat().st_mtime)
        except OSError:
            return None

    @property
    def state(self) -> str:
        """new, running, paused, finished, stopped, failed or dead.

        Dead: the training process is gone without an end event. A rank that has not joined the
        attempt yet is new.
        """
        number = len(self.manifest["attempts"])
        trainer = self._trainer()
        if trainer is None:
            return "new"
        pausing = "running"
        for event in reversed(self._events):
            if event.get("attempt") != number:
                break
            if event.get("event") == "end":
                reason = event.get("reason")
                return str(reason) if reason in ("finished", "failed") else "stopped"
            if event.get("event") in ("paused", "resumed"):
                pausing = "paused" if event["event"] == "paused" else "running"
                break
        return pausing if self._alive(trainer) else "dead"

    @property
    def is_elsewhere(self) -> bool:
        """Whether another process is training the run now."""
        if self.state not in ("running", "paused"):
            return False
        trainer, ours = self._trainer() or {}, records.process_identity()
        return any(trainer.get(key) != ours[key] for key in ("pid", "host"))

    @property
    def message(self) -> str:
        """Why the last attempt ended, as this rank reported; if another rank had left it alone,
        that rank's message. "" while it runs.
        """
        said = self._last_word()
        return self._first_cause() or said if said == LEFT_ALONE_MESSAGE else said

    def _last_word(self) -> str:
        number = len(self.manifest["attempts"])
        for event in reversed(self._events):
            if event.get("attempt") == number and event.get("event") == "end":
                return str(event.get("message", ""))
        return ""

    @property
    def restarts(self) -> bool:
        """Whether the last attempt failed, and its launcher is about to begin another."""
        if self.state not in ("failed", "dead"):
            return False
        launcher = self.manifest["attempts"][-1].get("launcher")  # present if it has restarts left
        return isinstance(launcher, dict) and self._alive(launcher)

    def _first_cause(self) -> str:
        """Returns which rank failed first in the last attempt and why, or "" if each only reports
        that another was gone.
        """
        attempts = self.manifest["attempts"]
        count = int(attempts[-1].get("ranks", 1))
        causes, silent = [], []
        for rank in range(min(count, MOST_ASKED)):
            lines = JsonLines(records.events_file(self.folder, rank)).read()
            ends = [
                event
                for event in filter(records.is_event, lines)
                if event["event"] == "end" and event["attempt"] == len(attempts)
            ]
            message = str(ends[-1].get("message", "")) if ends else ""
            if not ends:
                silent.append(f"rank {rank}")
            elif message != LEFT_ALONE_MESSAGE:
                causes.append((ends[-1]["time"], rank, message))
        if causes:
            _, rank, message = min(causes)
            return f"rank {rank} of {count} failed: {message}"
        if not silent:
            return ""
        more = ", ..." if len(silent) > MOST_NAMED else ""
        return (
            f"{', '.join(silent[:MOST_NAMED])}{more} of {count} did not answer any more: it was "
            "killed, hangs, or its machine is gone; resume the run to go on"
        )

    def _trainer(self) -> dict[str, Any] | None:
        """Returns pid, host and process_start of this rank in the last attempt, or None."""
        attempts = self.manifest["attempts"]
        if self.rank == 0 or not attempts:
            return attempts[-1] if attempts else None
        for event in reversed(self._events):
            if event["attempt"] != len(attempts):
                break
            if event["event"] == "start":
                return event
        return None

    def _alive(self, trainer: dict[str, Any]) -> bool:
        identity = records.process_identity()
        if trainer.get("host") != identity["host"]:
            age = self.heartbeat_age
            return age is not None and age < SILENCE
        if not records.is_living(trainer):
            return False
        # This process runs, but its writer may have ended on a disk too full to record it.
        return trainer["pid"] != os.getpid() or held_here(self.folder, self.rank)

    def _read_manifest(self) -> None:
        try:
            info = (self.folder / records.MANIFEST).stat()
            stamp = (info.st_mtime_ns, info.st_ino)
        except OSError:
            stamp = None  # reading it tells why
        if stamp is None or stamp != self._manifest_stamp:
            self.manifest = records.read_manifest(self.folder)
            self._manifest_stamp = stamp

    def _read_steps(self, last: np.ndarray) -> None:
        path = records.steps_file(self.folder, self.rank)
        remedy = f"{GET_AGAIN}, or open a run of fewer steps"
        try:  # an incomplete last record is read later
            steps = mapped(path, self._dtype, MOST_RECORD_BYTES, remedy)
        except FileNotFoundError:
            steps = np.empty(0, self._dtype)
        whole = len(steps)
        if not whole:
            self.steps, self._sound, self._damaged_records = steps, 0, 0
            return
        if len(last) == 2 and self._sound <= whole and _all_count(steps[self._sound :], last):
            self.steps, self._sound, self._damaged_records = steps, whole, 0
            return
        self._sound = 0
        self.steps, self._damaged_records = _those_that_count(steps, last)

    def _read_events(self, last: np.ndarray) -> None:
        self.events = [
            event
            for event in self._events
            if event.get("event") in ("start", "end")
            or int(event.get("step", 0)) <= last[min(int(event.get("attempt", 0)), len(last) - 1)]
        ]
        # Keyed by step: an evaluation that was interrupted is done again.
        rows = {
            event["step"]: (event["step"], event["train"], event["validation"], event["time"])
            for event in self.events
            if event.get("event") == "evaluate"
        }
        self.evaluations = np.array(list(rows.values()), EVALUATION_DTYPE)
        told: dict[str, dict[int, float]] = {}
        for event in self.events:
            for name in MEASURES if event.get("event") == "evaluate" else ():
                if event.get(name) is not None:
                    told.setdefault(name, {})[event["step"]] = float(event[name])
        self.measures = {name: np.array(list(told[name].items()), float) for name in told}
        files = {
            str(event["file"]): int(event.get("attempt", 0))
            for event in self.events
            if event.get("event") == "sample"
        }
        self.samples = [
            sample for name, attempt in files.items() if (sample := self._sample(attempt, name))
        ]

    def _sample(self, attempt: int, name: str) -> Sample | None:
        """Returns a sample, cached by attempt: a later attempt writes to the same file."""
        if (attempt, name) not in self._samples:
            path = self.folder / records.SAMPLES / Path(name).name
            try:
                self._samples[attempt, name] = from_json(Sample, read_json(path), some=True)
            except (OSError, ValueError):
                return None  # deleted by hand, or being copied: left out
        return self._samples[attempt, name]

    def _recorded(self) -> tuple[int, int]:
        """Returns the number of recorded steps, and how many ranks recorded the newest one."""
        names = self._names(records.RECORDINGS)
        newest = max((records.step_of(name) or 0 for name in names), default=0)
        there = names_in(records.recording_folder(self.folder, newest))
        ranks = [name for name in there if name.startswith("rank") and name.endswith(".json")]
        return len(names), len(ranks)

    def _names(self, kind: str) -> list[str]:
        """Returns the finished entries of a folder, listed again only if it changed."""
        folder = self.folder / kind
        try:
            stamp = folder.stat().st_mtime_ns
        except OSError:
            return []
        known = self._listings.get(kind)
        # An entry may be added within one clock tick of the last listing.
        if known is None or known[0] != stamp or time.time_ns() - stamp < 50_000_000:
            names = [
                name
                for name in names_in(folder)
                if not name.startswith(".") and records.step_of(name) is not None
            ]
            self._listings[kind] = (stamp, names)
        return self._listings[kind][1]


def _are_records(steps: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Returns which records a run can have written, by attempt and step. (records,)"""
    attempts, step = steps["attempt"], steps["step"]
    return (attempts >= 1) & (attempts < len(last)) & (step >= 1) & (step <= MOST_STEPS)


def _all_count(steps: np.ndarray, last: np.ndarray) -> bool:
    """Returns whether no record is damaged and the steps strictly increase."""
    return bool(_are_records(steps, last).all() and (np.diff(steps["step"]) > 0).all())


def _those_that_count(steps: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, int]:
    """Returns the records in the order of their steps, without those that a later attempt
    superseded, and the number of damaged ones.
    """
    sound = np.asarray(steps[_are_records(steps, last)])
    counted = sound[sound["step"] <= last[sound["attempt"]]]
    newest = np.maximum.accumulate(counted["step"])
    rises = np.ones(len(counted), bool)
    rises[1:] = counted["step"][1:] > newest[:-1]
    return counted[rises], len(steps) - len(sound) + int((~rises).sum())
