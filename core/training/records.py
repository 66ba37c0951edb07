"""The files of a run folder.

    run.json                 config, attempts, the dtype of a record, a branch's parent
    rank0.steps ...          one fixed-width record a step, a file for each rank
    rank0.spans ...          spans of a rank's phases and exchanges in each step: see `spans`
    rank0.jsonl ...          rare events, one complete line each
    control.jsonl            commands in, each acknowledged
    heartbeat                touched about once a second by the trainer; rank1.heartbeat ...;
                             holds the number of exchanges that the rank has reached (8 bytes)
    controller.json          the program that steers the run, while it runs: see `claims`
    process.json             the process launched last to train the run, and its start time
    recordings/step-000100/  what happened inside a recorded step: see `recording`
    checkpoints/step-000100/ samples/step-000100.json probes/step-000100.safetensors

Every record and event carries (attempt, step). A resume starts a new attempt from a checkpoint's
step; the records of older attempts after that step are superseded, and readers leave them out.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.fields import as_object, field, from_json
from core.files import (
    GET_AGAIN,
    named,
    names_in,
    open_to_read,
    quoted,
    read_json,
    write_atomically,
)
from core.training.exponents import CountedExponents, ExponentHistogram

FORMAT = 1
MANIFEST = "run.json"
RECORD_FILE = "record.json"  # in a bundled model's folder: how it was made
HEARTBEAT = "heartbeat"
EXCHANGES_BYTES = 8  # of a heartbeat file: a whole number, little-endian
CONTROL = "control.jsonl"
PROCESS = "process.json"
CHECKPOINTS = "checkpoints"
SAMPLES = "samples"
PROBES = "probes"
RECORDINGS = "recordings"
TRAINING_FILE = "training.json"  # in a checkpoint: the state of the loop
OPTIMIZER_FILE = "optimizer.safetensors"  # in a checkpoint: the optimizer's state
NEW_OPTIMIZER = "new"  # in a branch's TRAINING_FILE: why its OPTIMIZER_FILE is empty

# A step's record. Little-endian on every machine.
STEP_FIELDS: tuple[tuple[str, str], ...] = (
    ("attempt", "<i4"),
    ("step", "<i8"),
    ("loss", "<f8"),  # nats per counted target
    ("learning_rate", "<f8"),
    ("grad_norm", "<f8"),  # before clipping; not finite if the step was skipped for it
    ("applied", "<i8"),  # steps that moved the weights, including this one: the schedule's count
    ("skipped", "<i8"),  # 1: a loss scaler skipped this one, 0: it was applied
    ("loss_scale", "<f8"),  # factor of the loss; 1: not scaled
    ("tokens", "<i8"),  # read by this step, on all ranks
    ("targets", "<i8"),  # counted targets: the loss is the mean over them
    ("seconds", "<f8"),  # of work; pauses do not count
    ("time", "<f8"),  # Unix time when it was done
    ("memory", "<i8"),  # bytes that the process uses
    # NaN if unknown; see `utilization`.
    ("cpu", "<f4"),  # cores that the process kept busy
    ("gpu", "<f4"),  # share of the time in which its GPU computed
    ("gpu_memory", "<f8"),  # used bytes of that GPU, of all processes
)
STEP_DTYPE = np.dtype(list(STEP_FIELDS))
MOST_FIELDS = 64
MOST_RANKS = 1 << 16
NUMBER = re.compile("<[iuf][248]")  # the kinds of numbers that a record may hold

MOST_STEP_DIGITS = 10  # in a file's name; a run has at most a billion steps


@dataclass(frozen=True, kw_only=True)
class Event:
    """The fields of every event, which readers rely on. Most kinds have more."""

    event: str
    attempt: int = field(least=0)
    step: int = field(least=0)
    time: float


@dataclass(frozen=True, kw_only=True)
class Evaluated(Event):
    """Mean losses in nats per target; infinite if a run diverges. Fine-tuning measures more:
    `base`, the loss on texts like the base model's training data; for a soft prompt `untuned`, that
    loss without it; and `exact`, the share of answers that are right to the last token.
    """

    train: float = field(endless=True)
    validation: float = field(endless=True)
    base: float | None = field(None, endless=True)
    untuned: float | None = field(None, endless=True)
    exact: float | None = field(None, least=0, most=1)


@dataclass(frozen=True, kw_only=True)
class Sampled(Event):
    """The samples file that holds the text."""

    file: str


@dataclass(frozen=True, kw_only=True)
class Preparing(Event):
    """Progress of the work before the first step."""

    share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Built(Event):
    """Size of the model, tokens of the corpus, and whether the loss is scaled."""

    parameters: int = field(0, least=0)
    vocab_size: int = field(0, least=0)
    tokens: int = field(0, least=0)
    scales: bool = False


@dataclass(frozen=True, kw_only=True)
class Skipped(Event):
    """The loss scale whose gradients overflowed; `after` is the next one to try, `where` the first
    gradient that overflowed.
    """

    loss_scale: float = field(0.0, least=0, endless=True)
    after: Mapping[str, float] = field(factory=dict)
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Exponents(Event):
    """Exponents of a sample of a step's numbers: gradients as the optimizer would get them unscaled
    and unclipped; the others after the step. None: not counted, such as the updates of a skipped
    step.

    loss_scale  the scale under which the gradients were computed
    """

    loss_scale: float = field(1.0, above=0)
    weights: CountedExponents | None = None
    activations: CountedExponents | None = None
    gradients: CountedExponents | None = None
    updates: CountedExponents | None = None

    def histograms(self) -> dict[str, ExponentHistogram]:
        """The counted kinds of "weights", "activations", "gradients", "updates"."""
        kinds = ("weights", "activations", "gradients", "updates")
        counted = {kind: getattr(self, kind) for kind in kinds}
        return {kind: one.histogram() for kind, one in counted.items() if one is not None}


@dataclass(frozen=True, kw_only=True)
class ScoredHeads(Event):
    """The fields of `HeadScores` on the task's test: a number per head, layer by layer; and the
    loss on repeats, which older runs lack.
    """

    previous_token: tuple[float, ...] = ()
    induction: tuple[float, ...] = ()
    duplicate: tuple[float, ...] = ()
    first_token: tuple[float, ...] = ()
    entropy: tuple[float, ...] = ()
    loss_on_repeats: float | None = field(None, endless=True)


@dataclass(frozen=True, kw_only=True)
class Clock(Event):
    """Readings of a rank's clock, each right after all ranks met, and its machine's name."""

    now: tuple[float, ...]
    host: str = ""


EVENTS: dict[str, type[Event]] = {
    "evaluate": Evaluated,
    "sample": Sampled,
    "prepare": Preparing,
    "model": Built,
    "skip": Skipped,
    "clock": Clock,
    "exponents": Exponents,
    "heads": ScoredHeads,
}


def is_event(line: Mapping[str, Any]) -> bool:
    """Returns whether a line of the events is a complete event of ours: another program may have
    written it, or two torn lines may have merged.
    """
    kind = line.get("event")
    if not isinstance(kind, str):
        return False
    try:
        from_json(EVENTS.get(kind, Event), line, some=True)
    except ValueError:
        return False
    return True


def steps_file(folder: Path, rank: int = 0) -> Path:
    """Returns the path of a rank's records."""
    return folder / f"rank{rank}.steps"


def spans_file(folder: Path, rank: int = 0) -> Path:
    """Returns the path of a rank's spans."""
    return folder / f"rank{rank}.spans"


def events_file(folder: Path, rank: int = 0) -> Path:
    """Returns the path of a rank's events."""
    return folder / f"rank{rank}.jsonl"


def heartbeat_file(folder: Path, rank: int = 0) -> Path:
    """Returns the path of the file that a rank touches while it trains."""
    return folder / (f"rank{rank}.{HEARTBEAT}" if rank else HEARTBEAT)


def exchanges(folder: Path, rank: int = 0) -> int:
    """Returns how many exchanges a rank has reached, from its heartbeat file; 0 if unknown."""
    try:
        with open_to_read(heartbeat_file(folder, rank)) as file:
            return int.from_bytes(file.read(EXCHANGES_BYTES), "little")
    except (OSError, ValueError):
        return 0


def recording_folder(folder: Path, step: int) -> Path:
    """Returns the folder of a step's recording."""
    return folder / RECORDINGS / step_name(step)


def step_name(step: int) -> str:
    """Returns "step-000812", which sorts by step up to a million."""
    return f"step-{step:06d}"


def step_of(name: str) -> int | None:
    """Returns the step of "step-000812", "step-000812.json" or "ID-step-1.safetensors", or None."""
    digits = name.split(".")[0].rpartition("step-")[2]
    is_step = "step-" in name and digits.isdecimal() and len(digits) <= MOST_STEP_DIGITS
    return int(digits) if is_step else None


def checkpoints_of(run: Path) -> dict[int, Path]:
    """Returns the folders of a run's checkpoints by step, the earliest first."""
    folder = run / CHECKPOINTS
    found = {step_of(name): folder / name for name in names_in(folder) if not name.startswith(".")}
    return {step: found[step] for step in sorted(one for one in found if one is not None)}


def check_probe_id(id: str) -> str:
    """Returns the id, which is used in a file's name. Raises ValueError if it cannot be."""
    fits = isinstance(id, str) and 0 < len(id) <= 80 and "step-" not in id
    if not fits or not all(c.isalnum() or c in "-_" for c in id):
        raise ValueError(f"probe id {quoted(id)} must be letters, digits, - and _, without 'step-'")
    return id


@dataclass(frozen=True, kw_only=True)
class AttemptEntry:
    """The fields of an attempt that the manifest must have: the step after which it began, the
    training process, and the number of ranks; attempts of older versions had one.
    """

    from_step: int = field(least=0)
    pid: int = field(least=1, most=(1 << 31) - 1)
    host: str
    ranks: int = field(1, least=1, most=MOST_RANKS)

    @classmethod
    def from_json(cls, values: Any) -> AttemptEntry:
        """Reads an entry of the manifest; other versions may have more fields."""
        return from_json(cls, values, "attempt", some=True, remedy="")


@dataclass(frozen=True, kw_only=True)
class Parent:
    """The run and step that a branch starts from."""

    run: str
    step: int = field(least=0)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The fields of run.json. `config` is read separately, as a TrainingConfig."""

    name: str = ""
    parent: Parent | None = None
    record: tuple[tuple[str, str], ...] = field(shortest=1, longest=MOST_FIELDS)
    attempts: tuple[AttemptEntry, ...]
    config: Mapping[str, Any] = field(reader=lambda values: as_object(values, "config"))


def new_manifest(
    name: str, config: Mapping[str, Any], created: float, parent: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Returns the manifest of a run that has not begun."""
    return {
        "format": FORMAT,
        "name": name,
        "task": config["task"],
        "created": created,
        "parent": parent,
        "record": [list(field) for field in STEP_FIELDS],
        "attempts": [],
        "config": config,
    }


def read_manifest(folder: Path) -> dict[str, Any]:
    """Returns a run's manifest. Raises ValueError for another kind of folder or another format."""
    path = folder / MANIFEST
    if not os.path.exists(path):
        raise ValueError(
            f"{named(folder)} is no run folder: it holds no {MANIFEST}; choose the folder that does"
        )
    manifest = read_json(path)
    try:
        from_json(Manifest, manifest, "manifest of a run", FORMAT, some=True, remedy="")
    except ValueError as error:
        raise ValueError(f"{path}: {error}; restore it, or choose another folder") from error
    return manifest


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Writes run.json, completely or not at all."""
    write_atomically(folder / MANIFEST, json.dumps(manifest, indent=1).encode())


def record_dtype(manifest: Mapping[str, Any]) -> np.dtype:
    """Returns the dtype of this run's records.

    Raises ValueError if a field is not a number, a known field is of another kind, or a required
    field is missing.
    """
    known = dict(STEP_FIELDS)
    described = [(str(name), str(kind)) for name, kind in manifest["record"]]
    for name, kind in described:
        if not NUMBER.fullmatch(kind) or kind[1] != known.get(name, kind)[1]:
            raise ValueError(
                f"the run's record says that {quoted(name)} is {quoted(kind)}, which it cannot be: "
                f"{GET_AGAIN}"
            )
    names = {name for name, _ in described}
    if len(names) < len(described) or not {"attempt", "step", "loss"} <= names:
        raise ValueError(
            f"the run's record describes a number twice, or lacks attempt, step or loss: "
            f"{GET_AGAIN}"
        )
    return np.dtype(described)


def limits(attempts: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Returns the last valid step of each attempt (index 0 unused): later attempts began there.
    (attempts + 1,)
    """
    last = np.full(len(attempts) + 1, np.iinfo(np.int64).max, np.int64)
    begun = np.iinfo(np.int64).max
    for index in range(len(attempts), 0, -1):
        last[index] = begun
        begun = min(begun, int(attempts[index - 1]["from_step"]))
    return last


def process_identity(pid: int = 0) -> dict[str, Any]:
    """Identifies the training process (0: this one), to check later whether it still runs."""
    pid = pid or os.getpid()
    return {"pid": pid, "host": socket.gethostname(), "process_start": process_start(pid)}


def is_living(identity: Mapping[str, Any]) -> bool:
    """Returns whether a process of this machine, identified by `process_identity`, still runs."""
    pid = identity.get("pid")
    if not isinstance(pid, int) or not process_alive(pid):
        return False
    return identity.get("process_start") in (None, process_start(pid))


def process_start(pid: int) -> int | None:
    """Returns a process's start in clock ticks since boot, or None if the system is not Linux."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def process_alive(pid: int) -> bool:
    """Returns whether a process of this machine exists and has not ended."""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(0x1000, False, pid)  # PROCESS_QUERY_LIMITED_INFORMATION
        if not handle:
            return False
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return code.value == 259  # STILL_ACTIVE
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:  # a zombie has ended, though its parent has not collected it yet
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True


def resident_bytes() -> int:
    """Returns the bytes of memory that this process uses; 0 if the system does not report it."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
