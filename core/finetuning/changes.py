"""The matrices that fine-tuning changed, with one interface for all methods.

    AdapterChanges(adapter)  the matrices that LoRA changes
    OwnChanges(tuning)       linear layers whose own weights were tuned; for BitFit their biases, as
                             matrices (out, 1)

Everything is computed from the model's current numbers; with those of an earlier checkpoint loaded,
it describes that checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from core.finetuning.adapted_trace import trace_adapter
from core.finetuning.adapter import Adapter, adapters_of
from core.finetuning.analysis import (
    Strength,
    delta_of,
    most_changed,
    spectrum_of,
    strength_of,
    weight_of,
)
from core.finetuning.loading import tuned_of
from core.finetuning.methods import Tuning
from core.finetuning.scales import at_scales
from core.finetuning.spectrum import Spectrum, dense_spectrum
from core.finetuning.spectrum_trace import trace_spectrum
from core.finetuning.tuned_trace import trace_tuned
from core.trace import Trace
from core.transformer.architectures import gpt_of
from core.transformer.gpt import GPT


class AdapterChanges:
    """The changes of an adapter. `parameters`: the trainable ones of each matrix, by its name."""

    def __init__(self, adapter: Adapter) -> None:
        self.learned, self.modules = adapter, adapter.modules()
        self.parameters: Mapping[str, list[Tensor]] = {
            name: list(one.parameters()) for name, one in adapter.updates.items()
        }

    def strength(self, name: str) -> Strength:
        return strength_of(name, self.learned.updates[name], self.modules[name])

    def most_changed(self, strong: Sequence[Strength]) -> str:
        return most_changed(self.learned, strong)

    def trace(self, ids: Sequence[int], name: str, position: int) -> Trace:
        return trace_adapter(gpt_of(self.learned.model), ids, name, position)

    def weight(self, name: str) -> Tensor:
        """Returns W (out, in), before tuning."""
        return weight_of(self.learned, name)

    def delta(self, name: str) -> Tensor:
        """Returns dW (out, in)."""
        return delta_of(self.learned, name)

    def spectrum(self, name: str) -> Spectrum:
        return spectrum_of(self.learned, name)

    def finding(self, name: str) -> Trace | None:
        """Traces how the spectrum is found; None for DoRA, whose change is not a product."""
        return None if self.learned.config.dora else trace_spectrum(self.learned, name)


class OwnChanges:
    """The changes of a model's own linear layers: of their weights or, if none was tuned, of their
    biases; with the members of `AdapterChanges`.
    """

    def __init__(self, tuning: Tuning) -> None:
        self.learned, self.model = tuning, gpt_of(tuning.model)
        self.kind = "weight" if own_numbers(tuning, "weight") else "bias"
        self.parameters = {name: [one] for name, one in own_numbers(tuning, self.kind).items()}
        with at_scales({tuning: 0.0}):
            self.before = {name: one.detach().clone() for name, (one,) in self.parameters.items()}

    def strength(self, name: str) -> Strength:
        """Returns |dW| / |W| for a matrix; for a bias, which often starts at 0, |db| itself."""
        change = float(torch.linalg.vector_norm(self.delta(name)))
        weight = float(torch.linalg.vector_norm(self.weight(name)))
        return Strength(name, change, weight if self.kind == "weight" else 1.0)

    def most_changed(self, strong: Sequence[Strength]) -> str:
        return max(strong, key=lambda one: one.ratio).name

    def trace(self, ids: Sequence[int], name: str, position: int) -> Trace:
        base = {f"{one}.{self.kind}": before for one, before in self.before.items()}
        return trace_tuned(self.model, ids, name, base, position)

    def weight(self, name: str) -> Tensor:
        return _as_matrix(self.before[name].float())

    def delta(self, name: str) -> Tensor:
        (now,) = self.parameters[name]
        return _as_matrix(now.detach().float()) - self.weight(name)

    def spectrum(self, name: str) -> Spectrum:
        return dense_spectrum(self.delta(name))

    def finding(self, name: str) -> None:
        return None


def changes_of(model: GPT) -> AdapterChanges | OwnChanges | None:
    """Returns the changes of all tuned matrices, or None if no matrix was tuned."""
    if adapters := adapters_of(model):
        return AdapterChanges(adapters[-1])
    if (tuned := tuned_of(model)) is None or not tuned.tuning.own:
        return None
    own = OwnChanges(tuned.tuning)
    return own if own.parameters else None


def own_numbers(tuning: Tuning, kind: str) -> dict[str, Tensor]:
    """Returns the trained weights or biases ("weight", "bias") of linear layers, by layer."""
    model, own = gpt_of(tuning.model), {id(one) for one in tuning.own}
    found: dict[str, Tensor] = {}
    for name, one in model.named_parameters():
        layer, _, end = name.rpartition(".")
        if end == kind and id(one) in own and hasattr(model.get_submodule(layer), "in_features"):
            found[layer] = one
    return found


def _as_matrix(numbers: Tensor) -> Tensor:
    return numbers if numbers.dim() == 2 else numbers[:, None]
