"""RunReader: a run folder as arrays, read while another process may be writing it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.fields import field, from_json
from core.files import read_json
from core.tensor_files import read_tensors
from core.training import records
from core.training.config import TrainingConfig
from core.training.locking import held_here

# A run of another machine counts as dead after this many seconds without a sign of life.
SILENCE = 60.0
LATEST = 200  # steps among which one was not skipped
MOST_WRITTEN = 10_000_000  # characters and tokens of a sample

EVALUATION_DTYPE = np.dtype(
    [("step", "<i8"), ("train", "<f8"), ("validation", "<f8"), ("time", "<f8")]
)


@dataclass(frozen=True, slots=True)
class Sample:
    """A text that the model wrote at a step: `text` continues `prompt`."""

    step: int = field(least=0)
    prompt: str = field(longest=MOST_WRITTEN)
    text: str = field(longest=MOST_WRITTEN)
    ids: tuple[int, ...] = field(least=0, longest=MOST_WRITTEN)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint folder."""

    step: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Probe:
    """What the model did with a few ids at a step.

    `id` names the command that asked for it; "" is the config's cadence.
    """

    step: int
    id: str
    path: Path

    def load(self) -> dict[str, np.ndarray]:
        """Arrays by site, and "ids" (T,).

        "attention" is (L, H, T, T): float32, or on the cadence uint8, 255 for 1.
        """
        return read_tensors(self.path)


class JsonLines:
    """The whole lines of a growing file, each read once; a torn last line waits for its end.

    A file that has shrunk is another one, a copy that was put back: it is read from its beginning,
    and `again` is True after that read: what was read before no longer counts.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.again = False

    def read(self) -> list[dict[str, Any]]:
        """The objects that are new. A line that is no JSON object is left out: it was torn once."""
        self.again = False
        try:
            with open(self.path, "rb") as file:
                if file.seek(0, 2) < self.offset:
                    self.again, self.offset = True, 0
                file.seek(self.offset)
                whole = file.read()
        except FileNotFoundError:
            return []
        whole = whole[: whole.rfind(b"\n") + 1]
        self.offset += len(whole)
        found = []
        for line in whole.splitlines():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                found.append(value)
        return found


class RunReader:
    """A run, running here or elsewhere or finished, as arrays and lists.

    Steps, events and state are those of one rank; checkpoints, samples and probes are the run's.

    `refresh` reads what is new. Raises ValueError when `folder` is no run folder.
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
        self._samples: dict[tuple[int, str], Sample] = {}  # by the attempt that wrote it
        self._listings: dict[str, tuple[int, list[str]]] = {}
        self._signature: tuple[object, ...] = ()
        self.steps: np.ndarray = np.empty(0, self._dtype)
        self.events: list[dict[str, Any]] = []
        self.evaluations: np.ndarray = np.empty(0, EVALUATION_DTYPE)
        self.samples: list[Sample] = []
        self.checkpoints: list[Checkpoint] = []
        self.probes: list[Probe] = []
        self.refresh()

    @property
    def name(self) -> str:
        """What its manifest calls the run; else its folder's name."""
        return str(self.manifest.get("name") or self.folder.name)

    @property
    def parent(self) -> dict[str, Any] | None:
        """{"run": folder, "step": step} of a branch, else None."""
        return self.manifest.get("parent")

    @property
    def step(self) -> int:
        """The last step that is done."""
        if len(self.steps):
            return int(self.steps["step"][-1])
        attempts = self.manifest["attempts"]
        return int(attempts[-1]["from_step"]) if attempts else 0

    @property
    def loss(self) -> float | None:
        """The newest loss; a skipped step's counts only where it is a number. None: none yet."""
        newest = self.steps[-LATEST:]
        kept = np.isfinite(newest["loss"])
        if "skipped" in (newest.dtype.names or ()):
            kept |= newest["skipped"] == 0
        losses = newest["loss"][kept]
        return float(losses[-1]) if len(losses) else None

    def refresh(self) -> bool:
        """Reads what has been added; True when anything changed. Cheap where nothing did."""
        self._read_manifest()
        added = self._lines.read()
        if self._lines.again:
            self._events, self._signature = [], ()
        self._events += filter(records.is_event, added)
        last = records.limits(self.manifest["attempts"])
        self._read_steps(last)
        checkpoints = self._names(records.CHECKPOINTS)
        probes = self._names(records.PROBES)
        signature = (
            self._manifest_stamp,
            len(self._events),
            len(self.steps),
            tuple(checkpoints),
            tuple(probes),
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
        # Beyond the last step lie those of an attempt that was given up.
        self.probes = [probe for probe in found_probes if probe.id or probe.step <= self.step]
        self._signature = signature
        return True

    def probe(self, id: str) -> Probe | None:
        """The answer to the probe command with this id, once it is there."""
        return next((probe for probe in reversed(self.probes) if probe.id == id), None)

    @property
    def heartbeat_age(self) -> float | None:
        """Seconds since the last sign of life; None when there was none yet."""
        try:
            path = records.heartbeat_file(self.folder, self.rank)
            return max(0.0, time.time() - path.stat().st_mtime)
        except FileNotFoundError:
            return None

    @property
    def state(self) -> str:
        """new, running, paused, finished, stopped, failed or dead.

        Dead: whoever trained is gone and said nothing. A rank that has not joined the attempt yet
        is new.
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
        """Whether another process trains it now."""
        if self.state not in ("running", "paused"):
            return False
        trainer, ours = self._trainer() or {}, records.process_identity()
        return any(trainer.get(key) != ours[key] for key in ("pid", "host"))

    @property
    def message(self) -> str:
        """What the last attempt said when it ended; "" while it runs."""
        number = len(self.manifest["attempts"])
        for event in reversed(self._events):
            if event.get("attempt") == number and event.get("event") == "end":
                return str(event.get("message", ""))
        return ""

    def _trainer(self) -> dict[str, Any] | None:
        """Who trains this rank in the last attempt: pid, host, process_start; None: nobody yet."""
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
        # This process lives, but its writer may have ended on a disk too full to say so.
        return trainer["pid"] != os.getpid() or held_here(self.folder, self.rank)

    def _read_manifest(self) -> None:
        info = (self.folder / records.MANIFEST).stat()
        stamp = (info.st_mtime_ns, info.st_ino)
        if stamp != self._manifest_stamp:
            self.manifest = records.read_manifest(self.folder)
            self._manifest_stamp = stamp

    def _read_steps(self, last: np.ndarray) -> None:
        path = records.steps_file(self.folder, self.rank)
        whole = path.stat().st_size // self._dtype.itemsize if path.exists() else 0
        if whole == 0:
            self.steps = np.empty(0, self._dtype)
            return
        # A partial last record is beyond `whole`, and is read once it is complete.
        steps = np.memmap(path, self._dtype, mode="r", shape=(whole,))
        if len(last) > 2:
            counted = steps["step"] <= last[np.clip(steps["attempt"], 0, len(last) - 1)]
            self.steps = np.asarray(steps[counted])
        else:
            self.steps = steps

    def _read_events(self, last: np.ndarray) -> None:
        self.events = [
            event
            for event in self._events
            if event.get("event") in ("start", "end")
            or int(event.get("step", 0)) <= last[min(int(event.get("attempt", 0)), len(last) - 1)]
        ]
        # By step: one that was closed before it had looked at everything looks again.
        rows = {
            event["step"]: (event["step"], event["train"], event["validation"], event["time"])
            for event in self.events
            if event.get("event") == "evaluate"
        }
        self.evaluations = np.array(list(rows.values()), EVALUATION_DTYPE)
        files = {
            str(event["file"]): int(event.get("attempt", 0))
            for event in self.events
            if event.get("event") == "sample"
        }
        self.samples = [
            sample for name, attempt in files.items() if (sample := self._sample(attempt, name))
        ]

    def _sample(self, attempt: int, name: str) -> Sample | None:
        """A later attempt writes the same step's sample again, into the same file."""
        if (attempt, name) not in self._samples:
            path = self.folder / records.SAMPLES / Path(name).name
            try:
                self._samples[attempt, name] = from_json(Sample, read_json(path), some=True)
            except (OSError, ValueError):
                return None  # deleted by hand, or being copied: shown as not there
        return self._samples[attempt, name]

    def _names(self, kind: str) -> list[str]:
        """Finished entries of a folder, listed again only when it changed."""
        folder = self.folder / kind
        try:
            stamp = folder.stat().st_mtime_ns
        except FileNotFoundError:
            return []
        known = self._listings.get(kind)
        # An entry may be added within the clock's tick of the last listing.
        if known is None or known[0] != stamp or time.time_ns() - stamp < 50_000_000:
            names = [
                entry.name
                for entry in folder.iterdir()
                if not entry.name.startswith(".") and records.step_of(entry.name) is not None
            ]
            self._listings[kind] = (stamp, names)
        return self._listings[kind][1]
