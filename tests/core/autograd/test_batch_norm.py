"""Batch norm is torch's: by the batch while learning, by what was learned from at other times."""

import numpy as np
import pytest
import torch

from core.autograd import Tensor, zero_grad
from core.autograd.datasets import dataset
from core.autograd.mlp import MLP, MLPConfig
from core.optimization.learner import Learner, LearnerSettings
from core.optimization.statistics import layer_statistics, neuron_maps, plane_grid

CONFIG = MLPConfig((2, 5, 4, 1), norm="batch")


def torchs(network: MLP) -> torch.nn.Sequential:
    """The same network of torch's modules, with the same numbers."""
    parts: list[torch.nn.Module] = []
    numbers = {name: torch.from_numpy(one.data.copy()) for name, one in network.parameters.items()}
    for number, (n, m) in enumerate(zip(CONFIG.sizes, CONFIG.sizes[1:], strict=False)):
        last = number == network.n_layers - 1
        linear = torch.nn.Linear(n, m, bias=last, dtype=torch.float64)
        linear.weight.data = numbers[f"{number}.weight"].T
        parts.append(linear)
        if last:
            linear.bias.data = numbers[f"{number}.bias"]
        else:
            norm = torch.nn.BatchNorm1d(m, dtype=torch.float64)
            norm.weight.data = numbers[f"{number}.gain"]
            norm.bias.data = numbers[f"{number}.bias"]
            parts += [norm, torch.nn.Tanh()]
    return torch.nn.Sequential(*parts)


def learned(steps: int = 30) -> Learner:
    data = dataset("moons", 120, 0.1, np.random.default_rng(1))
    train, test = data.split(0.75, np.random.default_rng(2))
    one = Learner.start(CONFIG, train, test, LearnerSettings(batch_size=16), seed=0)
    for _ in range(steps):
        one.learn()
    return one


def test_learning_leaves_the_running_mean_and_variance_that_torch_has():
    data = dataset("moons", 90, 0.1, np.random.default_rng(1))
    settings = LearnerSettings("sgd", 0.1, batch_size=16)
    one = Learner.start(CONFIG, data, data, settings, seed=0)
    reference = torchs(one.network)
    sgd = torch.optim.SGD(reference.parameters(), lr=0.1)
    for _ in range(12):
        one.learn()
        x = torch.from_numpy(one.batch.points)
        y = torch.from_numpy(one.batch.targets).double()
        loss = torch.nn.functional.binary_cross_entropy_with_logits(reference(x)[:, 0], y)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    for number, norm in enumerate(part for part in reference if hasattr(part, "running_mean")):
        mean, variance = (one.network.running[f"{number}.{kind}"] for kind in ("mean", "variance"))
        np.testing.assert_allclose(mean, norm.running_mean.numpy(), atol=1e-10)
        np.testing.assert_allclose(variance, norm.running_var.numpy(), atol=1e-10)
    reference.eval()
    grid = plane_grid(7)
    wanted = reference(torch.from_numpy(grid)).detach().numpy()
    np.testing.assert_allclose(one.network(grid).data, wanted, atol=1e-10)
    maps = neuron_maps(one, 7)
    np.testing.assert_allclose(maps[-1].reshape(-1), wanted[:, 0], atol=1e-10)


def test_gradients_of_an_example_by_itself_are_torchs():
    network = learned().network
    reference = torchs(network).eval()
    for number, norm in enumerate(part for part in reference if hasattr(part, "running_mean")):
        norm.running_mean.copy_(torch.from_numpy(network.running[f"{number}.mean"]))
        norm.running_var.copy_(torch.from_numpy(network.running[f"{number}.variance"]))
    x = Tensor([[0.3, -0.2]])
    theirs = torch.tensor([[0.3, -0.2]], dtype=torch.float64, requires_grad=True)
    zero_grad(list(network.parameters.values()))
    network(x).backward([[1.0]])
    reference(theirs).backward()
    np.testing.assert_allclose(x.grad, theirs.grad.numpy(), atol=1e-12)
    for number, part in enumerate(p for p in reference if hasattr(p, "running_mean")):
        gain = network.parameters[f"{number}.gain"].grad
        np.testing.assert_allclose(gain, part.weight.grad.numpy(), atol=1e-12)


def test_what_is_said_of_a_point_does_not_depend_on_the_points_beside_it():
    one = learned()
    points = one.test.points
    together = one.network(points).data
    alone = np.concatenate([one.network(point[None]).data for point in points])
    np.testing.assert_allclose(together, alone, atol=1e-12)
    assert one.accuracy(one.train) > 0.8, "and it is what was learned"


def test_the_plane_is_drawn_as_points_are_judged():
    one = learned()
    side = 41
    plane = neuron_maps(one, side)[-1][0]
    for row, column in ((0, 0), (13, 30), (25, 7), (40, 40)):
        point = plane_grid(side).reshape(side, side, 2)[row, column]
        assert one.classes(point[None]).tolist() == [int(plane[row, column] > 0)]


def test_looking_changes_nothing_and_a_step_does():
    one = learned(3)
    before = {name: numbers.copy() for name, numbers in one.network.running.items()}
    layer_statistics(one)
    neuron_maps(one, 5)
    one.accuracy(one.test)
    for name, numbers in before.items():
        np.testing.assert_array_equal(one.network.running[name], numbers)
    still = one.network.detached()
    one.learn()
    for name, numbers in before.items():
        assert not np.array_equal(one.network.running[name], numbers)
        np.testing.assert_array_equal(still.running[name], numbers)


def test_a_batch_of_one_and_another_size_go_on():
    one = learned()
    kept = one.network.running["0.mean"].copy()
    one.resize(MLPConfig((2, 7, 4, 1), norm="batch"))
    np.testing.assert_array_equal(one.network.running["0.mean"][:5], kept)
    assert one.network.running["0.variance"][5:].tolist() == [1.0, 1.0]
    one.change(LearnerSettings(batch_size=1))
    assert not one.learn().diverged and np.isfinite(one.network.running["0.variance"]).all()
    one.resize(MLPConfig((2, 7, 1), norm="layer"))
    assert not one.network.running


@pytest.mark.parametrize("norm", ["none", "layer"])
def test_other_norms_know_no_batch(norm):
    network = MLP.start(MLPConfig((2, 5, 1), norm=norm), np.random.default_rng(0))
    x = np.random.default_rng(1).normal(size=(6, 2))
    np.testing.assert_array_equal(network(x).data, network.layers(x, learning=True)[-1].out.data)
