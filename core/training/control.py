"""Steering a run: commands are lines of control.jsonl, and each is acknowledged there.

It works the same for a run in this process, in another, or on another machine. A command line is
{"seq": 3, "command": "set", "learning_rate": 1e-4, "time": ...}; the run answers at its next safe
point with {"ack": 3, "step": 812, "attempt": 1, "ok": true, "message": ""}. The file is therefore
also a log from which a run can be repeated.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.fields import as_object, field, fields_of, from_json, to_json
from core.files import append_line, cut_torn_line, quoted
from core.training import claims, records
from core.training.reader import JsonLines, RunReader


@dataclass(frozen=True, slots=True)
class Command:
    """A command, one line of control.jsonl. `values`: its arguments."""

    seq: int = field(least=0)
    name: str = field()
    values: Mapping[str, Any] = field(factory=dict, reader=lambda given: as_object(given, "values"))

    @classmethod
    def from_line(cls, line: Mapping[str, Any]) -> Command:
        """Reads a command; raises ValueError if its number is invalid. A name that is not a string
        becomes that of an unknown command.
        """
        seq = fields_of(cls)["seq"].read(line.get("seq"))
        name = line.get("command")
        values = {k: v for k, v in line.items() if k not in ("seq", "command", "time")}
        return cls(seq, name if isinstance(name, str) else quoted(name), values)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The run's answer. `step`: the last completed step when the command took effect."""

    seq: int = field(least=0)
    step: int = field(0, least=0)
    attempt: int = field(0, least=0)
    ok: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class StepArguments:
    """Arguments of the command `step`: the number of optimizer steps."""

    n: int = field(1, least=1)


@dataclass(frozen=True, slots=True)
class ProbeArguments:
    """Arguments of the command `probe`: the answer's name, the token ids, the sites to record."""

    id: str = field(reader=records.check_probe_id)
    ids: tuple[int, ...] = field(least=0, shortest=1, remedy="give at least one token id")
    sites: tuple[str, ...] = ("attention",)


@dataclass(frozen=True, slots=True)
class SetArguments:
    """Arguments of the command `set`: the learning rate from the next step on."""

    learning_rate: float = field(above=0, remedy="1e-3 is usual")


class Launcher(Protocol):
    """Starts a run folder's training, in a process or in a thread of an app."""

    def start(self, folder: Path, resume: bool) -> None:
        """Starts the training, or resumes it from its last checkpoint."""


# Two panes may steer one run from two threads: only one at a time may take the next number.
_NUMBERING = threading.Lock()


def cut_torn_command(folder: Path) -> None:
    """Removes an incomplete last line of control.jsonl; no thread of this process appends then."""
    with _NUMBERING:
        cut_torn_line(folder / records.CONTROL)


class ControlLog:
    """The commands and acknowledgements of control.jsonl, read as the file grows."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / records.CONTROL
        self._lines = JsonLines(self.path)
        self._size = -1
        self.commands: list[Command] = []
        self.acknowledgements: dict[int, Acknowledgement] = {}

    def refresh(self) -> list[Command]:
        """Reads the added lines and returns their commands; one `stat` if the size is unchanged.

        Returns no command twice, even if the file was restored to an earlier state.
        """
        try:
            size = os.stat(self.path).st_size
        except FileNotFoundError:
            return []
        except OSError:
            size = -2  # reading it tells why
        if size == self._size:
            return []
        self._size = size
        added = []
        lines = self._lines.read()
        known = {command.seq for command in self.commands} if self._lines.again else set()
        if self._lines.again:
            self.commands, self.acknowledgements = [], {}
        for line in lines:
            with suppress(ValueError):  # another program's line, or two torn lines joined
                if "ack" in line:
                    self._acknowledged(line)
                elif "seq" in line:
                    added.append(Command.from_line(line))
        self.commands += added
        return [command for command in added if command.seq not in known]

    def _acknowledged(self, line: Mapping[str, Any]) -> None:
        answer = from_json(Acknowledgement, {**line, "seq": line.get("ack")}, some=True)
        self.acknowledgements[answer.seq] = answer

    def unanswered(self) -> list[Command]:
        """Returns the commands that the run has not acknowledged, in order."""
        return [command for command in self.commands if command.seq not in self.acknowledgements]

    @property
    def is_started(self) -> bool:
        """Whether the last of all "start" and "stop" commands is "start"."""
        said = [command.name for command in self.commands if command.name in ("start", "stop")]
        return said[-1:] == ["start"]

    def acknowledge(
        self, command: Command, step: int, attempt: int, ok: bool = True, message: str = ""
    ) -> None:
        """Appends the answer to a command: done at `step`, or the reason why not."""
        line = {"ack": command.seq, "step": step, "attempt": attempt, "ok": ok, "message": message}
        append_line(self.path, line)
        self._acknowledged(line)


# Commands that do not change the run: programs that only watch it may give them, too.
LOOKS = ("probe", "record", "checkpoint")


class RunControl:
    """Steers the run in `folder`.

    Every command returns its sequence number; `acknowledgement` returns its result. Raises
    ValueError, with a remedy, for an invalid command, or if another program controls the run: see
    `core.training.claims`.
    """

    def __init__(self, folder: str | Path, launcher: Launcher | None = None) -> None:
        self.folder = Path(folder)
        self.launcher = launcher
        self._log = ControlLog(self.folder)

    def start(self, paused: bool = False, run: RunReader | None = None) -> int:
        """Starts training from the last checkpoint, or from the beginning if there is none.

        With `paused`, the run waits for a command before the first step. `run`: the run as just
        read; None: it is read here.
        """
        if self.launcher is None:
            raise ValueError(
                "this run was opened for steering only; give RunControl a launcher to start it"
            )
        reader = RunReader(self.folder) if run is None else run
        if reader.state in ("running", "paused"):
            raise ValueError(f"{reader.name} is {reader.state} already; pause or stop it instead")
        seq = self._send("start", {})
        if paused:
            self._send("pause", {})
        self.launcher.start(
            self.folder, resume=bool(reader.manifest["attempts"] or reader.checkpoints)
        )
        return seq

    def take_over(self) -> None:
        """Makes this program the run's controller; the previous one may only watch from now on."""
        claims.claim(self.folder)

    def release(self) -> None:
        """Gives up control of the run; the next program that steers it takes over."""
        claims.release(self.folder)

    def pause(self) -> int:
        """Pauses the run after the current step; its process stays alive."""
        return self._send("pause", {})

    def resume(self) -> int:
        """Continues after a pause."""
        return self._send("resume", {})

    def step(self, n: int = 1) -> int:
        """Runs n optimizer steps, then pauses."""
        return self._send("step", to_json(from_json(StepArguments, {"n": n})))

    def stop(self) -> int:
        """Finishes the current step, writes a checkpoint and ends. `start` continues from there."""
        return self._send("stop", {})

    def set(self, learning_rate: float) -> int:
        """Sets the next step's learning rate; the schedule keeps its shape from there on."""
        given = {"learning_rate": learning_rate}
        return self._send("set", to_json(from_json(SetArguments, given)))

    def checkpoint(self) -> int:
        """Writes a checkpoint after the current step."""
        return self._send("checkpoint", {})

    def probe(self, id: str, ids: Sequence[int], sites: Sequence[str] = ("attention",)) -> int:
        """Records the activations for `ids` at `sites` in probes/ID-step-000812.safetensors."""
        given = {"id": id, "ids": [int(i) for i in ids], "sites": list(sites)}
        return self._send("probe", to_json(from_json(ProbeArguments, given)))

    def record(self) -> int:
        """Records the intermediates of the next step: see `core.training.recording`."""
        return self._send("record", {})

    def fault(self, kind: str, rank: int, seconds: float = 0.1) -> int:
        """Makes a rank fail or slow down: see `core.training.faults`, which loads torch."""
        return self._send("fault", {"kind": kind, "rank": rank, "seconds": seconds})

    def acknowledgement(self, seq: int) -> Acknowledgement | None:
        """Returns the run's answer to command `seq`, or None before it has answered."""
        with _NUMBERING:
            self._log.refresh()
        return self._log.acknowledgements.get(seq)

    def _send(self, name: str, values: Mapping[str, Any]) -> int:
        if name not in LOOKS:
            other = claims.controller(self.folder)
            if other is not None and RunReader(self.folder).state in ("running", "paused"):
                raise ValueError(
                    f"{other} controls this run, and this program watches it: take over to steer it"
                )
            claims.claim(self.folder)
        with _NUMBERING:
            self._log.refresh()
            seq = max((command.seq for command in self._log.commands), default=0) + 1
            line = {"seq": seq, "command": name, **values, "time": time.time()}
            append_line(self._log.path, line)
            self._log.refresh()
        return seq
