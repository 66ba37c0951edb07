"""Networks of layers: the micrograd demo to twelve digits, torch's modules, where weights start."""

import random

import numpy as np
import pytest
import torch

from core.autograd import Tensor, zero_grad
from core.autograd.datasets import DATASETS, dataset
from core.autograd.initialization import INITIALIZATIONS
from core.autograd.losses import LOSSES, hinge, penalty
from core.autograd.mlp import ACTIVATIONS, MLP, NORMS, MLPConfig
from tests.core.autograd.moons_demo import MoonsDemo


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_moons_demo_of_micrograd():
    demo = MoonsDemo()
    assert demo.network.n_parameters == 337
    losses = [demo.step() for _ in range(100)]
    assert losses[0] == pytest.approx(0.8958441028683222, abs=1e-12)
    assert losses[99] == pytest.approx(0.010978370135492717, abs=1e-12)
    assert demo.accuracy == 1.0


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_is_torchs(activation, norm):
    config = MLPConfig((3, 5, 4, 2), activation, norm=norm)
    network = MLP.start(config, generator())
    x = generator(1).normal(size=(6, 3))
    layers: list[torch.nn.Module] = []
    for number, (n, m) in enumerate([(3, 5), (5, 4), (4, 2)]):
        layers.append(torch.nn.Linear(n, m, dtype=torch.float64))
        if number < 2:
            norms = {"layer": torch.nn.LayerNorm, "batch": torch.nn.BatchNorm1d}
            layers += [norms[norm](m, dtype=torch.float64)] if norm != "none" else []
            acts = {
                "tanh": torch.nn.Tanh(),
                "relu": torch.nn.ReLU(),
                "sigmoid": torch.nn.Sigmoid(),
                "gelu": torch.nn.GELU(approximate="tanh"),
                "linear": torch.nn.Identity(),
            }
            layers.append(acts[activation])
    reference = torch.nn.Sequential(*layers)
    linears = [part for part in reference if isinstance(part, torch.nn.Linear)]
    normed = [
        part for part in reference if isinstance(part, torch.nn.LayerNorm | torch.nn.BatchNorm1d)
    ]
    with torch.no_grad():
        for number, linear in enumerate(linears):
            linear.weight.copy_(torch.from_numpy(network.parameters[f"{number}.weight"].data.T))
            linear.bias.zero_()
    out = network.layers(x, learning=True)[-1].out
    wanted = reference(torch.from_numpy(x))
    np.testing.assert_allclose(out.data, wanted.detach().numpy(), atol=1e-12)
    out.backward(np.ones(out.shape))
    wanted.sum().backward()
    for number, linear in enumerate(linears):
        weight = network.parameters[f"{number}.weight"].grad
        np.testing.assert_allclose(weight.T, linear.weight.grad.numpy(), atol=1e-10)
    for number, part in enumerate(normed):
        gain = network.parameters[f"{number}.gain"].grad
        np.testing.assert_allclose(gain, part.weight.grad.numpy(), atol=1e-10)


def test_kaiming_keeps_the_size_of_what_flows_and_small_weights_do_not():
    x = generator(1).normal(size=(400, 100))
    sizes = (100,) * 8
    kept = MLP.start(MLPConfig(sizes, "relu", "kaiming"), generator()).layers(x)
    lost = MLP.start(MLPConfig(sizes, "relu", "kaiming", scale=0.3), generator()).layers(x)
    assert 0.5 < kept[5].sums.data.std() / kept[0].sums.data.std() < 2
    assert lost[5].sums.data.std() < 0.01 * lost[0].sums.data.std()
    stds = {name: make(400, 200, 1.0, generator()).std() for name, make in INITIALIZATIONS.items()}
    assert stds["xavier"] == pytest.approx((2 / 600) ** 0.5, rel=0.01)
    assert stds["kaiming"] == pytest.approx(400**-0.5, rel=0.01)
    assert stds["uniform"] == pytest.approx(3**-0.5, rel=0.01)
    assert stds["normal"] == pytest.approx(1.0, rel=0.01) and stds["zeros"] == 0


def test_the_same_seed_gives_the_same_network_and_another_size_keeps_what_fits():
    config = MLPConfig((2, 4, 1))
    first, again = (MLP.start(config, generator(3)) for _ in range(2))
    for name, tensor in first.parameters.items():
        np.testing.assert_array_equal(tensor.data, again.parameters[name].data)
    wider = first.resized(MLPConfig((2, 6, 1)), generator(9))
    np.testing.assert_array_equal(
        wider.parameters["0.weight"].data[:, :4], first.parameters["0.weight"].data
    )
    still = first.detached()
    out = still(np.zeros((1, 2)))
    assert not out.requires_grad
    assert "5.weight" not in still.parameters


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_torchs(name):
    rng = generator(2)
    columns = 3 if name == "cross-entropy" else 1
    out = Tensor(rng.normal(size=(7, columns)) * 4)
    out.data[:2] = 0.0  # of no opinion, as a network of zeros
    targets = rng.integers(0, max(2, columns), 7)
    mine = LOSSES[name](out, targets)
    mine.backward()
    z, y = torch.from_numpy(out.data.copy()).requires_grad_(), torch.from_numpy(targets)
    reference = {
        "cross-entropy": lambda: torch.nn.functional.cross_entropy(z, y),
        "binary cross-entropy": lambda: torch.nn.functional.binary_cross_entropy_with_logits(
            z[:, 0], y.double()
        ),
        "hinge": lambda: torch.nn.functional.margin_ranking_loss(
            z[:, 0], torch.zeros(7, dtype=torch.float64), 2 * y.double() - 1, margin=1.0
        ),
        "mean squared error": lambda: torch.nn.functional.mse_loss(z[:, 0], y.double()),
    }[name]()
    reference.backward()
    assert mine.item() == pytest.approx(reference.item(), rel=1e-12)
    np.testing.assert_allclose(out.grad, z.grad.numpy(), atol=1e-12)


def test_a_huge_output_has_a_finite_loss():
    out = Tensor([[-1e4], [1e4]])
    loss = LOSSES["binary cross-entropy"](out, [1, 1])
    loss.backward()
    assert loss.item() == 5000.0 and out.grad[0, 0] == -0.5


def test_penalties():
    weights = [Tensor([[1.0, -2.0]]), Tensor([3.0])]
    penalty(weights, "l2", 0.5).backward()
    assert weights[0].grad.tolist() == [[1.0, -2.0]]
    zero_grad(weights)
    cost = penalty(weights, "l1", 0.5)
    cost.backward()
    assert cost.item() == 3.0 and weights[0].grad.tolist() == [[0.5, -0.5]]
    with pytest.raises(ValueError, match="'l1' or 'l2'"):
        penalty(weights, "l3", 0.5)


@pytest.mark.parametrize("name", DATASETS)
def test_data_sets_are_seeded_balanced_and_in_view(name):
    first = dataset(name, 299, 0.0, generator(5))
    again = dataset(name, 299, 0.0, generator(5))
    np.testing.assert_array_equal(first.points, again.points)
    assert first.points.shape == (299, 2) and np.abs(first.points).max() <= 1.0
    if first.classes:
        counts = np.bincount(first.targets, minlength=first.classes)
        assert counts.min() > 0.4 * 299 / first.classes
    else:
        assert first.targets.std() > 0.1 and np.abs(first.targets).max() <= 1.0
    noisy = dataset(name, 299, 0.1, generator(5))
    moved = noisy.points - first.points
    assert moved.std() == pytest.approx(0.1, rel=0.15)


def test_points_are_split():
    train, test = dataset("xor", 50, 0.0, generator()).split(0.8, generator(1))
    assert len(train) == 40 and len(test) == 10
    everything = {tuple(p) for p in (*train.points.tolist(), *test.points.tolist())}
    assert len(everything) == 50
    with pytest.raises(ValueError, match="leaves one side empty"):
        train.split(1.0, generator())


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: MLPConfig((2,)), "sizes holds 1 of at least 2 entries; give inputs"),
        (lambda: MLPConfig((2, 0, 1)), r"sizes\[1\] must be a whole number"),
        (lambda: MLPConfig(activation="swish"), "use 'tanh', "),
        (lambda: MLPConfig(initialization="big"), "use 'kaiming', "),
        (lambda: MLPConfig(norm="group"), "use 'none', "),
        (lambda: MLP.start(MLPConfig(), generator())(np.zeros((3, 5))), r"reads \(N, 2\)"),
        (lambda: hinge(Tensor(np.zeros((3, 2))), [0, 1, 0]), r"\(N, 1\)"),
        (lambda: hinge(Tensor(np.zeros((3, 1))), [0, 1]), "as many targets"),
        (lambda: dataset("mnist", 10, 0.0, generator()), "use one of moons"),
        (lambda: dataset("xor", 1, 0.0, generator()), "at least 2"),
        (lambda: dataset("xor", 10, -1.0, generator()), "noise from 0"),
    ],
)
def test_what_cannot_be_is_told(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_the_demo_really_is_drawn_from_pythons_and_numpys_old_generators():
    random.seed(1337)
    assert MoonsDemo().network.parameters["0.weight"].data[0, 0] == random.uniform(-1, 1)
