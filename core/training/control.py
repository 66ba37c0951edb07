"""Steering a run: commands are lines of control.jsonl, and each is acknowledged there.

One way for a run in this process, in another, or on another machine. A command line is
{"seq": 3, "command": "set", "learning_rate": 1e-4, "time": ...}; the run answers at its next safe
point with {"ack": 3, "step": 812, "attempt": 1, "ok": true, "message": ""}. The file is therefore
also the log by which a run can be repeated.
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
    """One line of control.jsonl. `values` are its arguments."""

    seq: int = field(least=0)
    name: str = field()
    values: Mapping[str, Any] = field(factory=dict, reader=lambda given: as_object(given, "values"))

    @classmethod
    def from_line(cls, line: Mapping[str, Any]) -> Command:
        """Raises ValueError where it has no number; a name that is no text is unknown to all."""
        seq = fields_of(cls)["seq"].read(line.get("seq"))
        name = line.get("command")
        values = {k: v for k, v in line.items() if k not in ("seq", "command", "time")}
        return cls(seq, name if isinstance(name, str) else quoted(name), values)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The run's answer. `step`: the last step that was done when the command took effect."""

    seq: int = field(least=0)
    step: int = field(0, least=0)
    attempt: int = field(0, least=0)
    ok: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True)
class StepArguments:
    """Of the command `step`: how many optimizer steps it asks for."""

    n: int = field(1, least=1)


@dataclass(frozen=True, slots=True)
class ProbeArguments:
    """Of the command `probe`: what the answer is called, the token ids, and what to look at."""

    id: str = field(reader=records.check_probe_id)
    ids: tuple[int, ...] = field(least=0, shortest=1, remedy="give at least one token id")
    sites: tuple[str, ...] = ("attention",)


@dataclass(frozen=True, slots=True)
class SetArguments:
    """Of the command `set`: the learning rate from the next step on."""

    learning_rate: float = field(above=0, remedy="1e-3 is usual")


class Launcher(Protocol):
    """Starts a run folder's training somewhere: a process, or a thread of an app."""

    def start(self, folder: Path, resume: bool) -> None:
        """Starts the training, or resumes it from its last checkpoint."""


# Two panes may steer one run from two threads: the next number is read and taken in one go.
_NUMBERING = threading.Lock()


def cut_torn_command(folder: Path) -> None:
    """Removes a last line that has no end, while nobody here adds one."""
    with _NUMBERING:
        cut_torn_line(folder / records.CONTROL)


class ControlLog:
    """control.jsonl as commands and acknowledgements, read as it grows."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / records.CONTROL
        self._lines = JsonLines(self.path)
        self._size = -1
        self.commands: list[Command] = []
        self.acknowledgements: dict[int, Acknowledgement] = {}

    def refresh(self) -> list[Command]:
        """Reads what was added, and returns the commands in it. One `stat` when nothing was.

        No command is returned twice, though the file was put back as it had been.
        """
        try:
            size = os.stat(self.path).st_size
        except FileNotFoundError:
            return []
        if size == self._size:
            return []
        self._size = size
        added = []
        lines = self._lines.read()
        known = {command.seq for command in self.commands} if self._lines.again else set()
        if self._lines.again:
            self.commands, self.acknowledgements = [], {}
        for line in lines:
            with suppress(ValueError):  # of another hand, or two torn lines that became one
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
        """The commands that the run has not acknowledged, in order."""
        return [command for command in self.commands if command.seq not in self.acknowledgements]

    @property
    def is_started(self) -> bool:
        """Whether "start" came last of all "start" and "stop" commands."""
        said = [command.name for command in self.commands if command.name in ("start", "stop")]
        return said[-1:] == ["start"]

    def acknowledge(
        self, command: Command, step: int, attempt: int, ok: bool = True, message: str = ""
    ) -> None:
        """Appends the answer to a command: done at `step`, or why not."""
        line = {"ack": command.seq, "step": step, "attempt": attempt, "ok": ok, "message": message}
        append_line(self.path, line)
        self._acknowledged(line)


# Commands that only look at a run: a program that watches it may give them, too.
LOOKS = ("probe", "record", "checkpoint")


class RunControl:
    """Steers the run in `folder`.

    Every command returns its sequence number; `acknowledgement` tells what came of it. Raises
    ValueError, with the remedy, for a command that cannot be, and for one that steers a run which
    another program controls: see `core.training.claims`.
    """

    def __init__(self, folder: str | Path, launcher: Launcher | None = None) -> None:
        self.folder = Path(folder)
        self.launcher = launcher
        self._log = ControlLog(self.folder)

    def start(self, paused: bool = False) -> int:
        """Trains on from the last checkpoint, or from the beginning where there is none.

        `paused` waits for a command before the first step.
        """
        if self.launcher is None:
            raise ValueError(
                "this run was opened for steering only; give RunControl a launcher to start it"
            )
        reader = RunReader(self.folder)
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
        """From now on this program controls the run, and the one that did so watches."""
        claims.claim(self.folder)

    def release(self) -> None:
        """This program controls the run no longer; the next that steers it does."""
        claims.release(self.folder)

    def pause(self) -> int:
        """Waits after the current step; the run stays alive."""
        return self._send("pause", {})

    def resume(self) -> int:
        """Goes on after a pause."""
        return self._send("resume", {})

    def step(self, n: int = 1) -> int:
        """Does n optimizer steps, then pauses."""
        return self._send("step", to_json(from_json(StepArguments, {"n": n})))

    def stop(self) -> int:
        """Finishes the current step, writes a checkpoint and ends. `start` goes on from there."""
        return self._send("stop", {})

    def set(self, learning_rate: float) -> int:
        """The learning rate from the next step on; the schedule keeps its shape from there."""
        given = {"learning_rate": learning_rate}
        return self._send("set", to_json(from_json(SetArguments, given)))

    def checkpoint(self) -> int:
        """Writes a checkpoint after the current step."""
        return self._send("checkpoint", {})

    def probe(self, id: str, ids: Sequence[int], sites: Sequence[str] = ("attention",)) -> int:
        """Asks what the model does with `ids`; the answer is probes/ID-step-000812.safetensors."""
        given = {"id": id, "ids": [int(i) for i in ids], "sites": list(sites)}
        return self._send("probe", to_json(from_json(ProbeArguments, given)))

    def record(self) -> int:
        """Asks for the next step to be recorded from the inside: see `core.training.recording`."""
        return self._send("record", {})

    def fault(self, kind: str, rank: int, seconds: float = 0.1) -> int:
        """Lets something go wrong with a rank: see `core.training.faults`, which loads torch."""
        return self._send("fault", {"kind": kind, "rank": rank, "seconds": seconds})

    def acknowledgement(self, seq: int) -> Acknowledgement | None:
        """What the run answered to command `seq`; None while it has not."""
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
