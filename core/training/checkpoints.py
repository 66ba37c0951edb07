"""Checkpoints: a folder with everything that a run needs to go on exactly as if it had not stopped.

    config.json model.safetensors tokenizer.json    the model, readable by itself
    optimizer.safetensors                           "h.0.attn.c_attn.weight/exp_avg" ...
    training.json                                   step, seed, changes made by commands, loss
                                                    scale; of a branch also whether its optimizer is
                                                    new

Where a Task trains a few tensors of a model alone, model.safetensors holds only these, and
config.json says which model they lie on. Several ranks write one checkpoint together: where each
holds a part of the model only, as shards of the two files (see `core.tensor_shards`). Any number of
ranks, and one process, goes on from either.

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
from core.files import read_json, write_json
from core.tensor_shards import are_stored
from core.training import records
from core.training.optimizers import state_names
from core.training.parallel import Parallel
from core.training.task import Task

FORMAT = 1
MODEL_FILE = "model.safetensors"
OPTIMIZER_FILE = records.OPTIMIZER_FILE


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is, apart from its tensors.

    step        optimizer steps tried; with the seed, also the RNG state and the data position
    seed        the config's while these steps were trained; a branch may go on with another
    tokens      read so far
    rate_scale  the schedule's rates times this, changed by the command `set`
    looked      False: the evaluation, sample and probe due after this step are still to come
    optimizer   "new": the branch has another one than its parent, which remembers nothing yet
    skipped     steps of those tried that a loss scaler skipped; the schedule counts the others
    scaler      what the strategy keeps of its loss scale, by name
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
        """Steps that moved the weights."""
        return self.step - self.skipped


def checkpoint_folder(run: Path, step: int) -> Path:
    """The folder of a run's checkpoint of a step."""
    return run / records.CHECKPOINTS / records.step_name(step)


def latest_checkpoint(run: Path) -> Path | None:
    """The run's checkpoint of the largest step; None when it has none."""
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
    """Writes a checkpoint beside its place and renames it: a reader sees all of it or nothing.

    Every rank comes here. Raises OSError when the disk fails; older checkpoints are as they were.
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
            old = _set_aside(target) if target.exists() else None  # of an older attempt
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
    """Renames it to what no reader looks at: it is there whole, or not at all."""
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
    """Puts a checkpoint's tensors into the model and the optimizer, its loss scale into the
    strategy; returns where the run was.

    Raises ValueError, with the remedy, for a file that is missing, cut off, a pickle in disguise or
    of another model.
    """
    progress = read_progress(folder)
    for name in (MODEL_FILE, OPTIMIZER_FILE):
        if not are_stored(folder / name):
            raise ValueError(
                f"{folder} holds no {name}; delete the folder to go on from the checkpoint before"
            )
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
    """What training.json says. Raises ValueError when it is missing or damaged."""
    path = folder / records.TRAINING_FILE
    if not path.exists():
        raise ValueError(
            f"{folder} cannot be continued: it holds no {records.TRAINING_FILE}; go on from "
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
    """Every tensor that the optimizer remembers, under its parameter's full name."""
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
    """The inverse. Raises ValueError where a tensor is missing, surplus or of another shape."""
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
    """By the id of each parameter that is trained: the names of its state."""
    return {
        id(parameter): state_names(optimizer, group)
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


def _count_devices(optimizer: torch.optim.Optimizer) -> dict[int, torch.device]:
    """By the id of each trained parameter: where its count of steps lies.

    torch's fused optimizers keep it beside the parameter, all others on the CPU.
    """
    cpu = torch.device("cpu")
    return {
        id(parameter): parameter.device if group.get("fused") else cpu
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


def thin_checkpoints(run: Path, keep: int) -> list[int]:
    """Deletes checkpoints until `keep` are left (0: all stay); returns the steps of those deleted.

    The first and the two newest stay, whatever `keep` says; of the others goes the one whose
    neighbors are closest, so that those left lie spread over the run.
    """
    steps = list(records.checkpoints_of(run))
    gone = []
    while keep and len(steps) > max(keep, 3):
        inner = range(1, len(steps) - 2)
        index = min(inner, key=lambda i: steps[i + 1] - steps[i - 1])
        gone.append(steps.pop(index))
    for step in gone:
        with suppress(OSError):  # where a reader has a file of it open: thinned the next time
            _set_aside(checkpoint_folder(run, step))
    for old in (run / records.CHECKPOINTS).glob(".step-*.old"):
        shutil.rmtree(old, ignore_errors=True)
    return gone
