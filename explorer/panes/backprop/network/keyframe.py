"""A keyframe of training: everything that the pictures show after an optimizer step. No Qt here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.autograd.operation import Array
from core.optimization.decision_boundary import decision_boundary
from core.optimization.learner import Learner
from core.optimization.learner_state import LearnerState, state_of
from core.optimization.statistics import LayerStatistics, layer_statistics, neuron_maps
from explorer.panes.backprop.network.draft import REACH, NetworkDraft

RESOLUTION = 40  # side of a neuron's map
PLANE = 80  # side of the map of the network's output
LEVELS = 85  # number of levels for the confidence in each of three classes
BOUNDED = {"tanh": 1.0, "sigmoid": 1.0}


@dataclass(frozen=True, eq=False)
class Update:
    """The optimizer step that led to a keyframe.

    draft          its setup
    start          the learner's state before the step
    slopes         the gradients of the batch alone, without the penalty
    loss           name of the loss; `said` (N, K) and `targets` (N) belong to its batch
    """

    draft: NetworkDraft
    start: LearnerState
    learning_rate: float
    gradients: Mapping[str, Array]
    slopes: Mapping[str, Array]
    penalty: str
    strength: float
    loss: str
    said: Array
    targets: Array

    @property
    def optimizer(self) -> str:
        return self.start.optimizer

    @property
    def before(self) -> Mapping[str, Array]:
        return self.start.parameters

    @property
    def states(self) -> Mapping[str, tuple[Any, int]]:
        return self.start.states


@dataclass(frozen=True, eq=False)
class Passed:
    """A layer's values for the first training point: inputs x (1, n); sums, sums after a norm if
    there is one, and outputs, each (1, m).
    """

    x: Array
    sums: Array
    normed: Array
    out: Array


@dataclass(frozen=True, eq=False)
class Keyframe:
    """The training after `step` optimizer steps.

    weights, biases  of each layer, (n, m) and (m,)
    maps     of each hidden layer (m, R, R) uint8: each neuron's output over the plane; 128 is 0
    limits   of each hidden layer (m,), and of the outputs if there are several: the value of
             level 255
    plane    (P, P) uint8: the network's output. Two classes: probability of class 1; three: the
             class, with LEVELS levels each; a number: from -1 to 1
    passed   each layer's values for the first training point; () if there is none
    boundary (n, 4) lines between two classes, as fractions of the plane from its top left
    """

    step: int
    draft: NetworkDraft
    classes: int
    train_loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float
    learning_rate: float
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    maps: tuple[Array, ...]
    limits: tuple[Array, ...]
    plane: Array
    boundary: Array
    layers: tuple[LayerStatistics, ...]
    learner_state: LearnerState
    update: Update | None = None
    diverged: str = ""
    passed: tuple[Passed, ...] = ()

    @property
    def sizes(self) -> tuple[int, ...]:
        return (2, *(len(bias) for bias in self.biases))


def record(
    learner: Learner, draft: NetworkDraft, update: Update | None, diverged: str = ""
) -> Keyframe:
    """Returns a keyframe of the learner. Takes about 3 ms for a 2-8-8-1 network."""
    *_, keyframe = record_steps(learner, draft, update, diverged)
    assert keyframe is not None
    return keyframe


def record_steps(
    learner: Learner, draft: NetworkDraft, update: Update | None, diverged: str = ""
) -> Iterator[Keyframe | None]:
    """Records in parts of about a millisecond: yields None after each, finally the Keyframe. The
    learner must not change in between.
    """
    parameters = learner.network.parameters
    count = learner.network.n_layers
    with np.errstate(all="ignore"):
        statistics = tuple(layer_statistics(learner)) if len(learner.train) else ()
    yield None
    with np.errstate(all="ignore"):
        *hidden, out = neuron_maps(learner, RESOLUTION, REACH)
        scaled = [_levels(layer, learner.network.config.activation) for layer in hidden]
        if len(out) > 1:
            scaled.append(_levels(out, "linear"))
    yield None
    with np.errstate(all="ignore"):
        fine = neuron_maps(learner, PLANE, REACH)[-1]
    yield None
    with np.errstate(all="ignore"):
        plane = _plane(fine, learner.train.classes)
        border = decision_boundary(fine[0]) if learner.train.classes == 2 else np.zeros((0, 4))
    yield None
    with np.errstate(all="ignore"):
        yield Keyframe(
            learner.step,
            draft,
            learner.train.classes,
            _loss(learner),
            learner.test_loss(),
            learner.accuracy(learner.train),
            learner.accuracy(learner.test),
            learner.learning_rate,
            tuple(parameters[f"{number}.weight"].data for number in range(count)),
            tuple(parameters[f"{number}.bias"].data for number in range(count)),
            tuple(levels for levels, _ in scaled),
            tuple(limit for _, limit in scaled),
            plane,
            border,
            statistics,
            state_of(learner),
            update,
            diverged,
            tuple(_passed(learner)),
        )


def _passed(learner: Learner) -> Iterator[Passed]:
    if not len(learner.train):
        return
    x = learner.train.points[:1]
    for layer in learner.network.detached().layers(x):
        yield Passed(x, layer.sums.data, layer.normed.data, layer.out.data)
        x = layer.out.data


def _loss(learner: Learner) -> float:
    """Returns the loss on the training points, without penalty."""
    if not len(learner.train):
        return float("nan")
    from core.autograd.losses import LOSSES

    out = learner.network.detached()(learner.train.points)
    return LOSSES[learner.loss_name](out, learner.train.targets).item()


def _levels(layer: Array, activation: str) -> tuple[Array, Array]:
    """Returns a layer's maps (m, R, R) as uint8, 128 for 0, and each neuron's value of 255."""
    if activation in BOUNDED:
        limit = np.full(len(layer), BOUNDED[activation])
    else:
        finite = np.where(np.isfinite(layer), np.abs(layer), 0.0)
        limit = np.maximum(finite.reshape(len(layer), -1).max(1), 1e-12)
    return signed(layer / limit[:, None, None]), limit


def signed(values: Array) -> Array:
    """Maps -1..1 to 1..255, and 0 to 128."""
    clean = np.nan_to_num(np.clip(values, -1, 1), nan=0.0)
    return np.rint(128 + 127 * clean).astype(np.uint8)


def _plane(out: Array, classes: int) -> Array:
    """Returns outputs (K, P, P) as uint8 levels."""
    if classes == 0:
        return signed(out[0])
    if classes == 2:
        return signed(np.tanh(out[0] / 2))  # 2 sigmoid(z) - 1
    shifted = np.exp(out - out.max(0))
    likely = shifted / shifted.sum(0)
    sure = (np.nan_to_num(likely.max(0)) - 1 / classes) / (1 - 1 / classes)
    level = np.rint(np.clip(sure, 0, 1) * (LEVELS - 1)).astype(np.uint8)
    return (out.argmax(0) * LEVELS).astype(np.uint8) + level
