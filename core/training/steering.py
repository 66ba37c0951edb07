"""The run's side of control.jsonl: new commands, and whether the run continues or waits."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from core.fields import from_json
from core.training.control import Command, ControlLog, StepArguments
from core.training.events import Moment
from core.training.parallel import Parallel

LEAVE = "leave"  # sent instead of commands by a rank that has been asked to end


class Steering:
    """Commands for one attempt of a run that begins after step `from_step`.

    A changed learning rate stays changed if a run is resumed from a checkpoint before the change:
    the log contains the step after which it took effect. One rank reads the log and answers; all
    carry out what it has read, at the same point of the loop.
    """

    def __init__(self, folder: Path, attempt: int, from_step: int, parallel: Parallel) -> None:
        self.log = ControlLog(folder)
        self.attempt = attempt
        self.parallel = parallel
        waiting: list[Command] = []
        held: list[tuple[int, Command]] = []
        if parallel.writes:
            self.log.refresh()
            waiting = self._for_this_attempt(from_step)
            held = self._applied_after(from_step)
        self.waiting = self._agreed(waiting)
        steps = parallel.agree([step for step, _ in held])
        commands = self._agreed([command for _, command in held])
        self.replay = {step: [command] for step, command in zip(steps, commands, strict=True)}
        self.remaining: int | None = None  # steps until the next pause
        self.paused = False
        self.stopping = False

    def _for_this_attempt(self, from_step: int) -> list[Command]:
        """Returns the unanswered commands since the last "start"; older ones are refused as too
        late. Without a start, the first attempt carries out all of them, and a later one none.
        """
        unanswered = self.log.unanswered()
        starts = [i for i, command in enumerate(unanswered) if command.name == "start"]
        first = starts[-1] if starts else 0 if self.attempt == 1 else len(unanswered)
        for command in unanswered[:first]:
            self.answer(command, from_step, False, "the run did not train when this was asked")
        return unanswered[first:]

    def _applied_after(self, from_step: int) -> list[tuple[int, Command]]:
        """Returns (step, `set` command) of earlier attempts that apply from `from_step` on.

        A rate set at step 6 applies from there; a change by an abandoned attempt at step 10 is
        dropped with its steps.
        """
        commands = {command.seq: command for command in self.log.commands}
        held: list[tuple[int, Command]] = []
        for answer in self.log.acknowledgements.values():  # in the order of the answers
            command = commands.get(answer.seq)
            if command is not None and command.name == "set" and answer.ok:
                held = [(step, older) for step, older in held if step < answer.step]
                held.append((answer.step, command))
        return [(step, command) for step, command in held if step >= from_step]

    def _refreshed(self) -> list[Command]:
        """Returns the new commands; if a rank has been asked to leave, stops all ranks instead."""
        new = self.log.refresh() if self.parallel.writes else []
        lines = [[command.seq, command.name, dict(command.values)] for command in new]
        leaving = LEAVE if self.parallel.leaving else ""
        told = self.parallel.first(json.dumps(lines) if lines else leaving)
        if told == LEAVE:
            self.stopping = True
            return []
        return [Command(*line) for line in json.loads(told)] if told else []

    def _agreed(self, commands: list[Command]) -> list[Command]:
        lines = [[command.seq, command.name, dict(command.values)] for command in commands]
        return [Command(*line) for line in self.parallel.agree(lines)]

    def drive(self, command: Command) -> bool:
        """Carries out a command that controls the run's progress; returns False for any other.

        Raises ValueError for invalid arguments.
        """
        match command.name:
            case "start":
                pass
            case "pause":
                self.paused, self.remaining = True, None
            case "resume":
                self.paused, self.remaining = False, None
            case "step":
                asked = from_json(StepArguments, command.values, "command", some=True)
                self.paused, self.remaining = False, asked.n
            case "stop":
                self.stopping = True
            case _:
                return False
        return True

    def waits(self) -> bool:
        """Returns whether the run waits here, between two steps, for a command to continue."""
        if self.remaining is not None and self.remaining <= 0:
            self.paused, self.remaining = True, None
        return self.paused and not self.stopping

    def step_done(self) -> None:
        """Counts down a step of those requested by "step"."""
        if self.remaining is not None:
            self.remaining -= 1

    def new_commands(self) -> list[Command]:
        """Returns the commands received since the last call, in order."""
        self.waiting += self._refreshed()
        found, self.waiting = self.waiting, []
        return found

    def until_stopped(
        self, looking: Generator[Moment, None, None]
    ) -> Generator[Moment, None, None]:
        """Yields the work due after a step, until the run is asked to stop."""
        with closing(looking):
            for moment in looking:
                yield moment
                self.waiting += self._refreshed()
                if self.stopping or any(command.name == "stop" for command in self.waiting):
                    return

    def answer(self, command: Command, step: int, ok: bool = True, message: str = "") -> None:
        """Acknowledges a command, once for all ranks."""
        if self.parallel.writes:
            self.log.acknowledge(command, step, self.attempt, ok, message)
