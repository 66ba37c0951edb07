"""Checks and messages for failed steps: where a NaN began, and which checkpoint is left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.files import not_written
from core.training import records
from core.training.config import TrainingConfig
from core.training.parallel import Parallel, own_part
from core.training.precision import precision_context
from core.training.task import Position, Task

CPU = torch.device("cpu")
PARAMETER = "the parameter"


class NotFiniteError(ValueError):
    """A number was NaN or infinite, so the run stopped. The message has step, place and remedy."""


def not_finite_message(
    step: int, where: str, loss: float, checkpoint: int, precision: str = "fp32"
) -> str:
    """Returns the message to the user: the first bad number, and where to resume from."""
    remedy = " with a lower learning rate"
    if where.startswith(PARAMETER):
        remedy = ": a weight was spoilt, by a defect of memory or by far too high a learning rate"
    elif precision == "fp16":
        remedy += ", or in bf16, which has the range of fp32"
    return (
        f"step {step}: {where} is not finite (loss {loss:.5g}). The run stopped before "
        f"this step changed anything; go on from the {_kept(checkpoint)}{remedy}"
    )


def disk_error(error: OSError, folder: Path, step: int, checkpoint: int) -> OSError:
    """Returns the same error for a run's folder, with the remedy and the last checkpoint."""
    cause = not_written(Path(error.filename or folder), error)
    message = (
        f"training stopped after step {step}: {cause}. Then resume: it continues from "
        f"the {_kept(checkpoint)}."
    )
    return OSError(error.errno, message)


@contextmanager
def naming_the_one_before(checkpoint: Path | None) -> Iterator[None]:
    """Adds to a ValueError from reading a checkpoint how to resume from the one before it."""
    try:
        yield
    except ValueError as error:
        before = checkpoint and _before(checkpoint)
        if checkpoint is None or before is None:
            raise
        raise ValueError(
            f"{error}; or move {checkpoint.name} out of {checkpoint.parent}: then the run goes on "
            f"from {before}"
        ) from error


def _before(checkpoint: Path) -> str | None:
    """Returns the name of the run's checkpoint before this one, or None for the first."""
    here = records.step_of(checkpoint.name) or 0
    found = {records.step_of(other.name): other.name for other in checkpoint.parent.iterdir()}
    earlier = [step for step in found if step is not None and step < here]
    return found[max(earlier)] if earlier else None


def _kept(checkpoint: int) -> str:
    return f"checkpoint of step {checkpoint}" if checkpoint >= 0 else "beginning"


@contextmanager
def seeded_dropout(seed: int, position: Position, device: torch.device = CPU) -> Iterator[None]:
    """Seeds a device's default torch generator for this micro-batch, and restores it afterwards.

    nn.Dropout takes no generator; this makes every draw a pure function of seed and position. Each
    rank draws different numbers, because its rows are different sequences.
    """
    key = [seed, position.step, position.micro_batch, position.rank]
    drawn = int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0]) >> 1
    generator = torch.default_generator
    if device.type == "cuda":
        index = torch.cuda.current_device() if device.index is None else device.index
        generator = torch.cuda.default_generators[index]
    before = generator.get_state()
    generator.manual_seed(drawn)
    try:
        yield
    finally:
        generator.set_state(before)


def find_not_finite(
    task: Task,
    model: nn.Module,
    batches: Sequence[tuple[Position, Any]],
    config: TrainingConfig,
    parallel: Parallel,
) -> str:
    """Returns what is not finite: the first such parameter, else module output, else gradient.

    If each of them is finite, a sum is not: the loss over the batch, else the norm of all
    gradients, whose squares overflow long before a gradient does.

    Runs the step's batches again with hooks; leaves no gradient and changes nothing. `model`: the
    unwrapped one. All ranks call it together, and each gets what the first of them found.
    """
    broken = [name for name, parameter in model.named_parameters() if not _finite(parameter)]
    on_rank = f" on rank {parallel.rank}" if parallel.ranks > 1 else ""
    if where := parallel.first(f"{PARAMETER} {broken[0]}{on_rank}" if broken else ""):
        return where
    found: list[str] = []
    whole = torch.zeros(())
    hooks = []
    for name, module in model.named_modules():
        hooks.append(module.register_forward_hook(_output_watcher(name or "the model", found)))
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            watcher = _gradient_watcher(name, found)
            hooks.append(parameter.register_post_accumulate_grad_hook(watcher))
    try:
        for position, batch in batches:
            with (
                torch.enable_grad(),
                seeded_dropout(config.seed, position, parallel.device),
                precision_context(config.precision, parallel.device),
            ):
                total = task.loss(model, batch)
            if not found and not _finite(total):
                found.append("the loss itself")
            if where := parallel.first(f"{found[0]}{on_rank}" if found else ""):
                return where
            (total / (max(task.targets(batch), 1) * len(batches))).backward()
            if where := parallel.first(f"{found[0]}{on_rank}" if found else ""):
                return where
            whole = whole + total.detach().to(whole)
        if where := parallel.first("" if _finite(whole) else "the loss, summed over the batch,"):
            return where
        return parallel.first(_gradient_norm(model))
    finally:
        for hook in hooks:
            hook.remove()
        model.zero_grad(set_to_none=True)


def first_overflow(model: nn.Module, parallel: Parallel) -> str:
    """Returns the first gradient in backward order that is not finite; "" if all are finite.

    An overflow spreads from there to every layer that the backward pass has yet to reach.
    Parameters are listed in forward order, so it is the last of them. All ranks call it together
    and get the same result.
    """
    names, overflowed = [], []
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            names.append(name)
            overflowed.append(float(not _finite(own_part(parameter.grad))))
    counts = parallel.sums(overflowed)
    broken = [name for name, count in zip(names, counts, strict=True) if count > 0]
    return f"the gradient of {broken[-1]}" if broken else ""


def _gradient_norm(model: nn.Module) -> str:
    """Names the norm of all gradients, and the parameter with the largest one."""
    sizes = {
        name: float(parameter.grad.abs().max())
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
    if not sizes:
        return "the gradient norm"
    largest = max(sizes, key=lambda name: sizes[name])
    return f"the gradient norm (largest: the gradient of {largest}, up to {sizes[largest]:.1e})"


def _finite(tensor: Tensor) -> bool:
    return bool(torch.isfinite(own_part(tensor.detach())).all())


def _output_watcher(name: str, found: list[str]) -> Any:
    def watch(module: nn.Module, inputs: Any, output: Any) -> None:
        if not found and isinstance(output, Tensor) and not _finite(output):
            found.append(f"the output of {name}")

    return watch


def _gradient_watcher(name: str, found: list[str]) -> Any:
    def watch(parameter: Tensor) -> None:
        if not found and parameter.grad is not None and not _finite(parameter.grad):
            found.append(f"the gradient of {name}")

    return watch
