"""All there is to see in one adapted matrix: what goes through it, what was added, along which
directions; and how that grew over a run's checkpoints.

Letters in shapes: in, out: width of what the matrix reads and makes; K: directions of its change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from core.files import read_json
from core.finetuning.adapted_trace import trace_adapter
from core.finetuning.adapter import Adapter, adapters_of
from core.finetuning.analysis import (
    Strength,
    attention_change,
    delta_of,
    most_changed,
    spectrum_of,
    strengths,
    weight_of,
)
from core.finetuning.peft_reader import load_adapter
from core.finetuning.spectrum import Spectrum, chance_overlap, overlap, strongest_directions
from core.finetuning.spectrum_trace import trace_spectrum
from core.inference.activations import to_array
from core.inference.model_places import place_of
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
    heads      (L, H) the share of each head's attention that the adapter moves elsewhere
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


def examine(
    model: GPT,
    ids: Sequence[int],
    name: str = "",
    position: int = -1,
    *,
    folder: str | Path = "",
    step: int | None = None,
    other: str | Path = "",
    heads: np.ndarray | None = None,
) -> Examination:
    """Looks into one matrix of the model's newest adapter, and leaves both as they are.

    ids       (T + 1,) a text, as `trace_adapter` reads it
    name      of a matrix; one that the adapter does not change: the one that it changes most
    position  of the token that is followed
    folder    where the model is from: a checkpoint of a run has others beside it
    step      the adapter as it was at that checkpoint; None: as it is
    other     folder of a second adapter, to compare with
    heads     what another examination of this text at this step has found: they take two passes of
              three, and are the same for every matrix and token

    Raises ValueError, with the remedy, for a model without an adapter, and as `trace_adapter` and
    `load_adapter` do.
    """
    adapters = adapters_of(model)
    if not adapters:
        raise ValueError(
            "this model has no adapter to look into: its own weights were tuned; open one that "
            "was tuned with LoRA"
        )
    adapter, places = adapters[-1], checkpoints_beside(Path(folder))
    learned = {at: open_tensors(place / WEIGHTS_FILE).read() for at, place in places.items()}
    if step not in learned:
        step = next((at for at, place in places.items() if place == Path(folder)), None)
    with numbers_at(model, {} if step is None else learned[step]):
        strong = strengths(adapter)
        if name not in adapter.updates:
            name = most_changed(adapter, strong)
        trace = trace_adapter(model, ids, name, position)
        spectrum, weight = spectrum_of(adapter, name), weight_of(adapter, name)
        if heads is None:
            heads = attention_change(adapter, ids[:-1]).by_head
        shared, same_seed = compare(adapter, spectrum, name, folder, other)
        return Examination(
            name,
            strong,
            heads,
            trace,
            to_array(weight).copy(),
            to_array(delta_of(adapter, name)),
            spectrum,
            None if adapter.config.dora else trace_spectrum(adapter, name),
            captured_by(spectrum, weight, len(spectrum.values)),
            tuple(learned),
            step,
            np.array([_values_at(adapter, name, tensors) for tensors in learned.values()]),
            shared,
            same_seed,
        )


def checkpoints_beside(folder: Path) -> dict[int, Path]:
    """The checkpoints of the run that a folder is one of, by step."""
    return checkpoints_of(folder.parents[1]) if folder.parent.name == CHECKPOINTS else {}


@contextmanager
def numbers_at(model: nn.Module, learned: Mapping[str, Tensor]) -> Iterator[None]:
    """The model with other numbers for a moment: some of its parameters, by name."""
    own = {name: one for name, one in model.named_parameters() if name in learned}
    before = {name: one.detach().clone() for name, one in own.items()}
    try:
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(learned[name])
        yield
    finally:
        with torch.no_grad():
            for name, parameter in own.items():
                parameter.copy_(before[name])


def _values_at(adapter: Adapter, name: str, learned: Mapping[str, Tensor]) -> np.ndarray:
    with numbers_at(adapter.model, learned):
        return spectrum_of(adapter, name).values


def captured_by(spectrum: Spectrum, weight: Tensor, count: int) -> np.ndarray:
    """(K,): how much of what each direction reads lies in so many of W's strongest, 0 to 1."""
    strongest = strongest_directions(weight, count).cpu().numpy()
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


def _sizes(adapter: Adapter) -> dict[str, torch.Size]:
    """Of each A, in the order in which they were drawn."""
    return {name: one.A.shape for name, one in adapter.updates.items()}


def seed_of(address: str | Path) -> int | None:
    """What the run drew from of which an adapter is: a checkpoint's folder, or the bundled one;
    None: it is no run's.
    """
    folder, _ = place_of(address)
    run = folder.parents[1] if folder.parent.name == CHECKPOINTS else folder
    for file, entry in ((run / MANIFEST, "config"), (folder / RECORD_FILE, "recipe")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            return int(read_json(file)[entry]["seed"])
    return None
