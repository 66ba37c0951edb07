"""Statistics of training: is it healthy? Activations, gradients and updates of each layer.

The criteria are Karpathy's: activations that are neither all near 0 nor all saturated, gradients of
similar size in every layer, and updates of about a thousandth of the weights per step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from core.autograd.operation import Array
from core.autograd.tensor import zero_grad
from core.optimization.learner import Learner

HEALTHY_RATIO = -3.0  # log10 of the ratio of update to weight
SATURATED = 0.97  # |output| of tanh, or of a sigmoid scaled to -1 to 1, from which it is flat
BINS = 40


@dataclass(frozen=True, slots=True)
class Histogram:
    """counts (BINS,) of values between edges (BINS + 1,).

    size  the root of their mean square, their typical absolute value
    """

    counts: Array
    edges: Array
    mean: float
    std: float
    size: float


@dataclass(frozen=True, slots=True)
class LayerStatistics:
    """Statistics of one layer on the training points.

    activations, gradients  of its outputs: values, and dL/d(value)
    saturated               share of outputs where tanh or sigmoid is flat; 0 for other activations
    dead                    (m,) True for neurons that are 0 for every point and so never learn
    ratio                   log10 of the last update's std over the weights'; nan before a step
    """

    name: str
    activations: Histogram
    gradients: Histogram
    saturated: float
    dead: Array
    ratio: float


def layer_statistics(learner: Learner) -> list[LayerStatistics]:
    """Returns every layer's statistics, from one forward and backward over all training points.

    Parameters keep their values; their `grad` is that of this pass.
    """
    parameters = list(learner.network.parameters.values())
    zero_grad(parameters)
    layers = learner.network.layers(learner.train.points, learning=True)
    loss = learner.loss_of(layers[-1].out, learner.train)
    loss.backward()
    found = []
    for number, layer in enumerate(layers):
        out = layer.out.data
        grad = np.zeros_like(out) if layer.out.grad is None else layer.out.grad
        last = number == len(layers) - 1
        activation = "linear" if last else learner.network.config.activation
        found.append(
            LayerStatistics(
                f"layer {number + 1}",
                histogram(out),
                histogram(grad),
                saturated_share(out, activation),
                dead_neurons(out, activation),
                update_ratio(learner, number),
            )
        )
    return found


def histogram(values: Array) -> Histogram:
    """Returns the histogram of finite `values`, in bins over a range symmetric about 0."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        finite = np.zeros(1)
    reach = max(float(np.abs(finite).max()), 1e-12)
    counts, edges = np.histogram(finite, bins=BINS, range=(-reach, reach))
    mean, std = float(finite.mean()), float(finite.std())
    return Histogram(counts, edges, mean, std, math.hypot(mean, std))  # E x^2 = mean^2 + std^2


def saturated_share(out: Array, activation: str) -> float:
    """Returns the share of outputs where the activation is so flat that gradients nearly vanish."""
    if activation == "tanh":
        return float((np.abs(out) > SATURATED).mean())
    if activation == "sigmoid":
        return float((np.abs(2 * out - 1) > SATURATED).mean())
    return 0.0


def dead_neurons(out: Array, activation: str) -> Array:
    """Returns (m,) True for neurons whose relu outputs 0 for every point; `out` is (N, m)."""
    if activation != "relu":
        return np.zeros(out.shape[1], dtype=bool)
    return np.asarray((out <= 0).all(0))


def update_ratio(learner: Learner, number: int) -> float:
    """Returns log10(std of the last update / std of the weights) of a layer; nan if unknown."""
    name = f"{number}.weight"
    if name not in learner.updates:
        return float("nan")
    weights = learner.network.parameters[name].data
    update, size = float(learner.updates[name].std()), float(weights.std())
    if weights.size == 1:
        update, size = abs(float(learner.updates[name].item())), abs(float(weights.item()))
    return float(np.log10(update / size)) if update > 0 and size > 0 else float("nan")


def plane_grid(resolution: int, reach: float = 1.0) -> Array:
    """Returns points of the plane (resolution^2, 2), row by row from the top, for output maps."""
    line = np.linspace(-reach, reach, resolution)
    x, y = np.meshgrid(line, line[::-1])
    return np.stack([x.ravel(), y.ravel()], 1)


def neuron_maps(learner: Learner, resolution: int, reach: float = 1.0) -> list[Array]:
    """Returns the outputs of all neurons over the plane: (m, resolution, resolution) per layer."""
    layers = learner.network.detached().layers(plane_grid(resolution, reach))
    return [layer.out.data.T.reshape(-1, resolution, resolution) for layer in layers]
