"""Steering a run: commands are lines of control.jsonl, and each is acknowledged there.

One way for a run in this process, in another, or on another machine. A command line is
{"seq": 3, "command": "set", "learning_rate": 1e-4, "time": ...}; the run answers at its next safe
point with {"ack": 3, "step": 812, "attempt": 1, "ok": true, "message": ""}. The file is therefore
also the log by which a run can be repeated.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from core.files import append_line, cut_torn_line, quoted
from core.training import records
from core.training.reader import JsonLines, RunReader


@dataclass(frozen=True, slots=True)
class Command:
    """One line of control.jsonl. `values` are its arguments."""

    seq: int
    name: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The run's answer. `step`: the last step that was done when the command took effect."""

    seq: int
    step: int
    attempt: int
    ok: bool
    message: str


class Launcher(Protocol):
    """Starts a run folder's training somewhere: a process, or a thread of an app."""

    def start(self, folder: Path, resume: bool) -> None: ...


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
            if isinstance(line.get("ack"), int):
                if all(isinstance(line.get(name, 0), int) for name in ("step", "attempt")):
                    self._acknowledged(line)
            elif isinstance(line.get("seq"), int):
                values = {k: v for k, v in line.items() if k not in ("seq", "command", "time")}
                added.append(Command(line["seq"], str(line.get("command")), values))
        self.commands += added
        return [command for command in added if command.seq not in known]

    def _acknowledged(self, line: Mapping[str, Any]) -> None:
        self.acknowledgements[line["ack"]] = Acknowledgement(
            line["ack"],
            int(line.get("step", 0)),
            int(line.get("attempt", 0)),
            bool(line.get("ok")),
            str(line.get("message", "")),
        )

    def unanswered(self) -> list[Command]:
        return [command for command in self.commands if command.seq not in self.acknowledgements]

    def acknowledge(
        self, command: Command, step: int, attempt: int, ok: bool = True, message: str = ""
    ) -> None:
        line = {"ack": command.seq, "step": step, "attempt": attempt, "ok": ok, "message": message}
        append_line(self.path, line)
        self._acknowledged(line)


class RunControl:
    """Steers the run in `folder`.

    Every command returns its sequence number; `acknowledgement` tells what came of it. Raises
    ValueError, with the remedy, for a command that cannot be.
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

    def pause(self) -> int:
        """Waits after the current step; the run stays alive."""
        return self._send("pause", {})

    def resume(self) -> int:
        """Goes on after a pause."""
        return self._send("resume", {})

    def step(self, n: int = 1) -> int:
        """Does n optimizer steps, then pauses."""
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ValueError(f"n must be a whole number of at least 1, not {n!r}")
        return self._send("step", {"n": n})

    def stop(self) -> int:
        """Finishes the current step, writes a checkpoint and ends. `start` goes on from there."""
        return self._send("stop", {})

    def set(self, learning_rate: float) -> int:
        """The learning rate from the next step on; the schedule keeps its shape from there."""
        check_learning_rate(learning_rate)
        return self._send("set", {"learning_rate": learning_rate})

    def checkpoint(self) -> int:
        """Writes a checkpoint after the current step."""
        return self._send("checkpoint", {})

    def probe(self, id: str, ids: Sequence[int], sites: Sequence[str] = ("attention",)) -> int:
        """Asks what the model does with `ids`; the answer is probes/ID-step-000812.safetensors."""
        records.check_probe_id(id)
        if not ids:
            raise ValueError("there is nothing to probe; give at least one token id")
        return self._send(
            "probe", {"id": id, "ids": [int(i) for i in ids], "sites": [str(s) for s in sites]}
        )

    def acknowledgement(self, seq: int) -> Acknowledgement | None:
        """What the run answered to command `seq`; None while it has not."""
        with _NUMBERING:
            self._log.refresh()
        return self._log.acknowledgements.get(seq)

    def _send(self, name: str, values: Mapping[str, Any]) -> int:
        with _NUMBERING:
            self._log.refresh()
            seq = max((command.seq for command in self._log.commands), default=0) + 1
            line = {"seq": seq, "command": name, **values, "time": time.time()}
            append_line(self._log.path, line)
            self._log.refresh()
        return seq


def check_learning_rate(value: object) -> float:
    """The value as a float. Raises ValueError when it cannot be a learning rate."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"the learning rate must be a number, not {quoted(value)}")
    if not math.isfinite(value) or value <= 0:
        raise ValueError(f"the learning rate {value} must be finite and above 0; 1e-3 is usual")
    return float(value)
