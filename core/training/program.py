"""Program: the module that `python -m` starts to train a run, one for each chapter that trains; and
`train`, which trains a run to the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.resources import data_folder
from core.training import records
from core.training.config import TrainingConfig
from core.training.control import RunControl
from core.training.events import Moment
from core.training.launch import ProcessLauncher
from core.training.requirements import check_requirements
from core.training.runs import RunReader, create_run, new_run_folder

if TYPE_CHECKING:
    from core.training.parallel import Parallel

Moments = Generator[Moment, None, None]


class Steps(Protocol):
    """Trains a run in a folder, as `train_steps` does."""

    def __call__(
        self,
        config: TrainingConfig | None,
        folder: str | Path,
        resume: bool = False,
        *,
        parallel: Parallel | None = None,
    ) -> Moments: ...


@dataclass(frozen=True, slots=True)
class Program:
    """The module that a run's processes start, and how it trains.

    check     raises ValueError or OSError, with a remedy, for a config that could not begin
    steps     returns the generator of a run; loads torch when called
    estimate  runs `--estimate` with the arguments; returns the exit code
    """

    module: str
    check: Callable[[TrainingConfig], None]
    steps: Callable[[], Steps]
    estimate: Callable[[Sequence[str]], int]


def _train_steps() -> Steps:
    from core.training.loop import train_steps

    return train_steps


def _estimate(arguments: Sequence[str]) -> int:
    from core.training.estimates.command import main

    return main(arguments)


TRAINING = Program("core.training", check_requirements, _train_steps, _estimate)


def train(
    config: TrainingConfig, folder: str | Path | None = None, program: Program = TRAINING
) -> RunReader:
    """Trains to the end and returns the run; `folder` None creates one among the user's runs.

    program  the program of the config's task

    Raises the errors of `train_steps`.
    """
    if folder is None:
        program.check(config)
        folder = new_run_folder(data_folder() / "runs", "run", config)
    if config.ranks > 1:
        return _train_on_ranks(config, Path(folder), program)
    for moment in program.steps()(config, folder):
        if moment.idle:
            time.sleep(moment.idle)
    return RunReader(folder)


def _train_on_ranks(config: TrainingConfig, folder: Path, program: Program) -> RunReader:
    """Trains in separate processes, which end with this one. Raises ValueError if they fail."""
    if not (folder / records.MANIFEST).exists():
        program.check(config)
        create_run(folder, config)
    launcher = ProcessLauncher(program.module, niceness=0)
    RunControl(folder, launcher).start()
    try:
        code = launcher.wait(folder)
    finally:
        launcher.terminate(folder)
    run = RunReader(folder)
    if code:
        raise ValueError(run.message or f"the run's processes ended with code {code}; see {folder}")
    return run
