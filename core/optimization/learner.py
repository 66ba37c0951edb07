"""A small network in training, one optimizer step at a time; everything may change between steps.

The training loop of large models is `core.training`; this one is for exploration: the whole state
is in NumPy, and a step takes well under a millisecond.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.autograd.datasets import Dataset
from core.autograd.losses import LOSSES, penalty
from core.autograd.mlp import MLP, MLPConfig
from core.autograd.tensor import Tensor, zero_grad
from core.fields import check, field
from core.optimization.optimizers import OPTIMIZERS, optimizer_of
from core.optimization.schedules import SCHEDULES, learning_rate_at

PENALTIES = ("none", "l1", "l2")


@dataclass(frozen=True, slots=True)
class LearnerSettings:
    """Settings of the training.

    batch_size          examples per step, drawn anew each time; 0 means all
    warmup_steps, steps length of the schedule; training may continue after `steps`
    penalty, strength   "none", "l1" or "l2", on the weights (not the biases)
    """

    optimizer: str = field("adam", choices=OPTIMIZERS)
    learning_rate: float = field(0.03, above=0, remedy="0.01 to 0.1 is usual")
    schedule: str = field("constant", choices=SCHEDULES)
    min_learning_rate: float = field(0.0, least=0)
    warmup_steps: int = field(0, least=0)
    steps: int = field(1000, least=1)
    batch_size: int = field(32, least=0, remedy="0 means all examples")
    penalty: str = field("none", choices=PENALTIES)
    strength: float = field(1e-3, least=0, remedy="1e-3 is usual")

    def __post_init__(self) -> None:
        check(self)
        if self.min_learning_rate > self.learning_rate:
            raise ValueError(
                f"min_learning_rate {self.min_learning_rate:g} is above the learning rate; use 0 "
                f"to {self.learning_rate:g}"
            )
        if self.warmup_steps >= self.steps:
            raise ValueError(
                f"{self.warmup_steps} warm-up steps leave none of {self.steps}; use fewer"
            )


@dataclass(frozen=True, slots=True)
class Learned:
    """The result of one optimizer step.

    step           number of steps taken, including this one
    loss           on its batch, before the update, with the penalty; in the unit of the loss
    learning_rate  of this step
    diverged       reason why nothing changed: the loss or a gradient is not finite; else ""
    """

    step: int
    loss: float
    learning_rate: float
    diverged: str = ""


@dataclass
class Learner:
    """A network, its training and test data, and the state of its optimizer.

    `settings`, `train`, `test` and the network (by `resize`) may change between two steps; the
    optimizer state of a parameter is kept while the optimizer and the shape stay the same.
    """

    network: MLP
    train: Dataset
    test: Dataset
    settings: LearnerSettings
    generator: np.random.Generator
    step: int = 0
    states: dict[str, Any] = field(factory=dict)
    updates: dict[str, np.ndarray] = field(factory=dict)  # changes by the last step
    slopes: dict[str, np.ndarray] = field(factory=dict)  # its gradients without penalty
    batch: Dataset | None = None  # of the last step, and the network's outputs for it: (N, K)
    said: np.ndarray | None = None

    @classmethod
    def start(
        cls,
        config: MLPConfig,
        train: Dataset,
        test: Dataset,
        settings: LearnerSettings,
        seed: int = 0,
    ) -> Learner:
        """Returns a learner with a new network, with one output, or one per class for 3 or more."""
        generator = np.random.default_rng(seed)
        network = MLP.start(fitting(config, train), generator)
        return cls(network, train, test, settings, generator)

    @property
    def loss_name(self) -> str:
        """The name of the loss for the targets."""
        if self.train.classes == 0:
            return "mean squared error"
        return "binary cross-entropy" if self.train.classes == 2 else "cross-entropy"

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        settings = self.settings
        return learning_rate_at(
            self.step,
            schedule=settings.schedule,
            learning_rate=settings.learning_rate,
            min_learning_rate=settings.min_learning_rate,
            warmup_steps=settings.warmup_steps,
            steps=settings.steps,
        )

    def learn(self) -> Learned:
        """Takes one step on a batch. If the loss or a gradient is not finite, no weight changes.
        Raises ValueError if there are no training points.
        """
        rate = self.learning_rate
        self.batch = self._batch()
        layers = self.network.layers(self.batch.points, learning=True)
        out = layers[-1].out
        self.said = out.data
        loss, price = self._fit(out, self.batch), self._price()
        parameters = self.network.parameters
        zero_grad(list(parameters.values()))
        loss.backward()
        self.slopes = {name: one.grad for name, one in parameters.items() if one.grad is not None}
        cost = loss.item()
        if price is not None:
            price.backward()  # adds to the gradients
            cost += price.item()
        if problem := self._not_finite(loss.item(), cost):
            return Learned(self.step, cost, rate, problem)
        self.step += 1
        self.network.remember(layers)
        for name, parameter in parameters.items():
            if parameter.grad is not None:
                self._move(name, parameter, rate)
        return Learned(self.step, cost, rate)

    def loss_of(self, out: Tensor, data: Dataset) -> Tensor:
        """Returns the loss of the network's outputs (N, K) for `data`, including the penalty."""
        loss, price = self._fit(out, data), self._price()
        return loss if price is None else (loss + price).named("cost")

    def _fit(self, out: Tensor, data: Dataset) -> Tensor:
        return LOSSES[self.loss_name](out, data.targets).named("loss")

    def _price(self) -> Tensor | None:
        """Returns the penalty on the weights, or None if the settings have none."""
        if self.settings.penalty == "none":
            return None
        weights = [self.network.parameters[name] for name in self.weight_names]
        return penalty(weights, self.settings.penalty, self.settings.strength)

    @property
    def weight_names(self) -> list[str]:
        """The names of the parameters with a penalty: weights, but not biases or gains."""
        return [name for name in self.network.parameters if name.endswith("weight")]

    def test_loss(self) -> float:
        """Returns the loss on the test points, without penalty; nan if there are no points."""
        if not len(self.test):
            return math.nan
        out = self.network.detached()(self.test.points)
        return LOSSES[self.loss_name](out, self.test.targets).item()

    def accuracy(self, data: Dataset) -> float:
        """Returns the share of points whose class is predicted correctly; nan for a regression."""
        if not self.train.classes or not len(data):
            return math.nan
        return float((self.classes(data.points) == data.targets).mean())

    def classes(self, points: np.ndarray) -> np.ndarray:
        """Returns the predicted class of each of points (N, 2): (N,) integers."""
        out = self.network.detached()(points).data
        return (out[:, 0] > 0).astype(np.int64) if out.shape[1] == 1 else out.argmax(1)

    def resize(self, config: MLPConfig) -> None:
        """Changes the network's shape; keeps every weight and optimizer state that still fits."""
        self.network = self.network.resized(fitting(config, self.train), self.generator)
        shapes = {name: tensor.shape for name, tensor in self.network.parameters.items()}
        self.states = {
            name: state for name, state in self.states.items() if _fits(state, shapes.get(name))
        }
        self.updates = {}

    def change(self, settings: LearnerSettings) -> None:
        """Changes the settings from the next step on; another optimizer begins with empty state."""
        if settings.optimizer != self.settings.optimizer:
            self.states = {}
        self.settings = settings

    def _batch(self) -> Dataset:
        size = self.settings.batch_size
        if not len(self.train):
            raise ValueError("there are no points to learn from; click some onto the plane")
        if size == 0 or size >= len(self.train):
            return self.train
        chosen = self.generator.choice(len(self.train), size, replace=False)
        return replace(
            self.train, points=self.train.points[chosen], targets=self.train.targets[chosen]
        )

    def _move(self, name: str, parameter: Tensor, rate: float) -> None:
        rule = optimizer_of(self.settings.optimizer, parameter.ndim)
        settings = rule.settings(learning_rate=rate, weight_decay=0.0)
        state, taken = self.states.get(name, (rule.state(), 0))
        new, state = rule.update(parameter.data, parameter.grad, state, taken + 1, settings)
        self.states[name] = (state, taken + 1)
        self.updates[name] = new - parameter.data
        parameter.data = new

    def _not_finite(self, loss: float, cost: float) -> str:
        if not math.isfinite(cost):
            what = "loss" if not math.isfinite(loss) else "penalty"
            return (
                f"the {what} is {cost:g} because the steps were too large; reset with a lower "
                "learning rate"
            )
        for name, parameter in self.network.parameters.items():
            if parameter.grad is not None and not np.isfinite(parameter.grad).all():
                return f"the gradient of {name} is not finite; reset with a lower learning rate"
        return ""


def learn_steps(learner: Learner, steps: int | None = None) -> Iterator[Learned]:
    """Yields one `Learned` per step, at most `steps` if given; ends if training diverges."""
    taken = 0
    while steps is None or taken < steps:
        learned = learner.learn()
        yield learned
        if learned.diverged:
            return
        taken += 1


def fitting(config: MLPConfig, data: Dataset) -> MLPConfig:
    """Returns `config` with two inputs and as many outputs as the data's targets need."""
    outputs = data.classes if data.classes > 2 else 1
    return replace(config, sizes=(2, *config.sizes[1:-1], outputs))


def _fits(remembered: tuple[Any, int], shape: tuple[int, ...] | None) -> bool:
    """Whether an optimizer state fits a parameter of this shape."""
    state, _ = remembered
    kept = [getattr(state, name) for name in getattr(state, "__slots__", ())]
    return shape is not None and all(np.shape(value) in ((), shape) for value in kept)
