"""The small network that learns: it does, like torch's, and everything may change on the way."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.autograd.datasets import DATASETS, Dataset, dataset
from core.autograd.mlp import MLPConfig
from core.optimization.learner import Learner, LearnerSettings, learn_steps
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.statistics import (
    dead_neurons,
    layer_statistics,
    neuron_maps,
    plane_grid,
    saturated_share,
)


def learner(name: str = "moons", config: MLPConfig | None = None, **settings) -> Learner:
    data = dataset(name, 120, 0.05, np.random.default_rng(1))
    train, test = data.split(0.75, np.random.default_rng(2))
    config = config or MLPConfig((2, 8, 8, 1))
    return Learner.start(config, train, test, LearnerSettings(**settings), seed=0)


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_is_learned(name):
    one = learner(name, MLPConfig((2, 16, 16, 1)), batch_size=0)
    moments = list(learn_steps(one, 400))
    assert [moment.step for moment in moments] == list(range(1, 401))
    assert moments[-1].loss < 0.35 * moments[0].loss
    if one.train.classes:
        assert one.accuracy(one.train) > (0.85 if name in ("spiral", "yin-yang") else 0.95)
    else:
        assert math.isnan(one.accuracy(one.train)) and one.test_loss() < 0.05


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns(name):
    rate = 0.003 if name in ("lion", "muon", "rmsprop") else 0.05
    one = learner(optimizer=name, learning_rate=rate)
    losses = [moment.loss for moment in learn_steps(one, 150)]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:5])


def test_ten_steps_are_torchs():
    one = learner(optimizer="adam", learning_rate=0.01, batch_size=0)
    weights = {
        name: torch.from_numpy(tensor.data.copy()).requires_grad_()
        for name, tensor in one.network.parameters.items()
    }
    adam = torch.optim.Adam(weights.values(), lr=0.01)
    x, y = torch.from_numpy(one.train.points), torch.from_numpy(one.train.targets).double()
    for moment in learn_steps(one, 10):
        h = x
        for number in range(2):
            h = torch.tanh(h @ weights[f"{number}.weight"] + weights[f"{number}.bias"])
        out = (h @ weights["2.weight"] + weights["2.bias"])[:, 0]
        loss = torch.nn.functional.binary_cross_entropy_with_logits(out, y)
        assert moment.loss == pytest.approx(loss.item(), rel=1e-10)
        adam.zero_grad()
        loss.backward()
        adam.step()
    for name, tensor in weights.items():
        mine = one.network.parameters[name].data
        np.testing.assert_allclose(mine, tensor.detach().numpy(), atol=1e-10)


def test_everything_may_change_on_the_way():
    one = learner()
    before = one.network.parameters["0.weight"].data.copy()
    for _ in range(3):
        one.learn()
    one.change(replace(one.settings, learning_rate=0.1, batch_size=7, penalty="l2"))
    assert one.states, "another learning rate forgets nothing"
    one.learn()
    one.change(replace(one.settings, optimizer="momentum"))
    assert not one.states
    one.learn()
    one.resize(MLPConfig((2, 12, 1), "relu"))
    assert one.learn().step == 6
    assert one.network.parameters["0.weight"].shape == (2, 12)
    points = np.vstack([one.train.points, [0.2, 0.2]])
    one.train = Dataset(points, np.append(one.train.targets, 1), 2)
    one.change(replace(one.settings, batch_size=0))
    one.learn()
    assert not np.array_equal(before, one.network.parameters["0.weight"].data[:, :8])


def test_what_the_optimizer_remembers_stays_where_the_shape_does():
    one = learner(optimizer="adam")
    one.learn()
    one.resize(MLPConfig((2, 8, 8, 8, 1)))
    assert set(one.states) == {"0.weight", "0.bias", "1.weight", "1.bias", "2.bias"} - {"2.bias"}


def test_the_schedule_is_followed():
    one = learner(schedule="cosine", learning_rate=0.1, steps=10, warmup_steps=2)
    rates = [moment.learning_rate for moment in learn_steps(one, 12)]
    assert rates[0] < rates[1] < max(rates) == 0.1 and rates[11] == 0.0


def test_a_rate_that_is_too_large_is_told_and_changes_nothing_more():
    one = learner("plane", MLPConfig((2, 8, 1), "linear"), optimizer="sgd", learning_rate=1e4)
    moments = list(learn_steps(one, 5000))
    assert len(moments) < 5000 and "lower learning rate" in moments[-1].diverged
    kept = {name: tensor.data.copy() for name, tensor in one.network.parameters.items()}
    assert one.learn().diverged
    for name, tensor in one.network.parameters.items():
        np.testing.assert_array_equal(tensor.data, kept[name])


def test_what_is_not_finite_is_named():
    one = learner(optimizer="sgd", learning_rate=0.1, penalty="l2", strength=1000.0)
    *_, last = learn_steps(one, 5000)
    assert last.diverged.startswith("the penalty is inf")
    one = learner("plane", MLPConfig((2, 8, 1), "linear"), optimizer="sgd", learning_rate=1e4)
    *_, last = learn_steps(one, 5000)
    assert last.diverged.startswith("the loss is inf")


@pytest.mark.parametrize("kind", ["l1", "l2"])
def test_the_gradients_of_the_batch_are_known_without_the_penaltys(kind):
    plain, one = (learner(penalty=penalty, strength=0.1) for penalty in ("none", kind))
    weights = {name: tensor.data for name, tensor in one.network.parameters.items()}
    plain.learn(), one.learn()
    assert set(one.slopes) == set(weights)
    for name, weight in weights.items():
        np.testing.assert_array_equal(one.slopes[name], plain.network.parameters[name].grad)
        cost = 0.2 * weight if kind == "l2" else 0.1 * np.sign(weight)
        price = cost if name.endswith("weight") else 0.0
        whole = one.network.parameters[name].grad
        np.testing.assert_allclose(one.slopes[name] + price, whole, rtol=0, atol=1e-14)


def test_the_same_seed_learns_the_same():
    first, again = (learner(batch_size=16) for _ in range(2))
    assert [m.loss for m in learn_steps(first, 20)] == [m.loss for m in learn_steps(again, 20)]


def test_statistics_show_what_is_wrong():
    fine = learner(config=MLPConfig((2, 8, 8, 1)))
    fine.learn()
    layers = layer_statistics(fine)
    assert [layer.name for layer in layers] == ["layer 1", "layer 2", "layer 3"]
    assert layers[0].activations.counts.sum() == 90 * 8
    assert -5 < layers[0].ratio < 0 and layers[0].saturated < 0.2
    hot = layer_statistics(learner(config=MLPConfig((2, 8, 8, 1), scale=30.0)))
    assert hot[0].saturated > 0.8 and math.isnan(hot[0].ratio)
    vanishing = layer_statistics(learner(config=MLPConfig((2, *[8] * 6, 1), "sigmoid", scale=0.5)))
    assert vanishing[0].gradients.std < 1e-3 * vanishing[-1].gradients.std
    dying = learner(config=MLPConfig((2, 8, 1), "relu"))
    dying.network.parameters["0.bias"].data[3] = -100.0
    assert layer_statistics(dying)[0].dead.tolist()[3] and not layer_statistics(dying)[0].dead[0]
    assert saturated_share(np.array([[0.001, 0.5]]), "sigmoid") == 0.5
    assert not dead_neurons(np.zeros((3, 2)), "tanh").any()


def test_maps_lie_as_the_plane_does():
    grid = plane_grid(5)
    assert grid[0].tolist() == [-1, 1] and grid[-1].tolist() == [1, -1]
    one = learner()
    maps = neuron_maps(one, 5)
    assert [m.shape for m in maps] == [(8, 5, 5), (8, 5, 5), (1, 5, 5)]
    corner = one.network.detached()(np.array([[1.0, 1.0]])).item()
    assert maps[-1][0, 0, 4] == pytest.approx(corner)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: LearnerSettings(learning_rate=0.0), "above 0"),
        (lambda: LearnerSettings(learning_rate=math.nan), "above 0"),
        (lambda: LearnerSettings(optimizer="adamax"), "unknown"),
        (lambda: LearnerSettings(penalty="l3"), "'none', 'l1' or 'l2'"),
        (lambda: LearnerSettings(batch_size=-1), "batch_size must be .* at least 0"),
        (lambda: LearnerSettings(strength=math.nan), "strength must be a finite number"),
        (lambda: LearnerSettings(schedule="sawtooth"), "sawtooth"),
        (lambda: LearnerSettings(schedule="cosine", warmup_steps=9, steps=9), "use fewer"),
        (lambda: LearnerSettings(warmup_steps=-1), "warmup_steps must be"),
        (lambda: LearnerSettings(steps=0), "steps must be a whole number of at least 1"),
        (lambda: LearnerSettings(min_learning_rate=1.0), "use 0 to 0.03"),
        (lambda: LearnerSettings(min_learning_rate=math.nan), "min_learning_rate must be"),
    ],
)
def test_settings_that_cannot_be(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_no_points_is_told():
    one = learner()
    one.train = Dataset(np.zeros((0, 2)), np.zeros(0, np.int64), 2)
    with pytest.raises(ValueError, match="no points to learn from"):
        one.learn()
