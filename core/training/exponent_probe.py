"""Recording how large a run's numbers are, on some of the steps on which it is probed.

The histograms of weights, activations, gradients and updates are written to the run's events, each
line one `records.Exponents`. They do not change the step; sampled values, and a distance of several
steps between two histograms, keep their cost below 2 % of the run's time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.training.exponents import ExponentHistogram, exponent_histogram, sampled
from core.training.parallel import Parallel, own_part
from core.transformer.config import ModelConfig

KINDS = ("weights", "activations", "gradients", "updates")
APART = 10  # steps between two histograms, at least


def exponent_interval(every: int) -> int:
    """Returns the steps between histograms: a multiple of the probe interval, at least APART."""
    return every * math.ceil(APART / every)


class ExponentProbe:
    """Counts the numbers of one optimizer step while it runs, and those of the model after it.

    `loss_scale`: the factor of the step's loss. All ranks take part: each counts its part, and
    `event` adds up the counts.
    """

    def __init__(self, parameters: Sequence[Tensor], loss_scale: float = 1.0) -> None:
        self.parameters = parameters
        self.loss_scale = loss_scale
        self.histograms: dict[str, ExponentHistogram] = {}
        self._moved: Tensor | None = None  # the weights after the step

    def see_gradients(self) -> None:
        """Counts the gradients, after they are added up and unscaled and before clipping."""
        gradients = [own_part(p.grad) for p in self.parameters if p.grad is not None]
        self.histograms["gradients"] = exponent_histogram(gradients)

    @contextmanager
    def update(self) -> Iterator[None]:
        """Encloses the optimizer's step and counts by how much each weight moves."""
        before = self._weights()
        yield
        self._moved = self._weights()
        self.histograms["updates"] = exponent_histogram(self._moved - before, before.numel())

    def see_weights(self) -> None:
        """Counts the weights after the step."""
        weights = self._weights() if self._moved is None else self._moved
        self.histograms["weights"] = exponent_histogram(weights, weights.numel())

    def see_activations(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Counts the activations on the probe text. `arrays`: by site."""
        tensors = [torch.from_numpy(np.ascontiguousarray(array)) for array in arrays.values()]
        self.histograms["activations"] = exponent_histogram(tensors)

    def event(self, parallel: Parallel) -> dict[str, Any]:
        """Returns the values of the event, summed over all ranks."""
        seen = [kind for kind in KINDS if kind in self.histograms]
        found = [self.histograms[kind] for kind in seen]
        rows = [[*one.counts, one.zeros, one.not_finite] for one in found]
        summed = np.array(parallel.sums(np.ravel(rows).tolist()), np.int64).reshape(len(seen), -1)
        counted = {
            kind: ExponentHistogram(row[:-2], int(row[-2]), int(row[-1])).to_json()
            for kind, row in zip(seen, summed, strict=True)
        }
        return {"loss_scale": self.loss_scale, **counted}

    def _weights(self) -> Tensor:
        """Returns the sampled weights, (n,)."""
        return sampled([own_part(parameter) for parameter in self.parameters])


def activation_sites(model: ModelConfig) -> list[str]:
    """Returns the counted sites: the residual stream, each MLP's hidden layer, the logits."""
    hidden = [f"decoder.{layer}.mlp_hidden" for layer in range(model.n_layer)]
    return ["residual", *hidden, "logits"]
