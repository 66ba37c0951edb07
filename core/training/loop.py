"""The training loop: a generator that yields a Moment at every phase of every step.

It knows no task, no window and no thread. `attempt.py` is the loop itself.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

from core.training import records
from core.training.attempt import Attempt
from core.training.config import TrainingConfig
from core.training.events import Moment
from core.training.parallel import Parallel
from core.training.requirements import check_requirements
from core.training.runs import check_goes_on, create_run
from core.training.spans import STEP_PHASES
from core.training.strategies import strategy_for
from core.training.task import Task
from core.training.tasks import task_of


def train_steps(
    config: TrainingConfig | None,
    folder: str | Path,
    resume: bool = False,
    task: Task | None = None,
    parallel: Parallel | None = None,
) -> Generator[Moment, None, None]:
    """Trains, yielding at each phase; everything else about the run is written to `folder`.

    config    None: the one that the folder holds
    resume    go on from the folder's last checkpoint (from the beginning where there is none)
    task      None: the Task that the config names
    parallel  where it computes, on which device and with which ranks; None: alone, on the
              config's device, with the loss scaler that its precision needs

    Closing the generator writes a checkpoint of the last whole step; one of several ranks cannot do
    that without the others, and leaves the last one that was written. Raises ValueError, with the
    remedy, for what cannot be trained, NotFiniteError (a ValueError) when a loss or gradient is not
    finite, OSError when the disk fails. No file that was already written is harmed.
    """
    folder = Path(folder)
    parallel = parallel or _alone(config, folder)
    if parallel.writes and not (folder / records.MANIFEST).exists():
        if config is None:
            raise ValueError(f"{folder} is no run folder; give a config to start a run there")
        if task is None:
            check_requirements(config)
        create_run(folder, config)
    parallel.wait()
    manifest = records.read_manifest(folder)
    known = check_goes_on(folder, manifest, config, resume)
    if known.precision == "fp16" and not parallel.scales:
        raise ValueError("fp16 needs a loss scaler; give the strategy one, as build_scaler does")
    if task is None:
        task = task_of(known)
    run = Attempt(known, folder, task, parallel)
    with closing(run.moments()) as moments:
        begun = parallel.spans.mark()
        for moment in moments:
            run.busy += time.perf_counter() - run.mark
            run.show_life()
            if moment.phase in STEP_PHASES:
                parallel.spans.add(moment.phase, begun, parallel.spans.mark())
            if moment.safe:
                parallel.spans.step = 0
            yield moment
            run.mark = time.perf_counter()
            begun = parallel.spans.mark()


def _alone(config: TrainingConfig | None, folder: Path) -> Parallel:
    """This process, where the run needs no other."""
    if config is None:
        config = TrainingConfig.from_json(records.read_manifest(folder)["config"])
    if config.ranks > 1:
        raise ValueError(
            f"a run of {config.ranks} ranks needs a process for each; start it by core.train, or "
            f"by python -m core.training --run {folder}"
        )
    return strategy_for(config, None)
