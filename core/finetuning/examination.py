"""All there is to see in one adapted matrix: what goes through it, what was added, along which
directions; and how that grew over a run's checkpoints.

Letters in shapes: in, out: width of what the matrix reads and makes; K: directions of its change.
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
from core.finetuning.adapted_trace import trace_adapter
from core.finetuning.adapter import Adapter, adapters_of
from core.finetuning.analysis import (
    Strength,
    attention_change_steps,
    delta_of,
    most_changed,
    spectrum_of,
    strengths_steps,
    weight_of,
)
from core.finetuning.methods import Tuning
from core.finetuning.peft_reader import load_adapter
from core.finetuning.spectrum import Spectrum, chance_overlap, overlap, strongest_directions
from core.finetuning.spectrum_trace import trace_spectrum
from core.finetuning.wrapped_modules import restored
from core.inference.activations import to_array
from core.inference.model_places import place_of
from core.jobs import Result, to_the_end
from core.tensor_shards import open_tensors
from core.trace import Trace
from core.training.records import CHECKPOINTS, MANIFEST, RECORD_FILE, checkpoints_of
from core.transformer.gpt import GPT
from core.transformer.weights import WEIGHTS_FILE


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """An adapted matrix, and the adapter that changes it.

    name       of the matrix
    strengths  of every matrix that the adapter changes
    heads      (L, H) the largest share of each head's attention, at any token, that moves elsewhere
    trace      a text's pass through the matrix, forward and backward
    weight     W (out, in)
    delta      (out, in) what is added to it, at a scale of 1
    spectrum   its directions
    finding    the steps by which they are found; None: of DoRA, whose change is no product
    captured   (K,) how much of what each reads lies in as many of W's strongest directions, 0 to 1
    steps      of the run's checkpoints; none of a model that is no run's
    step       of the checkpoint that is shown
    history    (N, K) the singular values at each of them
    shared     (K, K') how much of what the first i directions read lies in the first j of a second
               adapter; None: there is none, or it leaves this matrix as it is
    same_seed  the seed of both adapters' runs, where both began with the same random A; None: they
               did not, or nobody knows
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
        """What all directions would share with as many random ones, about: r / in."""
        count = len(self.spectrum.values)
        return chance_overlap(count, count, self.weight.shape[1])

    @property
    def relative_change(self) -> np.ndarray:
        """(T,) how large what is added at each token is: |change| / |W x|."""
        steps = {step.name.rpartition(".")[2]: step for step in self.trace}
        change = np.atleast_2d(steps["add"].value("change"))
        lengths = np.linalg.norm(steps["frozen"].value("products"), axis=1)
        return np.linalg.norm(change, axis=1) / np.where(lengths > 0, lengths, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Focus:
    """What of a model is looked at.

    name      of a matrix; one that has not changed: the one that has changed most
    position  of the token that is followed
    folder    where the model is from: a checkpoint of a run has others beside it
    step      the model as it was at that checkpoint; None: as it is
    other     folder of a second adapter, to compare with
    heads     what another examination of this text at this step has found: they take two passes of
              three, and are the same for every matrix and token
    """

    name: str = ""
    position: int = -1
    folder: str | Path = ""
    step: int | None = None
    other: str | Path = ""
    heads: np.ndarray | None = None


def examine(model: GPT, ids: Sequence[int], focus: Focus | None = None) -> Examination:
    """Looks into one matrix of the model's newest adapter, and leaves both as they are.

    ids  (T + 1,) a text, as `trace_adapter` reads it

    Raises ValueError, with the remedy, for a model without an adapter, and as `trace_adapter` and
    `load_adapter` do.
    """
    return to_the_end(examine_steps(model, ids, focus))


def examine_steps(
    model: GPT, ids: Sequence[int], focus: Focus | None = None
) -> Generator[None, None, Examination]:
    """`examine`, as a job that can be closed: a pass of the model, a matrix or a checkpoint at a
    time. At each yield the model is as it was.
    """
    focus = focus or Focus()
    adapters = adapters_of(model)
    if not adapters:
        raise ValueError(
            "this model has no adapter, because its own weights were tuned; open a model that was "
            "tuned with LoRA"
        )
    adapter, places = adapters[-1], checkpoints_beside(Path(focus.folder))
    learned = {}
    for at, place in places.items():
        learned[at] = open_tensors(place / WEIGHTS_FILE).read()
        yield
    step = shown_step(focus, places)
    numbers = {} if step is None else learned[step]

    strong = yield from steps_at(model, numbers, strengths_steps(adapter))
    name = focus.name if focus.name in adapter.updates else most_changed(adapter, strong)
    with numbers_at(model, numbers):
        trace = trace_adapter(model, ids, name, focus.position)
    yield
    heads = yield from heads_steps(model, ids, focus, numbers, adapter)
    with numbers_at(model, numbers):
        spectrum, weight = spectrum_of(adapter, name), weight_of(adapter, name)
        delta = to_array(delta_of(adapter, name))
        finding = None if adapter.config.dora else trace_spectrum(adapter, name)
        shared, same_seed = compare(adapter, spectrum, name, focus.folder, focus.other)
    yield
    captured = captured_by(spectrum, weight, len(spectrum.values))
    yield
    history = []
    for tensors in learned.values():
        with numbers_at(model, tensors):
            history.append(spectrum_of(adapter, name).values)
        yield
    return Examination(
        name,
        strong,
        heads,
        trace,
        to_array(weight).copy(),
        delta,
        spectrum,
        finding,
        captured,
        tuple(learned),
        step,
        np.array(history),
        shared,
        same_seed,
    )


def shown_step(focus: Focus, places: Mapping[int, Path]) -> int | None:
    """The step of the checkpoint that is looked at; None: the model is no run's."""
    if focus.step in places:
        return focus.step
    return next((at for at, place in places.items() if place == Path(focus.folder)), None)


def heads_steps(
    model: GPT,
    ids: Sequence[int],
    focus: Focus,
    numbers: Mapping[str, Tensor],
    learned: Adapter | Tuning,
) -> Generator[None, None, np.ndarray]:
    """How far each head's attention has moved, (L, H): two passes, unless it is known."""
    if focus.heads is not None:
        return focus.heads
    change = yield from steps_at(model, numbers, attention_change_steps(learned, ids[:-1]))
    return change.by_head


def steps_at(
    model: GPT, numbers: Mapping[str, Tensor], job: Generator[Any, None, Result]
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
    """The checkpoints of the run that a folder is one of, by step."""
    return checkpoints_of(folder.parents[1]) if folder.parent.name == CHECKPOINTS else {}


@contextmanager
def numbers_at(model: nn.Module, learned: Mapping[str, Tensor]) -> Iterator[None]:
    """Gives some of the model's parameters, by name, other numbers for a moment."""
    own = {name: one for name, one in model.named_parameters() if name in learned}
    with restored(own.values()):
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(learned[name])
        yield


def captured_by(spectrum: Spectrum, weight: Tensor, count: int) -> np.ndarray:
    """How much of what each direction reads lies in the `count` strongest of W: (K,), 0 to 1."""
    strongest = to_array(strongest_directions(weight, count))
    return ((strongest.T @ spectrum.right) ** 2).sum(axis=0)


def compare(
    adapter: Adapter, spectrum: Spectrum, name: str, folder: str | Path, second: str | Path
) -> tuple[np.ndarray | None, int | None]:
    """What the directions of a matrix share with those of a second adapter; and the seed of both,
    where they began with the same A.
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
    """The folder, if it is that of an adapter of this model. Raises as `load_adapter` does."""
    load_adapter(model, folder).remove()
    return folder


def _sizes(adapter: Adapter) -> dict[str, torch.Size]:
    """The shape of each A, in the order in which they were drawn."""
    return {name: one.A.shape for name, one in adapter.updates.items()}


def seed_of(address: str | Path) -> int | None:
    """The seed of the run that an adapter is from, by the folder of a checkpoint, or of the bundled
    adapter; None: it is from no run.
    """
    folder, _ = place_of(address)
    run = folder.parents[1] if folder.parent.name == CHECKPOINTS else folder
    for file, entry in ((run / MANIFEST, "config"), (folder / RECORD_FILE, "recipe")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            return int(read_json(file)[entry]["seed"])
    return None
