"""Checkpoints: a folder with everything that a run needs to resume exactly where it stopped.

    config.json model.safetensors tokenizer.json    the model, readable by itself
    optimizer.safetensors                           "h.0.attn.c_attn.weight/exp_avg" ...
    training.json                                   step, seed, changes made by commands, loss
                                                    scale; for a branch also whether its optimizer
                                                    is new

If a Task trains only a few tensors of a model, model.safetensors holds only these, and config.json
names the model to which they belong. Several ranks write one checkpoint together, as shards of the
two files if each holds only a part of the model (see `core.tensor_shards`). Any number of ranks,
including one process, can resume from either form.

A batch, a dropout mask and a sample are pure functions of (seed, step, micro-batch, rank): the
seed and the step are the whole RNG state and data position. Nothing is ever unpickled.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from core import fields
from core.fields import field
from core.files import named, read_json, write_json
from core.tensor_shards import OWN_TYPES, are_stored, open_tensors
from core.training import records
from core.training.optimizers import state_names
from core.training.parallel import Parallel
from core.training.task import Task

FORMAT = 1
MODEL_FILE = "model.safetensors"
OPTIMIZER_FILE = records.OPTIMIZER_FILE


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a run, apart from its tensors.

    step        optimizer steps tried; with the seed, also the RNG state and the data position
    seed        the config's seed during these steps; a branch may continue with another
    tokens      tokens read so far
    rate_scale  factor of the schedule's learning rates, changed by the command `set`
    looked      False: the evaluation, sample and probe due after this step are still to come
    optimizer   "new": the branch has another optimizer than its parent, with no state yet
    skipped     tried steps that a loss scaler skipped; the schedule counts the others
    scaler      the strategy's loss-scale state, by name
    """

    step: int = field(least=0)
    seed: int = field(least=0)
    tokens: int = field(0, least=0)
    rate_scale: float = field(1.0, above=0)
    looked: bool = True
    optimizer: str = field("", choices=("", records.NEW_OPTIMIZER))
    skipped: int = field(0, least=0)
    scaler: Mapping[str, float] = field(factory=dict)

    def __post_init__(self) -> None:
        if self.skipped > self.step:
            raise ValueError(f"skipped {self.skipped} of {self.step} steps cannot be")

    @property
    def applied(self) -> int:
        """Number of steps that moved the weights."""
        return self.step - self.skipped


def checkpoint_folder(run: Path, step: int) -> Path:
    """Returns the folder of a run's checkpoint of a step."""
    return run / records.CHECKPOINTS / records.step_name(step)


def latest_checkpoint(run: Path) -> Path | None:
    """Returns the run's checkpoint of the largest step, or None if it has none."""
    found = records.checkpoints_of(run)
    return found[max(found)] if found else None


def save_checkpoint(
    run: Path,
    progress: Progress,
    task: Task,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    parallel: Parallel,
) -> Path:
    """Writes a checkpoint to a temporary folder and renames it: readers see all of it or nothing.

    Every rank must call it. Raises OSError if the disk fails; older checkpoints stay unchanged.
    """
    target = checkpoint_folder(run, progress.step)
    work = target.with_name(f".{target.name}.part")
    if parallel.writes:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
    parallel.wait()
    try:
        remembered = optimizer_tensors(model, optimizer)
        parallel.write(work, {MODEL_FILE: task.state_to_save(model), OPTIMIZER_FILE: remembered})
        parallel.wait()
        if parallel.writes:
            task.save_files(model, work)
            values = fields.to_json(progress)
            if not progress.optimizer:
                del values["optimizer"]
            write_json(work / records.TRAINING_FILE, {"format": FORMAT, **values})
            old = _set_aside(target) if target.exists() else None  # from an older attempt
            os.replace(work, target)
            if old is not None:
                shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        if parallel.writes:
            shutil.rmtree(work, ignore_errors=True)
        raise
    parallel.wait()
    return target


def _set_aside(checkpoint: Path) -> Path:
    """Renames a checkpoint to a name that readers ignore: they see all of it or nothing."""
    old = checkpoint.with_name(f".{checkpoint.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    os.replace(checkpoint, old)
    return old


def load_checkpoint(
    folder: Path,
    task: Task,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    parallel: Parallel,
) -> Progress:
    """Loads a checkpoint's tensors into the model and the optimizer, and its loss scale into the
    strategy; returns the run's progress.

    Raises ValueError, with a remedy, if a file is missing, truncated, a pickle in disguise or of
    another model.
    """
    progress = read_progress(folder)
    for name in (MODEL_FILE, OPTIMIZER_FILE):
        if not are_stored(folder / name):
            raise ValueError(
                f"{folder} holds no {name}; delete the folder to go on from the checkpoint before"
            )
    open_tensors(folder / MODEL_FILE).check_types()
    open_tensors(folder / OPTIMIZER_FILE).check_types((*OWN_TYPES, "I64"))  # some count their steps
    task.load_state(model, parallel.read(folder / MODEL_FILE, task.state_to_save(model)))
    remembered = _remembered(optimizer)
    layout = {
        f"{name}/{key}": parameter
        for name, parameter in model.named_parameters()
        for key in remembered.get(id(parameter), ())
        if key != "step"
    }
    tensors = parallel.read(folder / OPTIMIZER_FILE, layout)
    fresh = progress.applied == 0 or progress.optimizer == records.NEW_OPTIMIZER
    if tensors or not fresh:
        restore_optimizer(model, optimizer, tensors)
    parallel.restore(progress.scaler)
    return progress


def read_progress(folder: Path) -> Progress:
    """Reads training.json. Raises ValueError, with a remedy, if it is missing or damaged."""
    path = folder / records.TRAINING_FILE
    if not os.path.exists(path):
        raise ValueError(
            f"{named(folder)} cannot be continued: it holds no {records.TRAINING_FILE}; go on from "
            "another checkpoint"
        )
    try:
        values = read_json(path)
    except ValueError as error:
        raise ValueError(f"{error}; or go on from another checkpoint") from error
    try:
        return fields.from_json(Progress, values, "progress of a run", FORMAT, remedy="")
    except ValueError as error:
        raise ValueError(
            f"{path}: {error}; restore it, or go on from another checkpoint"
        ) from error


def optimizer_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Returns every tensor of the optimizer's state, under its parameter's full name."""
    remembered = _remembered(optimizer)
    return {
        f"{name}/{key}": optimizer.state[parameter][key]
        for name, parameter in model.named_parameters()
        if parameter in optimizer.state
        for key in remembered[id(parameter)]
    }


def restore_optimizer(
    model: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]
) -> None:
    """The inverse of `optimizer_tensors`. Raises ValueError, with a remedy, if a tensor is missing,
    surplus or of another shape.
    """
    remembered = _remembered(optimizer)
    devices = _count_devices(optimizer)
    parameters = {n: p for n, p in model.named_parameters() if id(p) in remembered}
    wanted = {f"{name}/{key}" for name, p in parameters.items() for key in remembered[id(p)]}
    if wanted and not tensors:
        raise ValueError(
            f"{OPTIMIZER_FILE} is empty, the run would go on as another; delete the folder to go "
            "on from the checkpoint before"
        )
    if differing := sorted(wanted ^ set(tensors)):
        raise ValueError(
            f"{OPTIMIZER_FILE} belongs to another model: {differing[0]} differs; "
            "continue the run with its own config"
        )
    for name, parameter in parameters.items():
        state = {key: tensors[f"{name}/{key}"] for key in remembered[id(parameter)]}
        for key, value in state.items():
            if key == "step":
                state[key] = value.to(devices[id(parameter)])
            elif value.shape != parameter.shape:
                raise ValueError(
                    f"{OPTIMIZER_FILE}: {name} has shape {tuple(value.shape)}, the model's "
                    f"{tuple(parameter.shape)}; continue the run with its own config"
                )
        optimizer.state[parameter] = state


def _remembered(optimizer: torch.optim.Optimizer) -> dict[int, tuple[str, ...]]:
    """Returns the names of each trained parameter's state, by the parameter's id."""
    return {
        id(parameter): state_names(optimizer, group)
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


def _count_devices(optimizer: torch.optim.Optimizer) -> dict[int, torch.device]:
    """Returns the device of each trained parameter's step count, by the parameter's id.

    torch's fused optimizers keep it on the parameter's device, all others on the CPU.
    """
    cpu = torch.device("cpu")
    return {
        id(parameter): parameter.device if group.get("fused") else cpu
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


def thin_checkpoints(run: Path, keep: int) -> list[int]:
    """Deletes checkpoints until `keep` are left (0: all stay); returns the deleted steps.

    The first and the two newest always stay; of the others, the one whose neighbors are closest
    is deleted first, so that the rest stays spread over the run.
    """
    steps = list(records.checkpoints_of(run))
    gone = []
    while keep and len(steps) > max(keep, 3):
        inner = range(1, len(steps) - 2)
        index = min(inner, key=lambda i: steps[i + 1] - steps[i - 1])
        gone.append(steps.pop(index))
    for step in gone:
        with suppress(OSError):  # a reader may have a file of it open: deleted the next time
            _set_aside(checkpoint_folder(run, step))
    for old in (run / records.CHECKPOINTS).glob(".step-*.old"):
        shutil.rmtree(old, ignore_errors=True)
    return gone
