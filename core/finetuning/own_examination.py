"""All there is to see in one matrix of a model that was tuned without an adapter: full fine-tuning,
its last layers, its head, or its biases alone.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.finetuning.adapter import adapters_of
from core.finetuning.analysis import Strength
from core.finetuning.examination import (
    Examination,
    Focus,
    captured_by,
    checkpoints_beside,
    examine_steps,
    heads_steps,
    numbers_at,
    shown_step,
)
from core.finetuning.loading import tuned_of
from core.finetuning.methods import Tuning
from core.finetuning.scales import at_scales
from core.finetuning.soft_prompt import nearest_tokens
from core.finetuning.spectrum import dense_spectrum
from core.finetuning.tuned_trace import trace_tuned
from core.inference.activations import to_array
from core.jobs import to_the_end
from core.tensor_shards import open_tensors
from core.transformer.gpt import GPT
from core.transformer.weights import WEIGHTS_FILE

MOST_COMPARED = 16  # of W's strongest directions


def examine_own(model: GPT, ids: Sequence[int], focus: Focus | None = None) -> Examination:
    """Looks into one matrix of a model that `core.load` opened, and leaves it as it is; with the
    arguments of `examine`. Of BitFit it is a bias, as a matrix (out, 1).

    Raises ValueError, with the remedy, for a model whose own numbers were not tuned, and as
    `trace_tuned` does.
    """
    return to_the_end(examine_own_steps(model, ids, focus))


def examine_own_steps(
    model: GPT, ids: Sequence[int], focus: Focus | None = None
) -> Generator[None, None, Examination]:
    """`examine_own`, as a job that can be closed. At each yield the model is as it was."""
    focus, tuned = focus or Focus(), tuned_of(model)
    if tuned is None or not (kind := own_kind(model, tuned.tuning)):
        raise ValueError(
            "none of this model's own matrices was tuned; open one that was tuned by full "
            "fine-tuning, its last layers, its head or BitFit"
        )
    own, tuning = own_numbers(model, tuned.tuning, kind), tuned.tuning
    with at_scales({tuning: 0.0}):
        before = {key: one.detach().clone() for key, one in own.items()}
    yield
    places = checkpoints_beside(Path(focus.folder))
    step = shown_step(focus, places)
    stored = {at: open_tensors(place / WEIGHTS_FILE) for at, place in places.items()}
    numbers = {} if step is None else stored[step].read(list(own))
    yield

    strong = []
    for key in own:
        with numbers_at(model, {key: numbers[key]} if numbers else {}):
            strong.append(_strength(key, before[key], own[key]))
        yield
    name = focus.name
    if f"{name}.{kind}" not in own:
        name = max(strong, key=lambda one: one.ratio).name
    key = f"{name}.{kind}"
    with numbers_at(model, numbers):
        trace = trace_tuned(model, ids, name, before, focus.position)
        delta = _as_matrix(own[key].detach().float() - before[key].float())
    yield
    heads = yield from heads_steps(model, ids, focus, numbers, tuning)
    weight, spectrum = _as_matrix(before[key].float()), dense_spectrum(delta)
    yield
    captured = captured_by(spectrum, weight, MOST_COMPARED)
    yield
    history = []
    for one in stored.values():
        change = _as_matrix(one.read([key])[key].float() - before[key].float())
        history.append(torch.linalg.svdvals(change).numpy())
        yield
    return Examination(
        name,
        strong,
        heads,
        trace,
        to_array(weight).copy(),
        to_array(delta).copy(),
        spectrum,
        None,
        captured,
        tuple(places),
        step,
        np.array(history),
        None,
        None,
    )


def look_inside_steps(
    model: GPT, ids: Sequence[int], focus: Focus | None = None
) -> Generator[None, None, Examination | list[int] | str]:
    """`examine` or `examine_own`, as a job; where no matrix changed, the tokens nearest to those of
    a soft prompt, or by which method the model was tuned, "" where it was not.
    """
    tuned = tuned_of(model)
    if adapters_of(model):
        return (yield from examine_steps(model, ids, focus))
    if tuned is None:
        return ""
    if own_kind(model, tuned.tuning):
        return (yield from examine_own_steps(model, ids, focus))
    return nearest_tokens(model) if tuned.tuning.prompt else tuned.settings.method


def own_kind(model: GPT, tuning: Tuning) -> str:
    """What of its own matrices was tuned: the "weight", the "bias" alone, or "": nothing."""
    return next((kind for kind in ("weight", "bias") if own_numbers(model, tuning, kind)), "")


def own_numbers(model: GPT, tuning: Tuning, kind: str) -> dict[str, Tensor]:
    """Weights or biases of linear layers that learned, by name."""
    return {
        name: one
        for name, one in model.named_parameters()
        if any(one is other for other in tuning.own)
        and name.endswith(f".{kind}")
        and hasattr(model.get_submodule(name.rpartition(".")[0]), "in_features")
    }


def _strength(key: str, before: Tensor, after: Tensor) -> Strength:
    """Of a matrix |dW| / |W|; of a bias, which often begins at 0, |db| itself."""
    change = float(torch.linalg.vector_norm(after.detach().float() - before.float()))
    name, _, kind = key.rpartition(".")
    weight = float(torch.linalg.vector_norm(before.float())) if kind == "weight" else 1.0
    return Strength(name, change, weight)


def _as_matrix(numbers: Tensor) -> Tensor:
    return numbers if numbers.dim() == 2 else numbers[:, None]
