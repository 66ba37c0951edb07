"""Program: what `python -m` starts to train a run. Each chapter that trains has one."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core.training.config import TrainingConfig
from core.training.events import Moment
from core.training.requirements import check_requirements

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
    """Which module a run's processes start, and how it trains.

    check   refuses a config that could not begin: ValueError or OSError, with the remedy
    steps   the generator of a run; torch is loaded when it is asked for
    """

    module: str
    check: Callable[[TrainingConfig], None]
    steps: Callable[[], Steps]


def _train_steps() -> Steps:
    from core.training.loop import train_steps

    return train_steps


TRAINING = Program("core.training", check_requirements, _train_steps)
