"""RunWriter: the only writer of a run folder's records, events, samples and probes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from core.files import append_line, cut_torn_line, open_file, open_to_append, write_atomically
from core.tensor_files import write_tensors
from core.training import records
from core.training.control import cut_torn_command
from core.training.locking import RunLock
from core.training.place import restarts_left
from core.training.reader import RunReader
from core.training.spans import SPAN_DTYPE

# Most scheduled probes that are kept; beyond it every other one is deleted and the interval
# doubles.
PROBE_LIMIT = 500
TELL = 0.5  # seconds between two events about the same work before the first step


class RunWriter:
    """Opens a run folder for a new attempt that begins after step `from_step`, on `ranks` ranks.

    Only rank 0 begins an attempt. Another rank joins the attempt of rank 0, from its own process,
    and writes files of its own next to rank 0's; so does a rank that rejoins.

    A torn last line or record, left by a process that was killed, is cut off first. Raises
    ValueError if the folder is not a run folder, or this rank is already being trained or has no
    attempt to join; OSError if it cannot be written.
    """

    def __init__(
        self, folder: str | Path, from_step: int = 0, rank: int = 0, ranks: int = 1
    ) -> None:
        self.folder = Path(folder)
        self._steps = self._events = self._spans = self._heart_file = -1
        if type(rank) is not int or rank < 0:
            raise ValueError(f"rank {rank!r} cannot be; ranks count from 0")
        records.read_manifest(self.folder)
        self._lock = RunLock(self.folder, rank)
        try:
            self._open(from_step, rank, ranks)
        except BaseException:
            self.close()
            raise

    def _open(self, from_step: int, rank: int, ranks: int) -> None:
        manifest = records.read_manifest(self.folder)
        self.dtype = records.record_dtype(manifest)
        self._heart = records.heartbeat_file(self.folder, rank)
        if rank and not manifest["attempts"]:
            raise ValueError(
                f"{self.folder.name} has no attempt that rank {rank} could join; open rank 0 first"
            )
        if manifest["attempts"] and RunReader(self.folder, rank).is_elsewhere:
            raise ValueError(
                f"{self.folder.name} is being trained by another process; stop it there first, or "
                "wait a minute where its machine is gone"
            )
        _cut_torn_record(records.steps_file(self.folder, rank), self.dtype.itemsize)
        _cut_torn_record(records.spans_file(self.folder, rank), SPAN_DTYPE.itemsize)
        cut_torn_line(records.events_file(self.folder, rank))
        if rank == 0:
            cut_torn_command(self.folder)
        for name in (records.CHECKPOINTS, records.SAMPLES, records.PROBES):
            (self.folder / name).mkdir(exist_ok=True)
        identity = records.process_identity()
        if rank == 0:
            started = {"from_step": from_step, "started": time.time(), "ranks": ranks, **identity}
            if restarts_left(os.environ):
                started["launcher"] = records.process_identity(os.getppid())
            manifest["attempts"].append(started)
        self.attempt = len(manifest["attempts"])
        self._steps = open_to_append(records.steps_file(self.folder, rank))
        self._events = open_to_append(records.events_file(self.folder, rank))
        self._spans = open_to_append(records.spans_file(self.folder, rank))
        self._heart.touch()
        self._heart_file = open_file(self._heart, os.O_WRONLY)
        self._beat = 0.0
        self._told, self._told_at = "", 0.0
        self.heartbeat()
        if rank:
            self.event("start", from_step, identity)
            return
        records.write_manifest(self.folder, manifest)
        self.event("start", from_step, {})
        _drop_probes(self.folder, from_step)

    def step(self, values: Mapping[str, float]) -> None:
        """Appends the record of a step; `values` by field, attempt and time are added.

        Fields that this run does not record are left out.
        """
        record = np.zeros(1, self.dtype)
        for name, value in values.items():
            if name in (self.dtype.names or ()):  # runs of an older version record less
                record[name] = value
        record["attempt"] = self.attempt
        record["time"] = time.time()
        _append(self._steps, record.tobytes())
        self.heartbeat()

    def spans(self, spans: np.ndarray) -> None:
        """Appends records of SPAN_DTYPE."""
        if len(spans):
            _append(self._spans, spans.tobytes())

    def event(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        """Appends one line to the events."""
        head = {"event": kind, "attempt": self.attempt, "step": step, "time": time.time()}
        _append(self._events, json.dumps({**head, **values}).encode() + b"\n")

    def preparing(self, step: int, share: float, message: str) -> None:
        """Records progress before the first step: new work at once, further progress rarely."""
        self.heartbeat()
        now = time.perf_counter()
        if message != self._told or now - self._told_at >= TELL:
            self._told, self._told_at = message, now
            self.event("prepare", step, {"share": share, "message": message})

    def sample(self, step: int, prompt: str, text: str, ids: Sequence[int]) -> None:
        """Saves a text that the model generated, and records the event."""
        name = records.step_name(step) + ".json"
        values = {"step": step, "prompt": prompt, "text": text, "ids": list(ids)}
        data = json.dumps(values, ensure_ascii=False).encode("utf-8", "surrogatepass")
        write_atomically(self.folder / records.SAMPLES / name, data)
        self.event("sample", step, {"file": name})

    def probe(self, step: int, arrays: Mapping[str, np.ndarray], id: str = "") -> Path:
        """Saves the model's activations on some ids, renamed into place when complete.

        Raises ValueError for an id that cannot be used in a file's name.
        """
        prefix = f"{records.check_probe_id(id)}-" if id else ""
        path = self.folder / records.PROBES / f"{prefix}{records.step_name(step)}.safetensors"
        write_tensors(path, {name: np.ascontiguousarray(value) for name, value in arrays.items()})
        return path

    def heartbeat(self) -> None:
        """Records that the run is alive; touches a file at most once a second."""
        now = time.time()
        if not 0.0 <= now - self._beat < 1.0:
            self._beat = now
            self._heart.touch()

    def exchange(self, count: int) -> None:
        """Records that this rank has reached an exchange, in which it may wait long: a rank that
        hangs has reached fewer than the others. Writes nothing before the folder is open.
        """
        if self._heart_file >= 0:
            with suppress(OSError):  # only a hint for diagnosis; training does not end for it
                os.lseek(self._heart_file, 0, os.SEEK_SET)
                os.write(self._heart_file, count.to_bytes(records.EXCHANGES_BYTES, "little"))

    def close(self) -> None:
        """Closes the files and releases the run for other processes."""
        for file in (self._steps, self._events, self._spans, self._heart_file):
            if file >= 0:
                os.close(file)
        self._steps = self._events = self._spans = self._heart_file = -1
        self._lock.release()


def end_attempt(folder: Path, message: str, rank: int = 0, how: str = "failed") -> None:
    """Records why the last attempt failed, on behalf of ranks that are all gone: which of them
    caused it, and how that one ended (see `RankEnd`).

    Raises ValueError if the run is being trained again, OSError if it cannot be written.
    """
    lock = RunLock(folder)
    try:
        run = RunReader(folder)
        line = {"event": "end", "attempt": len(run.manifest["attempts"]), "step": run.step}
        told = {"time": time.time(), "reason": "failed", "message": message}
        told |= {"rank": rank, "how": how}
        if run.manifest["attempts"]:
            cut_torn_line(records.events_file(folder))
            append_line(records.events_file(folder), {**line, **told})
    finally:
        lock.release()


def _cut_torn_record(path: Path, size: int) -> None:
    if path.exists() and (torn := path.stat().st_size % size):
        os.truncate(path, path.stat().st_size - torn)


def _drop_probes(folder: Path, from_step: int) -> None:
    """Deletes probes of an earlier attempt after `from_step`, which this one makes again."""
    for path in (folder / records.PROBES).iterdir():
        if (records.step_of(path.name) or 0) > from_step:
            path.unlink(missing_ok=True)


def probe_interval(every: int, step: int) -> int:
    """Returns the steps between the probes kept once a run is at `step`, at most PROBE_LIMIT."""
    while step // every > PROBE_LIMIT:
        every *= 2
    return every


def thin_probes(folder: Path, every: int, step: int) -> None:
    """Deletes scheduled probes that are no longer on the interval for `step`."""
    interval = probe_interval(every, step)
    if interval == probe_interval(every, max(step - interval, 0)):
        return
    for path in (folder / records.PROBES).glob("step-*.safetensors"):
        found = records.step_of(path.name)
        if found is not None and found % interval:
            path.unlink(missing_ok=True)


def _append(file: int, data: bytes) -> None:
    """Writes all of the data or, if the disk is full, nothing."""
    before = os.fstat(file).st_size
    try:
        written = os.write(file, data)
        while written < len(data):
            written += os.write(file, data[written:])
    except OSError:
        os.truncate(file, before)
        raise
