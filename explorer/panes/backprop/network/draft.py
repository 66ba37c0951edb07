"""The setup: data, network and optimizer. All of it may change during training. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.autograd.datasets import DATASETS, Dataset, dataset
from core.autograd.initialization import INITIALIZATIONS
from core.autograd.mlp import ACTIVATIONS, NORMS, MLPConfig
from core.fields import check, field
from core.optimization.learner import LearnerSettings
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.schedules import SCHEDULES, usual_warmup

OWN = "own"  # a data set of only the points that the user adds
DATA = (*DATASETS, OWN)
MOST_LAYERS, MOST_NEURONS = 6, 8  # most hidden layers, and neurons in each
MOST_POINTS, MOST_ADDED = 1000, 500
PENALTIES = ("none", "l1", "l2")
REACH = 1.2  # half the side of the visible plane

Point = tuple[float, float, float]  # x1, x2, target


@dataclass(frozen=True)
class NetworkDraft:
    """The setup. `hidden` lists the neurons of each hidden layer; a batch of 0 is all points.

    added    training points that the user has added
    removed  indices of the data set's points that the user has removed
    seed     seed of weights and batches; `data_seed` is that of the points
    begun    how often training was restarted with the same weights, so that undo sees a change
    """

    data: str = field("moons", choices=DATA, help="The points that the network learns from")
    points: int = field(
        200, least=2, most=MOST_POINTS, help="How many points the data set has, from 2 to 1000"
    )
    noise: float = field(
        0.1, least=0, most=1, help="Standard deviation of the noise added to the points"
    )
    train_share: float = field(
        0.5,
        least=0.1,
        most=0.9,
        label="Training share",
        help="Share of the points to learn from; the others are for testing",
    )
    added: tuple[Point, ...] = field((), longest=MOST_ADDED, remedy="remove some of your points")
    removed: tuple[int, ...] = field((), least=0)
    hidden: tuple[int, ...] = field(
        (8, 8), least=1, most=MOST_NEURONS, longest=MOST_LAYERS, label="Hidden layers"
    )
    activation: str = field(
        "tanh", choices=ACTIVATIONS, help="The function applied to each weighted sum"
    )
    initialization: str = field(
        "kaiming",
        choices=INITIALIZATIONS,
        label="Initial weights",
        help="New neurons use it at once, all others after a reset",
    )
    scale: float = field(
        1.0,
        least=0,
        most=100,
        label="Initial weights ×",
        help="Multiplies all initial weights after a reset",
    )
    norm: str = field("none", choices=NORMS, help="How sums are normalized before the activation")
    optimizer: str = field(
        "adam", choices=OPTIMIZERS, help="The rule that turns gradients into steps"
    )
    learning_rate: float = field(0.01, least=1e-8, most=1e6, help="How large the steps are")
    schedule: str = field(
        "constant", choices=SCHEDULES, help="How the learning rate changes over the steps"
    )
    steps: int = field(
        2000,
        least=1,
        most=10**7,
        label="Steps of the schedule",
        help="How many steps the schedule lasts",
    )
    penalty: str = field(
        "none", choices=PENALTIES, label="Regularization", help="A penalty on large weights"
    )
    strength: float = field(
        1e-3,
        least=0,
        most=1e3,
        label="Regularization strength",
        help="How much the penalty counts in the loss",
    )
    batch_size: int = field(
        32,
        least=0,
        most=MOST_POINTS,
        label="Batch",
        help="How many points each step uses (all: every point)",
    )
    seed: int = field(0, least=0)
    data_seed: int = field(0, least=0, label="Points drawn by seed")
    begun: int = field(0, least=0)

    def __post_init__(self) -> None:
        check(self)

    @property
    def config(self) -> MLPConfig:
        """The network's configuration; inputs and outputs follow from the data."""
        sizes = (2, *self.hidden, 1)
        return MLPConfig(sizes, self.activation, self.initialization, self.norm, self.scale)

    @property
    def settings(self) -> LearnerSettings:
        return LearnerSettings(
            self.optimizer,
            self.learning_rate,
            self.schedule,
            min_learning_rate=0.0 if self.schedule == "constant" else self.learning_rate / 100,
            warmup_steps=self.warmup_steps,
            steps=self.steps,
            batch_size=self.batch_size,
            penalty=self.penalty,
            strength=self.strength,
        )

    @property
    def warmup_steps(self) -> int:
        """Warm-up of the schedule; a twentieth of the steps if it has no usual length."""
        if self.schedule == "constant":
            return 0
        usual = usual_warmup(self.schedule, self.steps) or self.steps // 20
        return min(usual, self.steps - 1)

    @property
    def about_data(self) -> tuple[Any, ...]:
        """Everything that determines the points."""
        own = (self.data, self.points, self.noise, self.train_share, self.data_seed)
        return (*own, self.added, self.removed)

    def is_like(self, other: NetworkDraft) -> bool:
        """Returns True if the setups differ at most in the number of restarts."""
        return {**vars(self), "begun": 0} == {**vars(other), "begun": 0}

    def begun_again(self) -> NetworkDraft:
        """Returns the same setup, to be trained from its initial weights again."""
        return replace(self, begun=self.begun + 1)

    def slower(self) -> NetworkDraft:
        """Returns the setup with a tenth of the learning rate."""
        return replace(self, learning_rate=float(f"{self.learning_rate / 10:.3g}"))

    def with_data(self, data: str) -> NetworkDraft:
        """Returns the setup with another data set, without the points added or removed by hand."""
        return replace(self, data=data, added=(), removed=())

    def with_point(self, x: float, y: float, target: float) -> NetworkDraft:
        if len(self.added) >= MOST_ADDED:
            raise ValueError(f"{MOST_ADDED} points have been added; remove some, or reset them")
        return replace(self, added=(*self.added, (float(x), float(y), float(target))))

    def without(self, origin: tuple[str, int]) -> NetworkDraft:
        """Returns the setup without the point from `origin` (see `Data`)."""
        kind, number = origin
        if kind == "added":
            return replace(self, added=self.added[:number] + self.added[number + 1 :])
        return replace(self, removed=(*self.removed, number))

    def with_neurons(self, layer: int, more: int) -> NetworkDraft:
        """Returns the setup with `more` neurons (or fewer) in a hidden layer, if it exists."""
        if layer >= len(self.hidden):
            return self
        hidden = list(self.hidden)
        hidden[layer] = min(MOST_NEURONS, max(1, hidden[layer] + more))
        return replace(self, hidden=tuple(hidden))

    def with_layers(self, more: int) -> NetworkDraft:
        """Adds a hidden layer at the end, as large as the last one, or removes the last one."""
        hidden = self.hidden
        if more < 0:
            return replace(self, hidden=hidden[:-1])
        if len(hidden) >= MOST_LAYERS:
            return self
        return replace(self, hidden=(*hidden, hidden[-1] if hidden else 4))


@dataclass(frozen=True, eq=False)
class Data:
    """All points as drawn, and their split into training and test set.

    points (N, 2), targets (N), tested (N): True for test points
    origins  for each point ("own", index in the data set) or ("added", index)
    """

    train: Dataset
    test: Dataset
    points: np.ndarray
    targets: np.ndarray
    tested: np.ndarray
    origins: tuple[tuple[str, int], ...]

    @property
    def classes(self) -> int:
        return self.train.classes


def make_data(one: NetworkDraft) -> Data:
    """Makes the points of a draft; the same draft gives the same points."""
    generator = np.random.default_rng(one.data_seed)
    if one.data == OWN:
        base = Dataset(np.zeros((0, 2)), np.zeros(0, dtype=np.int64), 2)
    else:
        base = dataset(one.data, one.points, one.noise, generator)
    kept = np.setdiff1d(np.arange(len(base)), np.array(one.removed, dtype=np.int64))
    cut = round(one.train_share * len(base))
    added = np.array(one.added, dtype=np.float64).reshape(-1, 3)
    targets = added[:, 2]
    if base.classes:
        targets = np.clip(np.rint(targets), 0, base.classes - 1).astype(np.int64)
    points = np.vstack([base.points[kept], added[:, :2]])
    whole = np.concatenate([base.targets[kept], targets])
    tested = np.concatenate([kept >= cut, np.zeros(len(added), dtype=bool)])
    origins = [("own", int(number)) for number in kept]
    origins += [("added", number) for number in range(len(added))]
    train, test = (Dataset(points[m], whole[m], base.classes) for m in (~tested, tested))
    return Data(train, test, points, whole, tested, tuple(origins))
