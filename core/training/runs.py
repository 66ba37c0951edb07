"""Run folders: creating and branching them; their reader and writer."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from core.files import check_path, copy_file, names_in, read_json, write_json, writing
from core.tensor_files import write_tensors
from core.tensor_shards import remove_shards
from core.training import records
from core.training.config import TrainingConfig
from core.training.reader import Checkpoint, Probe, RunReader, Sample
from core.training.writer import RunWriter

__all__ = [
    "Checkpoint",
    "Probe",
    "RunReader",
    "RunWriter",
    "Sample",
    "branch",
    "check_goes_on",
    "create_run",
    "new_run_folder",
]

OF_PRECISION = ("precision", "loss_scale", "loss_scale_growth_interval")  # of a config


def create_run(
    folder: Path, config: TrainingConfig, parent: Mapping[str, Any] | None = None
) -> Path:
    """Turns `folder`, missing or empty, into the folder of a run that has not begun.

    Raises ValueError if it is not empty, OSError if it cannot be written.
    """
    check_path(folder)
    if os.path.lexists(folder) and (not os.path.isdir(folder) or any(folder.iterdir())):
        raise ValueError(f"{folder} is not empty; choose a new folder for the run")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    manifest = records.new_manifest(folder.name, config.to_json(), time.time(), parent)
    manifest["text"] = text_identity(config.corpus)
    records.write_manifest(folder, manifest)
    return folder


def text_identity(corpus: str) -> list[int] | None:
    """Returns [bytes, time of the last change in ns] of a run's text file; None for other corpora.

    Before a run's batches are drawn again, this shows whether the text is still the same.
    """
    try:
        found = Path(corpus).stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def new_run_folder(
    parent: str | Path,
    name: str,
    config: TrainingConfig,
    origin: Mapping[str, Any] | None = None,
) -> Path:
    """Creates a run folder named `name`, or "name-2", "name-3" ... if that is taken."""
    name = re.sub(r'[<>:"/\\|?*\x00-\x1f]', "-", name).strip(" .") or "run"
    number = 1
    while True:
        folder = Path(parent) / (name if number == 1 else f"{name}-{number}")
        try:
            with writing(folder):
                folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
            continue
        return create_run(folder, config, origin)


def check_goes_on(
    folder: Path, manifest: Mapping[str, Any], config: TrainingConfig | None, resume: bool
) -> TrainingConfig:
    """Returns the config of the run in a folder if training may continue in it; `config` is the
    requested one, None for the run's own.

    Raises ValueError, with a remedy, for another config, and for a run that has begun and is not to
    be resumed.
    """
    known = TrainingConfig.from_json(manifest["config"])
    if config is not None and (changed := config.changes_since(known)):
        raise ValueError(
            f"{folder} holds a run of another config: {', '.join(changed)}. A run keeps the config "
            f"it began with. To resume it as it is, give --run {folder} --resume without --config; "
            "to go on with changes, branch off a checkpoint ('Resume from here' in the app, "
            "core.training.branch in Python); or choose a new folder"
        )
    if manifest["attempts"] and not resume:
        raise ValueError(f"{folder} holds a run already; resume it, or choose a new folder")
    return known


def precision_twin(config: TrainingConfig, others: Iterable[Path]) -> Path | None:
    """Returns the first of other runs whose config differs only in precision, preferring fp32.
    Ignores folders that are not runs or cannot be read.
    """
    own = {name: getattr(config, name) for name in OF_PRECISION}
    twins: dict[str, Path] = {}
    for other in others:
        with suppress(ValueError, OSError):
            theirs = TrainingConfig.from_json(records.read_manifest(other)["config"])
            if theirs.precision != config.precision and theirs.change(own) == config:
                twins.setdefault(theirs.precision, other)
    return twins.get("fp32", next(iter(twins.values()), None))


def branch(
    run_folder: str | Path, step: int, changes: Mapping[str, Any], name: str | None = None
) -> Path:
    """Creates a run folder next to `run_folder` with its checkpoint of `step` and a changed config.

    A learning rate among the changes also overrides one set by a command. A new optimizer starts
    with an empty state, a new precision or loss scale with the config's own loss scale; a new seed
    changes the batches from here on, a new number of ranks the dropout.

    Raises ValueError if there is no such checkpoint, or a change is impossible.
    """
    reader = RunReader(run_folder)
    checkpoint = next((found for found in reader.checkpoints if found.step == step), None)
    if checkpoint is None:
        there = ", ".join(str(found.step) for found in reader.checkpoints) or "none yet"
        raise ValueError(f"{reader.name} has no checkpoint of step {step}; it has: {there}")
    config = reader.config.change(changes)
    if config.model != reader.config.model:
        raise ValueError("a branch continues the same model; start a new run to change its shape")
    if config.steps <= step:
        raise ValueError(f"the branch would end at step {config.steps}; give it more than {step}")
    origin = {"run": str(reader.folder.resolve()), "step": step}
    folder = new_run_folder(
        reader.folder.resolve().parent, name or f"{reader.name}-at-{step}", config, origin
    )
    target = folder / records.CHECKPOINTS / records.step_name(step)
    unfinished = target.with_name("." + target.name)
    try:
        _copy_whole(checkpoint.folder, unfinished)
        if "learning_rate" in changes:  # as planned from here on, even if a command had changed it
            _tell(unfinished, {"rate_scale": 1.0})
        if config.precision != reader.config.precision or "loss_scale" in changes:
            _tell(unfinished, {"scaler": {}})
        if config.optimizer != reader.config.optimizer:
            remove_shards(unfinished / records.OPTIMIZER_FILE)
            write_tensors(unfinished / records.OPTIMIZER_FILE, {}, {"format": "pt"})
            _tell(unfinished, {"optimizer": records.NEW_OPTIMIZER})
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _tell(checkpoint: Path, changes: Mapping[str, Any]) -> None:
    """Updates the checkpoint's training.json."""
    path = checkpoint / records.TRAINING_FILE
    write_json(path, {**read_json(path), **changes})


def _copy_whole(source: Path, target: Path) -> None:
    """Copies a checkpoint. Raises ValueError if it is deleted by thinning meanwhile."""
    gone = f"the checkpoint of step {records.step_of(source.name)} was removed meanwhile"
    names = names_in(source)
    try:
        target.mkdir(parents=True)
        for name in names:
            copy_file(source / name, target / name)
    except FileNotFoundError:
        names = []
    if not names:
        raise ValueError(f"{gone}; branch off another")
