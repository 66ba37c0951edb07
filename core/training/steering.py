"""The run's end of control.jsonl: which commands are new, which belong to an earlier attempt."""

from __future__ import annotations

from pathlib import Path

from core.training.control import Command, ControlLog


class Steering:
    """Commands for one attempt of a run that begins after step `from_step`.

    A changed learning rate stays changed when a run is resumed from a checkpoint before the change:
    the log says after which step it took effect.
    """

    def __init__(self, folder: Path, attempt: int, from_step: int) -> None:
        self.log = ControlLog(folder)
        self.attempt = attempt
        self.log.refresh()
        self.waiting = self._for_this_attempt(from_step)
        self.replay = self._applied_after(from_step)

    def _for_this_attempt(self, from_step: int) -> list[Command]:
        """Unanswered commands from the last "start" on; older ones came too late and are
        refused.
        """
        unanswered = self.log.unanswered()
        if self.attempt == 1:
            return unanswered
        starts = [i for i, command in enumerate(unanswered) if command.name == "start"]
        first = starts[-1] if starts else len(unanswered)
        for command in unanswered[:first]:
            self.answer(command, from_step, False, "the run had ended before it could do this")
        return unanswered[first:]

    def _applied_after(self, from_step: int) -> dict[int, list[Command]]:
        """By step: `set` commands that earlier attempts obeyed after it."""
        again: dict[int, list[Command]] = {}
        for command in self.log.commands:
            answer = self.log.acknowledgements.get(command.seq)
            if command.name == "set" and answer and answer.ok and answer.step >= from_step:
                again.setdefault(answer.step, []).append(command)
        return again

    def new_commands(self) -> list[Command]:
        """Commands that have come since the last call, in order."""
        self.waiting += self.log.refresh()
        found, self.waiting = self.waiting, []
        return found

    def answer(self, command: Command, step: int, ok: bool = True, message: str = "") -> None:
        self.log.acknowledge(command, step, self.attempt, ok, message)
