"""Inspection of a model between two steps: its loss on a split, a sample of its text, its heads.

Each function opens its torch contexts between two yields, and restores the model's mode.
"""

from __future__ import annotations

import zlib
from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from core.inference.activations import looking_at
from core.jobs import retold
from core.training.events import Moment
from core.training.parallel import Parallel, on_device
from core.training.precision import precision_context
from core.training.task import Task, Written


def evaluate_steps(
    task: Task, model: nn.Module, precision: str, step: int, parallel: Parallel
) -> Generator[Moment, None, dict[str, float]]:
    """Yields after each batch; returns the mean loss per target of each split, in nats, and the
    task's other measurements.

    Each rank reads its rows of every batch; all ranks get the mean over all rows.
    """
    device = parallel.device
    sums: dict[str, list[float]] = {}
    for split in task.splits:
        for batch in task.evaluation(split, parallel.rank, parallel.ranks):
            moved = on_device(batch, device)
            with looking_at(model), precision_context(precision, device):
                measured = task.measure(split, model, moved)
                for name, (total, count) in measured.items():
                    before = sums.get(name, [0.0, 0.0])
                    sums[name] = [before[0] + float(total), before[1] + count]
            yield Moment("evaluate", step, True)
    means = {}
    for name, both in sums.items():
        total_of_all, count_of_all = parallel.sums(both)
        means[name] = total_of_all / max(count_of_all, 1)
    return means


def sample_steps(
    task: Task, model: nn.Module, seed: int, step: int
) -> Generator[Moment, None, Written]:
    """Yields after each token; returns the sample."""
    tokens = task.sample_steps(model, seed)
    return (yield from retold(tokens, lambda _: Moment("sample", step, True)))


def is_due(step: int, every: int) -> bool:
    """Returns True if something that is done every `every` steps (0: never) is due after `step`."""
    return every > 0 and step % every == 0


def sample_seed(seed: int, step: int) -> int:
    """Returns the seed of the sample at a step."""
    return zlib.crc32(f"{seed} {step}".encode())


def probe(
    task: Task, model: nn.Module, ids: Sequence[int] | None, sites: Sequence[str]
) -> dict[str, np.ndarray]:
    """Returns the model's activations for ids, by site; ids None: the task's probe text."""
    with torch.random.fork_rng(devices=[]):
        return task.probe(model, ids, sites)


def scored_heads(task: Task, model: nn.Module) -> dict[str, Any]:
    """Returns the event "heads": all heads' scores on the task's test, layer by layer, and the loss
    on repeats.
    """
    with torch.random.fork_rng(devices=[]):
        scores, loss = task.head_scores(model), task.loss_on_repeats(model)
    if scores is None:
        return {}
    told = {name: np.round(one, 4).ravel().tolist() for name, one in scores.by_name().items()}
    return told if loss is None else {**told, "loss_on_repeats": round(loss, 4)}


def as_picture(weights: np.ndarray) -> np.ndarray:
    """Returns attention weights from 0 to 1 as uint8 from 0 to 255."""
    return (weights * 255.0 + 0.5).astype(np.uint8)
