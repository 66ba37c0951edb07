"""One point's own way: its numbers are those of the network, its gradients those of backward."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.autograd.datasets import Dataset
from core.autograd.tensor import Tensor, zero_grad
from explorer.panes.backprop.network.experiment import Experiment
from explorer.panes.backprop.network.lab import Lab
from explorer.panes.backprop.network.sample import Faces
from explorer.panes.backprop.network.words import sample_title

KINDS = [
    {},
    {"activation": "relu", "hidden": (4,)},
    {"activation": "linear", "hidden": (3, 2)},
    {"activation": "sigmoid", "norm": "layer"},
    {"activation": "gelu", "data": "yin-yang"},
    {"data": "hills", "hidden": (5, 4, 3)},
    {"hidden": (), "data": "plane"},
    {"penalty": "l2", "hidden": (6,)},
]


@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_numbers_and_gradients_are_those_of_the_network(changes):
    lab = Lab(replace(Experiment(), **changes))
    for _ in range(5):
        lab.one_step()
    x, y = lab.data.points[7]
    sample = lab.sample(7, x, y, float(lab.data.targets[7]))
    faces = Faces(sample)
    end = faces.at(len(sample) - 1)
    network = lab.learner.network
    point = Tensor(np.array([[x, y]]))
    layers = network.layers(point)
    alone = replace(lab.learner, settings=replace(lab.learner.settings, penalty="none"))
    one = Dataset(point.data, lab.data.targets[7:8], lab.data.classes)
    zero_grad(list(network.parameters.values()))
    loss = alone.loss_of(layers[-1].out, one)
    loss.backward()
    assert end.loss == pytest.approx(loss.item(), abs=1e-12)
    for column, layer in enumerate(layers, 1):
        np.testing.assert_allclose(end.values[column], layer.out.data[0], atol=1e-12)
        weights = network.parameters[f"{column - 1}.weight"].grad
        np.testing.assert_allclose(end.weights[column - 1], weights, atol=1e-12)
    np.testing.assert_allclose(end.gradients[0], point.grad[0], atol=1e-12)


def test_nothing_is_known_before_it_is_computed():
    lab = Lab(Experiment())
    sample = lab.sample(0, 0.3, -0.2, 1.0)
    faces = Faces(sample)
    begin = faces.at(0)
    assert begin.values[0].tolist() == [0.3, -0.2] and begin.values[1:] == (None, None, None)
    assert begin.loss is None and not any(g is not None for g in begin.gradients)
    half = faces.at(0.5)
    assert half.layer == 0 and half.share == 0.5 and not half.backward
    np.testing.assert_allclose(half.flow.sum(0), half.values[1])
    before = faces.at(sample.seed - 1)
    assert before.loss is not None and before.gradients == (None,) * 4
    assert all(sample_title(sample, moment) for moment in range(len(sample)))


def test_what_flows_back_adds_up_to_the_gradient():
    lab = Lab(Experiment())
    sample = lab.sample(0, 0.3, -0.2, 1.0)
    faces = Faces(sample)
    seen = 0
    for moment in range(sample.seed, len(sample)):
        face = faces.at(moment)
        if face.flow is not None and "to layer" in sample_title(sample, moment):
            np.testing.assert_allclose(face.flow.sum(1), face.gradients[face.column])
            seen += 1
    assert seen == 2


def test_batch_norm_needs_a_batch():
    lab = Lab(replace(Experiment(), norm="batch"))
    with pytest.raises(ValueError, match="layer norm"):
        lab.sample(0, 0.0, 0.0, 1.0)
