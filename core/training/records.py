"""What lies in a run folder, and where.

    run.json                 config, attempts, the dtype of a record, a branch's parent
    rank0.steps ...          one fixed-width record a step, a file for each rank
    rank0.spans ...          when a rank did what in each step: see `spans`
    rank0.jsonl ...          rare events, one whole line each
    control.jsonl            commands in, each acknowledged
    heartbeat                touched about once a second by whoever trains; rank1.heartbeat ...;
                             holds to how many exchanges between ranks it has come (8 bytes)
    controller.json          which program steers the run, while it lives: see `claims`
    process.json             which process was launched last to train the run, and when
    recordings/step-000100/  what happened inside a step that was asked for: see `recording`
    checkpoints/step-000100/ samples/step-000100.json probes/step-000100.safetensors

Every record and event carries (attempt, step). A resume starts a new attempt from a checkpoint's
step; what older attempts did after that step no longer counts, and readers leave it out.
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
from core.files import GET_AGAIN, quoted, read_json, write_atomically
from core.training.exponents import CountedExponents, ExponentHistogram

FORMAT = 1
MANIFEST = "run.json"
RECORD_FILE = "record.json"  # beside a bundled model: how it was made
HEARTBEAT = "heartbeat"
EXCHANGES_BYTES = 8  # of a heartbeat file: a whole number, little-endian
CONTROL = "control.jsonl"
PROCESS = "process.json"
CHECKPOINTS = "checkpoints"
SAMPLES = "samples"
PROBES = "probes"
RECORDINGS = "recordings"
TRAINING_FILE = "training.json"  # in a checkpoint: where the run was
OPTIMIZER_FILE = "optimizer.safetensors"  # in a checkpoint: what the optimizer remembers
NEW_OPTIMIZER = "new"  # in a branch's TRAINING_FILE: why its OPTIMIZER_FILE is empty

# A step's record. Little-endian wherever it was written.
STEP_FIELDS: tuple[tuple[str, str], ...] = (
    ("attempt", "<i4"),
    ("step", "<i8"),
    ("loss", "<f8"),  # nats a target that counts
    ("learning_rate", "<f8"),
    ("grad_norm", "<f8"),  # before clipping; not finite where the step was skipped for it
    ("applied", "<i8"),  # steps that have moved the weights, with this one: the schedule's count
    ("skipped", "<i8"),  # 1: a loss scaler skipped this one, 0: it was applied
    ("loss_scale", "<f8"),  # what the loss was multiplied by; 1: it was not
    ("tokens", "<i8"),  # read by this step, on all ranks
    ("targets", "<i8"),  # those that count, which the loss is the mean over
    ("seconds", "<f8"),  # of work; pauses do not count
    ("time", "<f8"),  # Unix time when it was done
    ("memory", "<i8"),  # bytes the process holds
    # NaN where nobody knows; see `utilization`.
    ("cpu", "<f4"),  # cores that the process kept busy
    ("gpu", "<f4"),  # share of the time in which its GPU computed
    ("gpu_memory", "<f8"),  # bytes of that GPU that are taken, by whomever
)
STEP_DTYPE = np.dtype(list(STEP_FIELDS))
MOST_FIELDS = 64
MOST_RANKS = 1 << 16
NUMBER = re.compile("<[iuf][248]")  # the kinds of numbers that a record may hold

MOST_STEP_DIGITS = 10  # in a file's name; a run has at most a billion steps


@dataclass(frozen=True, kw_only=True)
class Event:
    """What every event holds, whatever its kind; a reader counts on it. Most hold more."""

    event: str
    attempt: int = field(least=0)
    step: int = field(least=0)
    time: float


@dataclass(frozen=True, kw_only=True)
class Evaluated(Event):
    """Mean losses in nats a target, which a run that diverges has endless. A fine-tuning measures
    more: `base`, the loss on texts like those that the base learned; of a soft prompt `untuned`,
    that loss without it; and `exact`, the share of answers that are right to the last token.
    """

    train: float = field(endless=True)
    validation: float = field(endless=True)
    base: float | None = field(None, endless=True)
    untuned: float | None = field(None, endless=True)
    exact: float | None = field(None, least=0, most=1)


@dataclass(frozen=True, kw_only=True)
class Sampled(Event):
    """Which file of the samples holds the text."""

    file: str


@dataclass(frozen=True, kw_only=True)
class Preparing(Event):
    """How much is done of what comes before the first step."""

    share: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Built(Event):
    """How large the model is, how many tokens the corpus has, and whether the loss is scaled."""

    parameters: int = field(0, least=0)
    vocab_size: int = field(0, least=0)
    tokens: int = field(0, least=0)
    scales: bool = False


@dataclass(frozen=True, kw_only=True)
class Skipped(Event):
    """The loss scale whose gradients overflowed; in `after` the one that is tried next. `where`
    says which gradient was the first.
    """

    loss_scale: float = field(0.0, least=0, endless=True)
    after: Mapping[str, float] = field(factory=dict)
    where: str = ""


@dataclass(frozen=True, kw_only=True)
class Exponents(Event):
    """How large a step's numbers were, in a sample of them: gradients as the optimizer would have
    got them unscaled and unclipped; the others after the step. None: not counted, as the updates of
    a step that was skipped.

    loss_scale  the scale under which the gradients were computed
    """

    loss_scale: float = field(1.0, above=0)
    weights: CountedExponents | None = None
    activations: CountedExponents | None = None
    gradients: CountedExponents | None = None
    updates: CountedExponents | None = None

    def histograms(self) -> dict[str, ExponentHistogram]:
        """By kind: "weights", "activations", "gradients", "updates", as far as they are there."""
        kinds = ("weights", "activations", "gradients", "updates")
        counted = {kind: getattr(self, kind) for kind in kinds}
        return {kind: one.histogram() for kind, one in counted.items() if one is not None}


@dataclass(frozen=True, kw_only=True)
class ScoredHeads(Event):
    """The fields of `HeadScores` on the task's test: a number a head, layer by layer."""

    previous_token: tuple[float, ...] = ()
    induction: tuple[float, ...] = ()
    duplicate: tuple[float, ...] = ()
    first_token: tuple[float, ...] = ()
    entropy: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Clock(Event):
    """What a rank's clock said, each time right after all ranks had met, and its machine's name."""

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
    """Whether a line of the events is one of ours, whole: another hand may have written it, or two
    torn lines have become one.
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
    """Where a rank's records lie."""
    return folder / f"rank{rank}.steps"


def spans_file(folder: Path, rank: int = 0) -> Path:
    """Where a rank's spans lie."""
    return folder / f"rank{rank}.spans"


def events_file(folder: Path, rank: int = 0) -> Path:
    """Where a rank's events lie."""
    return folder / f"rank{rank}.jsonl"


def heartbeat_file(folder: Path, rank: int = 0) -> Path:
    """The file that a rank touches while it trains."""
    return folder / (f"rank{rank}.{HEARTBEAT}" if rank else HEARTBEAT)


def exchanges(folder: Path, rank: int = 0) -> int:
    """To how many exchanges a rank has come, as its heartbeat file says; 0 where it does not."""
    try:
        with heartbeat_file(folder, rank).open("rb") as file:
            return int.from_bytes(file.read(EXCHANGES_BYTES), "little")
    except OSError:
        return 0


def recording_folder(folder: Path, step: int) -> Path:
    """Where the recording of a step lies."""
    return folder / RECORDINGS / step_name(step)


def step_name(step: int) -> str:
    """ "step-000812": sorts by step up to a million."""
    return f"step-{step:06d}"


def step_of(name: str) -> int | None:
    """The step in "step-000812", "step-000812.json" or "ID-step-000812.safetensors", or None."""
    digits = name.split(".")[0].rpartition("step-")[2]
    is_step = "step-" in name and digits.isdecimal() and len(digits) <= MOST_STEP_DIGITS
    return int(digits) if is_step else None


def checkpoints_of(run: Path) -> dict[int, Path]:
    """The folders of a run's checkpoints by their steps, the earliest first."""
    folder = run / CHECKPOINTS
    paths = folder.iterdir() if folder.is_dir() else ()
    found = {step_of(path.name): path for path in paths if not path.name.startswith(".")}
    return {step: found[step] for step in sorted(one for one in found if one is not None)}


def check_probe_id(id: str) -> str:
    """The id, which becomes a part of a file's name. Raises ValueError when it cannot be one."""
    fits = isinstance(id, str) and 0 < len(id) <= 80 and "step-" not in id
    if not fits or not all(c.isalnum() or c in "-_" for c in id):
        raise ValueError(f"probe id {quoted(id)} must be letters, digits, - and _, without 'step-'")
    return id


@dataclass(frozen=True, kw_only=True)
class AttemptEntry:
    """What the manifest must say of an attempt: after which step it began, who trained, and on how
    many ranks; an older one was a single process.
    """

    from_step: int = field(least=0)
    pid: int = field(least=1, most=(1 << 31) - 1)
    host: str
    ranks: int = field(1, least=1, most=MOST_RANKS)

    @classmethod
    def from_json(cls, values: Any) -> AttemptEntry:
        """An entry of the manifest; an older or newer one may hold more."""
        return from_json(cls, values, "attempt", some=True, remedy="")


@dataclass(frozen=True, kw_only=True)
class Parent:
    """The run that a branch was taken from, and the step."""

    run: str
    step: int = field(least=0)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What run.json must say, and what it may. `config` is read by itself, as a TrainingConfig."""

    name: str = ""
    parent: Parent | None = None
    record: tuple[tuple[str, str], ...] = field(shortest=1, longest=MOST_FIELDS)
    attempts: tuple[AttemptEntry, ...]
    config: Mapping[str, Any] = field(reader=lambda values: as_object(values, "config"))


def new_manifest(
    name: str, config: Mapping[str, Any], created: float, parent: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The manifest of a run that has not begun."""
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
    """The manifest of a run. Raises ValueError for no run folder, and for one of another format."""
    path = folder / MANIFEST
    if not path.exists():
        raise ValueError(
            f"{folder} is no run folder: it holds no {MANIFEST}; choose the folder that does"
        )
    manifest = read_json(path)
    try:
        from_json(Manifest, manifest, "manifest of a run", FORMAT, some=True, remedy="")
    except ValueError as error:
        raise ValueError(f"{path}: {error}; restore it, or choose another folder") from error
    return manifest


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Writes run.json, whole or not at all."""
    write_atomically(folder / MANIFEST, json.dumps(manifest, indent=1).encode())


def record_dtype(manifest: Mapping[str, Any]) -> np.dtype:
    """The dtype of this run's records.

    Raises ValueError where it holds something else than numbers, a number that is known is of
    another kind, or one that a reader needs is missing.
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
    """Per attempt (index 0 unused) the last step that still counts: later attempts began there.
    (attempts + 1,)
    """
    last = np.full(len(attempts) + 1, np.iinfo(np.int64).max, np.int64)
    begun = np.iinfo(np.int64).max
    for index in range(len(attempts), 0, -1):
        last[index] = begun
        begun = min(begun, int(attempts[index - 1]["from_step"]))
    return last


def process_identity(pid: int = 0) -> dict[str, Any]:
    """Who trains (0: this process): enough to tell later whether that very process still lives."""
    pid = pid or os.getpid()
    return {"pid": pid, "host": socket.gethostname(), "process_start": process_start(pid)}


def is_living(identity: Mapping[str, Any]) -> bool:
    """Whether a process of this machine, as `process_identity` named it, is still there."""
    pid = identity.get("pid")
    if not isinstance(pid, int) or not process_alive(pid):
        return False
    return identity.get("process_start") in (None, process_start(pid))


def process_start(pid: int) -> int | None:
    """When a process began, in clock ticks since boot; None where the system is not Linux."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


def process_alive(pid: int) -> bool:
    """Whether a process of this machine exists and has not ended."""
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
    try:  # a zombie has ended, though its parent has not asked yet
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return True


def resident_bytes() -> int:
    """Bytes of memory that this process holds; 0 where the system does not say."""
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
