"""The training loop: a generator that yields a Moment at every phase of every step.

It depends on no task, window or thread. `attempt.py` is the loop itself.
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
    """Trains and yields at each phase; everything else about the run is written to `folder`.

    config    None: the folder's config
    resume    continue from the folder's last checkpoint (from the beginning if there is none)
    task      None: the Task named in the config
    parallel  the device and the ranks on which it computes; None: one process, on the config's
              device, with the loss scaler that its precision needs

    Closing the generator writes a checkpoint of the last whole step. One of several ranks cannot do
    that without the others; the last written one remains. Raises ValueError, with a remedy, if the
    run cannot be trained, NotFiniteError (a ValueError) if a loss or gradient is not finite,
    OSError if the disk fails. Files that were already written stay intact.
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
    """Returns the strategy of a run in this process alone; ValueError if it has several ranks."""
    if config is None:
        config = TrainingConfig.from_json(records.read_manifest(folder)["config"])
    if config.ranks > 1:
        raise ValueError(
            f"a run of {config.ranks} ranks needs a process for each; start it by core.train, or "
            f"by python -m core.training --run {folder}"
        )
    return strategy_for(config, None)
