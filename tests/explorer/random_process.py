"""`python -m tests.explorer.random_process SEED COUNT FOLDER`: random actions in their own process.

Ends with 1, and says what happened, at the first error that nobody expects and at the first warning
of Qt or of the program. Each action that is done is a line of stderr: what a crash came after.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import traceback
from pathlib import Path

import qasync

from explorer import theme
from explorer.app import ExplorerApp
from explorer.engine import errors
from tests.explorer.demo import tiny_training
from tests.explorer.random_actions import RandomActions, sitting

UNHANDLED = ("the window", "background work")  # what Hooks and tasks call them


class Warnings(logging.Handler):
    """Keeps what is logged as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != errors.__name__:  # reported errors are looked at one by one
            self.found.append(logging.Formatter().format(record))  # with its traceback


def unexpected() -> list[str]:
    """Errors that are no answer to what was typed or opened, or that nothing in the app handled."""
    return [
        f"{problem.where}: {problem.details}"
        for problem in errors.reports().problems.values()
        if problem.title == errors.title_of(RuntimeError()) or problem.where in UNHANDLED
    ]


async def act_at_random(seed: int, count: int, folder: Path) -> str:
    """Opens the window and a finished run in it, and does `count` things; returns what went wrong,
    "" for nothing.
    """
    from core.training import new_run_folder, train_steps

    warnings = Warnings()
    logging.getLogger().addHandler(warnings)
    config = tiny_training()
    run = new_run_folder(folder / "runs", "tiny", config)
    for _ in train_steps(config, run):
        pass
    async with sitting(folder, run) as session:
        actions = RandomActions(session, seed)
        for number in range(count):
            done = await actions.act()
            print(f"action {number}: {done}", file=sys.stderr)
            if found := unexpected() + warnings.found:
                return f"seed {seed}, action {number}, {done}, after {list(actions.last)}: {found}"
        actions.close()
    return "".join(unexpected() + warnings.found)


def main(arguments: list[str]) -> None:
    seed, count, folder = int(arguments[0]), int(arguments[1]), Path(arguments[2])
    app = ExplorerApp(sys.argv[:1])
    theme.apply(app, "light", 1.0, "full")
    errors.Hooks().install()
    with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
        try:
            told = runner.run(act_at_random(seed, count, folder))
        except Exception:  # the hooks would keep it for a card that nobody sees
            told = traceback.format_exc()
    for problem in errors.reports().problems.values():
        print(f"card: {problem.where}: {problem.details[-1500:]}", file=sys.stderr)
    print(told or f"seed {seed}: {count} actions", flush=True)
    os._exit(1 if told else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
