"""What lies in a run folder, and where.

    run.json                 config, attempts, the dtype of a record, a branch's parent
    rank0.steps ...          one fixed-width record a step, a file for each rank
    rank0.jsonl ...          rare events, one whole line each
    control.jsonl            commands in, each acknowledged
    heartbeat                touched about once a second by whoever trains; rank1.heartbeat ...
    checkpoints/step-000100/ samples/step-000100.json probes/step-000100.safetensors

Every record and event carries (attempt, step). A resume starts a new attempt from a checkpoint's
step; what older attempts did after that step no longer counts, and readers leave it out.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.files import quoted, write_atomically

FORMAT = 1
MANIFEST = "run.json"
HEARTBEAT = "heartbeat"
CONTROL = "control.jsonl"
CHECKPOINTS = "checkpoints"
SAMPLES = "samples"
PROBES = "probes"
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
    ("tokens", "<i8"),  # read by this step, on all ranks
    ("targets", "<i8"),  # those that count, which the loss is the mean over
    ("seconds", "<f8"),  # of work; pauses do not count
    ("time", "<f8"),  # Unix time when it was done
    ("memory", "<i8"),  # bytes the process holds
)
STEP_DTYPE = np.dtype(list(STEP_FIELDS))


# What an event of a kind must hold, and what it may hold besides; a reader counts on both.
EVENT_FIELDS: dict[str, dict[str, type]] = {
    "evaluate": {"train": float, "validation": float},
    "sample": {"file": str},
}
EXTRA_FIELDS: dict[str, dict[str, type]] = {
    "prepare": {"share": float},
    "model": {"parameters": int, "vocab_size": int, "tokens": int},
}


def is_event(line: Mapping[str, Any]) -> bool:
    """Whether a line of the events is one of ours, whole: another hand may have written it, or two
    torn lines have become one.
    """
    kind, step, attempt = (line.get(name) for name in ("event", "step", "attempt"))
    if not isinstance(kind, str) or not all(_fits(value, int) for value in (step, attempt)):
        return False
    needed = {"time": float, **EVENT_FIELDS.get(kind, {})}
    extra = EXTRA_FIELDS.get(kind, {}).items()
    return all(_fits(line.get(name), type) for name, type in needed.items()) and all(
        _fits(line[name], type) for name, type in extra if name in line
    )


def _fits(value: Any, type: type) -> bool:
    """Whole numbers are counts of 64 bits; any number will do for a float."""
    if type is int:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63
    if type is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, type)


def steps_file(folder: Path, rank: int = 0) -> Path:
    return folder / f"rank{rank}.steps"


def events_file(folder: Path, rank: int = 0) -> Path:
    return folder / f"rank{rank}.jsonl"


def heartbeat_file(folder: Path, rank: int = 0) -> Path:
    return folder / (f"rank{rank}.{HEARTBEAT}" if rank else HEARTBEAT)


def step_name(step: int) -> str:
    """ "step-000812": sorts by step up to a million."""
    return f"step-{step:06d}"


def step_of(name: str) -> int | None:
    """The step in "step-000812", "step-000812.json" or "ID-step-000812.safetensors", or None."""
    digits = name.split(".")[0].rpartition("step-")[2]
    return int(digits) if "step-" in name and digits.isdecimal() else None


def check_probe_id(id: str) -> str:
    """The id, which becomes a part of a file's name. Raises ValueError when it cannot be one."""
    if not id or not all(c.isalnum() or c in "-_" for c in id) or "step-" in id or len(id) > 80:
        raise ValueError(f"probe id {id[:90]!r} must be letters, digits, - and _, without 'step-'")
    return id


def new_manifest(
    name: str, config: Mapping[str, Any], created: float, parent: Mapping[str, Any] | None = None
) -> dict[str, Any]:
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
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"{folder} is no run folder: it holds no {MANIFEST}; choose the folder that does"
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is damaged: {error}; restore it, or start a new run") from error
    if not isinstance(manifest, dict) or not {"format", "attempts", "record", "config"} <= set(
        manifest
    ):
        raise ValueError(f"{path} is not the manifest of a run; choose another folder")
    if manifest["format"] != FORMAT:
        raise ValueError(
            f"{path} has format {quoted(manifest['format'])}, this version reads {FORMAT}; "
            "update LLM Explorer"
        )
    attempts = manifest["attempts"]
    if not isinstance(attempts, list) or not all(map(_is_attempt, attempts)):
        raise ValueError(f"{path} tells of attempts that cannot be read; restore it, or leave it")
    return manifest


def _is_attempt(attempt: object) -> bool:
    """Whether it says after which step it began, and who trained."""
    return (
        isinstance(attempt, dict)
        and isinstance(attempt.get("host"), str)
        and all(type(attempt.get(name)) is int for name in ("from_step", "pid"))
    )


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    write_atomically(folder / MANIFEST, json.dumps(manifest, indent=1).encode())


def record_dtype(manifest: Mapping[str, Any]) -> np.dtype:
    """The dtype of this run's records. Raises ValueError where it lacks what a reader needs."""
    try:
        dtype = np.dtype([(str(name), str(kind)) for name, kind in manifest["record"]])
    except (TypeError, ValueError) as error:
        raise ValueError(f"the run's record description cannot be read: {error}") from error
    if dtype.hasobject or not {"attempt", "step", "loss"} <= set(dtype.names or ()):
        raise ValueError("the run's record description lacks attempt, step or loss")
    return dtype


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


def process_identity() -> dict[str, Any]:
    """Who trains: enough to tell later whether this very process is still there."""
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "process_start": process_start(os.getpid()),
    }


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
