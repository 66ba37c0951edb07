"""Everything the app shows about a tuned matrix: its inputs and outputs, its change and the
directions of that change, and their growth over a run's checkpoints.

Letters in shapes: in, out: input and output width of the matrix; K: directions of its change.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from core.files import read_json
from core.finetuning.adapter import Adapter
from core.finetuning.analysis import Strength, attention_change_steps, spectrum_of
from core.finetuning.changes import AdapterChanges, OwnChanges, changes_of
from core.finetuning.loading import tuned_of
from core.finetuning.peft_reader import load_adapter
from core.finetuning.soft_prompt import nearest_tokens
from core.finetuning.spectrum import Spectrum, chance_overlap, overlap, strongest_directions
from core.finetuning.wrapped_modules import restored
from core.inference.activations import to_array
from core.inference.model_places import place_of
from core.jobs import Result, to_the_end
from core.tensor_shards import open_tensors
from core.trace import Trace
from core.training.records import CHECKPOINTS, MANIFEST, RECORD_FILE, checkpoints_of
from core.transformer.gpt import GPT
from core.transformer.weights import WEIGHTS_FILE

MOST_COMPARED = 16  # of W's strongest directions, if the change has full rank


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """A tuned matrix and its change.

    name       of the matrix
    strengths  of every matrix that changed
    heads      (L, H) largest share of each head's attention, at any token, that moves elsewhere
    trace      a text's pass through the matrix, forward and backward
    weight     W (out, in)
    delta      (out, in) the change of W, at a scale of 1
    spectrum   the directions of the change
    finding    the steps that find them; None if the change is not a product of two matrices
    captured   (K,) share of each input direction within as many of W's strongest ones, 0 to 1
    steps      of the run's checkpoints; empty for a model that is not from a run
    step       of the checkpoint that is shown
    history    (N, K) the singular values at each of them
    shared     (K, K') overlap of the first i input directions with the first j of a second adapter;
               None if there is none, or it does not change this matrix
    same_seed  the seed of both adapters' runs, if both began with the same random A; None if they
               did not, or it is unknown
    """

    name: str
    strengths: Sequence[Strength]
    heads: np.ndarray
    trace: Trace
    weight: np.ndarray
    delta: np.ndarray
    spectrum: Spectrum
    finding: Trace | None
    captured: np.ndarray
    steps: tuple[int, ...]
    step: int | None
    history: np.ndarray
    shared: np.ndarray | None
    same_seed: int | None

    @property
    def chance(self) -> float:
        """Approximate overlap of all directions with as many random ones: r / in."""
        count = len(self.spectrum.values)
        return chance_overlap(count, count, self.weight.shape[1])

    @property
    def relative_change(self) -> np.ndarray:
        """(T,) size of the change at each token: |change| / |W x|."""
        steps = {step.name.rpartition(".")[2]: step for step in self.trace}
        change = np.atleast_2d(steps["add"].value("change"))
        lengths = np.linalg.norm(steps["frozen"].value("products"), axis=1)
        return np.linalg.norm(change, axis=1) / np.where(lengths > 0, lengths, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Focus:
    """Selects what to examine in a model.

    name      of a matrix; if it has not changed, the one that changed most is used
    position  of the token that is followed
    folder    source of the model: a checkpoint's siblings are found through it
    step      of the checkpoint to examine; None: the current model
    other     folder of a second adapter, to compare with
    heads     result of another examination of this text at this step: they take two passes of
              three, and are the same for every matrix and token
    """

    name: str = ""
    position: int = -1
    folder: str | Path = ""
    step: int | None = None
    other: str | Path = ""
    heads: np.ndarray | None = None


def examine(model: GPT, ids: Sequence[int], focus: Focus | None = None) -> Examination:
    """Examines one matrix of a model's newest adapter, or of another method's changes in a model
    that `core.load` opened; leaves the model unchanged. A bias (BitFit) is a matrix (out, 1).

    ids  (T + 1,) a text, as `trace_adapter` reads it

    Raises ValueError, with a remedy, for a model without a tuned matrix, and as
    `trace_adapter`, `trace_tuned` and `load_adapter` do.
    """
    return to_the_end(examine_steps(model, ids, focus))


def examine_steps(
    model: GPT, ids: Sequence[int], focus: Focus | None = None
) -> Generator[None, None, Examination]:
    """Runs `examine` as a job that can be closed: one pass of the model, matrix or checkpoint at a
    time. At each yield the model has its own numbers.
    """
    if (changes := changes_of(model)) is None:
        raise ValueError(
            "no matrix of this model was tuned; open one that was tuned with LoRA, by full "
            "fine-tuning, its last layers, its head or BitFit"
        )
    return (yield from _examine_steps(model, ids, focus or Focus(), changes))


def _examine_steps(
    model: GPT, ids: Sequence[int], focus: Focus, changes: AdapterChanges | OwnChanges
) -> Generator[None, None, Examination]:
    tuned = tuned_of(model)
    trained = model if tuned is None else tuned.tuning.model
    names = {id(one): name for name, one in trained.named_parameters()}
    parameters = {name: [names[id(one)] for one in own] for name, own in changes.parameters.items()}
    places = checkpoints_beside(Path(focus.folder))
    stored = {at: open_tensors(place / WEIGHTS_FILE) for at, place in places.items()}
    step = shown_step(focus, places)
    if step is not None:
        stored[step].check_types()
    numbers = {} if step is None else stored[step].read()
    yield

    strong = []
    for name, own in parameters.items():
        with numbers_at(trained, {one: numbers[one] for one in own if numbers}):
            strong.append(changes.strength(name))
        yield
    name = focus.name if focus.name in parameters else changes.most_changed(strong)
    with numbers_at(trained, numbers):
        trace = changes.trace(ids, name, focus.position)
    yield
    if (heads := focus.heads) is None:
        moved = attention_change_steps(changes.learned, ids[:-1])
        heads = (yield from steps_at(trained, numbers, moved)).by_head
    with numbers_at(trained, numbers):
        spectrum, weight = changes.spectrum(name), changes.weight(name)
        delta, finding = changes.delta(name), changes.finding(name)
        shared, same_seed, count = None, None, MOST_COMPARED
        if isinstance(adapter := changes.learned, Adapter):
            shared, same_seed = compare(adapter, spectrum, name, focus.folder, focus.other)
            count = len(spectrum.values)
    yield
    captured = captured_by(spectrum, weight, count)
    yield
    history = []
    for one in stored.values():
        with numbers_at(trained, one.read(parameters[name])):
            history.append(changes.spectrum(name).values)
        yield
    return Examination(
        name=name,
        strengths=strong,
        heads=heads,
        trace=trace,
        weight=to_array(weight).copy(),
        delta=to_array(delta).copy(),
        spectrum=spectrum,
        finding=finding,
        captured=captured,
        steps=tuple(places),
        step=step,
        history=np.array(history),
        shared=shared,
        same_seed=same_seed,
    )


def look_inside_steps(
    model: GPT, ids: Sequence[int], focus: Focus | None = None
) -> Generator[None, None, Examination | list[int] | str]:
    """Runs `examine` as a job; if no matrix changed, returns the tokens nearest to those of a soft
    prompt, or the method by which the model was tuned, or "" if it was not tuned.
    """
    if (changes := changes_of(model)) is not None:
        return (yield from _examine_steps(model, ids, focus or Focus(), changes))
    if (tuned := tuned_of(model)) is None:
        return ""
    return nearest_tokens(model) if tuned.tuning.prompt else tuned.settings.method


def shown_step(focus: Focus, places: Mapping[int, Path]) -> int | None:
    """Returns the step of the checkpoint that is shown, or None for a model not from a run."""
    if focus.step in places:
        return focus.step
    return next((at for at, place in places.items() if place == Path(focus.folder)), None)


def steps_at(
    model: nn.Module, numbers: Mapping[str, Tensor], job: Generator[Any, None, Result]
) -> Generator[None, None, Result]:
    """Runs a job on the model with other numbers; at each yield the model has its own."""
    while True:
        with numbers_at(model, numbers):
            try:
                next(job)
            except StopIteration as end:
                return end.value
        yield


def checkpoints_beside(folder: Path) -> dict[int, Path]:
    """Returns all checkpoints of the run that a checkpoint folder belongs to, by step."""
    return checkpoints_of(folder.parents[1]) if folder.parent.name == CHECKPOINTS else {}


@contextmanager
def numbers_at(model: nn.Module, learned: Mapping[str, Tensor]) -> Iterator[None]:
    """Temporarily gives some of the model's parameters, by name, other numbers."""
    own = {name: one for name, one in model.named_parameters() if name in learned}
    with restored(own.values()):
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(learned[name])
        yield


def captured_by(spectrum: Spectrum, weight: Tensor, count: int) -> np.ndarray:
    """Returns the share of each input direction in the `count` strongest of W: (K,), 0 to 1."""
    strongest = to_array(strongest_directions(weight, count))
    return ((strongest.T @ spectrum.right) ** 2).sum(axis=0)


def compare(
    adapter: Adapter, spectrum: Spectrum, name: str, folder: str | Path, second: str | Path
) -> tuple[np.ndarray | None, int | None]:
    """Returns what the directions of a matrix share with those of a second adapter; and the seed of
    both, if they began with the same A.
    """
    if not second:
        return None, None
    other = load_adapter(adapter.model, second)
    try:
        if name not in other.updates:
            return None, None
        seed = seed_of(folder) if _sizes(adapter) == _sizes(other) else None
        shared = overlap(spectrum.right, spectrum_of(other, name).right)
        return shared, seed if seed == seed_of(second) else None
    finally:
        other.remove()


def check_second(model: GPT, folder: str | Path) -> str | Path:
    """Returns the folder if it holds an adapter for this model. Raises as `load_adapter`."""
    load_adapter(model, folder).remove()
    return folder


def _sizes(adapter: Adapter) -> dict[str, torch.Size]:
    """Returns the shape of each A, in the order they were drawn."""
    return {name: one.A.shape for name, one in adapter.updates.items()}


def seed_of(address: str | Path) -> int | None:
    """Returns the seed of the run that an adapter came from, given the folder of a checkpoint or of
    the bundled adapter; None if it came from no run.
    """
    folder, _ = place_of(address)
    run = folder.parents[1] if folder.parent.name == CHECKPOINTS else folder
    for file, entry in ((run / MANIFEST, "config"), (folder / RECORD_FILE, "recipe")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            return int(read_json(file)[entry]["seed"])
    return None
