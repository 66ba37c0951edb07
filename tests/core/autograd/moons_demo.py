"""micrograd's demo (demo.ipynb): two moons, a network of 337 numbers, 100 steps of descent.

Its data come from scikit-learn's make_moons and its weights from Python's `random`, both with seed
1337; here they are drawn the same way without scikit-learn.
"""

import random

import numpy as np

from core.autograd import zero_grad
from core.autograd.losses import hinge, penalty
from core.autograd.mlp import MLP, MLPConfig


def make_moons(n: int, noise: float, state: np.random.RandomState):
    """scikit-learn's: two half circles, shuffled, then moved by normal noise."""
    angles = np.linspace(0, np.pi, n // 2)
    outer = np.stack([np.cos(angles), np.sin(angles)], 1)
    inner = np.stack([1 - np.cos(angles), 1 - np.sin(angles) - 0.5], 1)
    points = np.concatenate([outer, inner])
    targets = np.repeat([0, 1], n // 2)
    order = np.arange(n)
    state.shuffle(order)
    points, targets = points[order], targets[order]
    return points + state.normal(scale=noise, size=points.shape), targets


class MoonsDemo:
    def __init__(self) -> None:
        self.points, self.targets = make_moons(100, 0.1, np.random.RandomState(1337))
        config = MLPConfig((2, 16, 16, 1), "relu", "zeros")
        self.network = MLP.start(config, np.random.default_rng(0))
        draw = random.Random(1337)
        for number, (n, m) in enumerate([(2, 16), (16, 16), (16, 1)]):
            columns = [
                [draw.uniform(-1, 1) for _ in range(n)] for _ in range(m)
            ]  # neuron by neuron
            self.network.parameters[f"{number}.weight"].data = np.array(columns).T
        self.taken = 0
        self.accuracy = 0.0

    def step(self) -> float:
        """One step on all points; returns the loss before it."""
        parameters = list(self.network.parameters.values())
        out = self.network(self.points)
        loss = hinge(out, self.targets) + penalty(parameters, "l2", 1e-4)
        self.accuracy = float(((out.data[:, 0] > 0) == (self.targets == 1)).mean())
        zero_grad(parameters)
        loss.backward()
        rate = 1.0 - 0.9 * self.taken / 100
        for parameter in parameters:
            parameter.data = parameter.data - rate * parameter.grad
        self.taken += 1
        return loss.item()
