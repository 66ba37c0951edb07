"""One point's own way: its numbers are those of the network, its gradients those of backward."""

from __future__ import annotations

import math
import operator
from dataclasses import replace

import numpy as np
import pytest

from core.autograd.datasets import Dataset
from core.autograd.tensor import Tensor, zero_grad
from core.numbers import format_number
from explorer.panes.backprop.network.compute import Training
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.elements import Neuron, name_of
from explorer.panes.backprop.network.inspector import of_sample
from explorer.panes.backprop.network.sample_scene import SampleScenes
from explorer.panes.backprop.network.text import sample_headline, sample_title
from explorer.widgets.live_numbers import Equation

MADE = {"Add": operator.add, "Tanh": math.tanh, "Relu": lambda a: max(a, 0.0)}

KINDS = [
    {},
    {"activation": "relu", "hidden": (4,)},
    {"activation": "linear", "hidden": (3, 2)},
    {"activation": "sigmoid", "norm": "layer"},
    {"activation": "gelu", "data": "yin-yang"},
    {"activation": "tanh", "norm": "batch"},
    {"data": "hills", "hidden": (5, 4, 3)},
    {"hidden": (), "data": "plane"},
    {"penalty": "l2", "hidden": (6,)},
]


@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_numbers_and_gradients_are_those_of_the_network(changes):
    training = Training(replace(NetworkDraft(), **changes))
    for _ in range(5):
        training.one_step()
    x, y = training.data.points[7]
    sample = training.sample(7, x, y, float(training.data.targets[7]))
    scenes = SampleScenes(sample)
    end = scenes.at(len(sample) - 1)
    network = training.learner.network
    point = Tensor(np.array([[x, y]]))
    layers = network.layers(point)
    alone = replace(training.learner, settings=replace(training.learner.settings, penalty="none"))
    one = Dataset(point.data, training.data.targets[7:8], training.data.classes)
    zero_grad(list(network.parameters.values()))
    loss = alone.loss_of(layers[-1].out, one)
    loss.backward()
    assert end.loss == pytest.approx(loss.item(), abs=1e-12)
    for column in range(1, len(layers) + 1):
        weights = network.parameters[f"{column - 1}.weight"].grad
        np.testing.assert_allclose(end.weights[column - 1], weights, atol=1e-12)
    np.testing.assert_allclose(end.gradients[0], point.grad[0], atol=1e-12)


@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_a_neurons_value_and_gradient_are_of_one_quantity(changes):
    training = Training(replace(NetworkDraft(), **changes))
    training.several(20)
    sample = training.sample(3, *training.data.points[3], float(training.data.targets[3]))
    point = Tensor(np.array([sample.point]))
    layers = training.learner.network.layers(point)
    alone = replace(training.learner, settings=replace(training.learner.settings, penalty="none"))
    one = Dataset(point.data, np.array([training.data.targets[3]]), training.data.classes)
    alone.loss_of(layers[-1].out, one).backward()
    made = {"x0": point} | {
        f"{letter}{column}": tensor
        for column, layer in enumerate(layers, 1)
        for letter, tensor in (
            ("a", layer.out),
            ("z", layer.normed),
            ("u", layer.sums.inputs[0] if layer.normed is layer.sums else layer.sums),
        )
    }
    scenes, seen = SampleScenes(sample), set()
    for index in range(len(sample)):
        scene = scenes.at(index)
        for column, values in enumerate(scene.values):
            name = scene.name(column) if column else "x0"
            if values is None or not name:
                continue
            np.testing.assert_allclose(values, made[name].data[0], atol=1e-12)
            if scene.gradients[column] is not None:
                np.testing.assert_allclose(scene.gradients[column], made[name].grad[0], atol=1e-12)
                seen.add(name)
    last = len(layers)
    normed = {f"u{column}" for column in range(1, last)} if changes.get("norm") else set()
    said = set() if changes.get("activation") == "linear" else {f"a{n}" for n in range(1, last)}
    assert seen == {"x0", *(f"z{column}" for column in range(1, last + 1))} | normed | said


def test_nothing_is_known_before_it_is_computed():
    training = Training(NetworkDraft())
    sample = training.sample(0, 0.3, -0.2, 1.0)
    scenes = SampleScenes(sample)
    begin = scenes.at(0)
    assert begin.values[0].tolist() == [0.3, -0.2] and begin.values[1:] == (None, None, None)
    assert begin.loss is None and not any(g is not None for g in begin.gradients)
    half = scenes.at(0.5)
    assert half.layer == 0 and half.share == 0.5 and not half.backward
    np.testing.assert_allclose(half.flow.sum(0), half.values[1])
    before = scenes.at(sample.seed - 1)
    assert before.loss is not None and before.gradients == (None,) * 4
    assert all(sample_title(sample, index) for index in range(len(sample)))


@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_the_numbers_of_a_step_are_of_one_neuron_and_fit_its_formula(changes):
    training = Training(replace(NetworkDraft(), **changes))
    for _ in range(20):
        training.one_step()
    x, y = training.data.points[3]
    sample = training.sample(3, x, y, float(training.data.targets[3]))
    seen = set()
    for index in range(1, len(sample)):
        step, place = sample.step_at(index), sample.place_at(index)
        rows = [row.value for row in of_sample(sample, index, None).rows if hasattr(row, "value")]
        operation = step.name.split(".")[1]
        if step.name.startswith("backward.") and "local" in step.values:
            upstream, local, *_, contribution = rows
            assert contribution == pytest.approx(upstream * local, abs=1e-15)
        elif place.phase == "forward" and operation in MADE:
            assert rows[-1] == pytest.approx(MADE[operation](*rows[:-1]), abs=1e-15)
            seen.add(operation)
    assert "Add" in seen


def test_numbers_have_the_names_of_the_formula():
    training = Training(NetworkDraft())
    sample = training.sample(0, 0.3, -0.2, 1.0)
    told = {}
    for index in range(1, len(sample)):
        rows = of_sample(sample, index, Neuron(1, 4)).rows
        told[sample_title(sample, index)] = [row.name for row in rows if hasattr(row, "name")]
    assert told["layer 1: tanh of the sums"] == ["z1[5]", "a1[5]"]
    assert "output: sum plus bias" in told
    assert told["back through layer 1's tanh: multiplied by its slope"] == [
        "dL/da1[5]", "da1/dz1[5]", "a1[5]", "z1[5]", "dL/dz1[5]",
    ]  # fmt: skip


def test_the_loss_is_named_and_what_comes_of_it():
    training = Training(NetworkDraft())
    sample = training.sample(0, 0.3, -0.2, 1.0)
    told = [sample_headline(sample, index) for index in range(len(sample))]
    assert any("binary cross-entropy" in one for one in told[: sample.seed])
    slope = SampleScenes(sample).at(len(sample) - 1).gradients[-1].item()
    assert any(one.endswith(f"= {format_number(slope)}.") for one in told[sample.seed :])


def test_what_flows_back_adds_up_to_the_gradient():
    training = Training(NetworkDraft())
    sample = training.sample(0, 0.3, -0.2, 1.0)
    scenes = SampleScenes(sample)
    seen = 0
    for index in range(sample.seed, len(sample)):
        scene = scenes.at(index)
        if scene.flow is not None and "to layer" in sample_title(sample, index):
            np.testing.assert_allclose(scene.flow.sum(1), scene.gradients[scene.column])
            seen += 1
    assert seen == 2


def test_batch_norm_judges_a_point_by_what_was_learned_from():
    training = Training(replace(NetworkDraft(), norm="batch"))
    for _ in range(20):
        training.one_step()
    sample = training.sample(0, 0.3, -0.2, 1.0)
    said = training.learner.network.detached()(np.array([[0.3, -0.2]])).data[0]
    np.testing.assert_allclose(sample.output, said, atol=1e-12)
    told = [sample_title(sample, index) for index in range(len(sample))]
    assert any("u1 \u2212 m1" in one for one in told) and any("s1" in one for one in told)
    names = {node.label: role for node, role in zip(sample.graph.nodes, sample.roles, strict=True)}
    assert names["m1"].kind == names["s2"].kind == "norm" and names["s2"].column == 2


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_binary_cross_entropy_is_one_step_forward_and_one_back(y):
    training = Training(NetworkDraft())
    training.several(5)
    sample = training.sample(0, 0.3, -0.2, y)
    indices = range(1, len(sample))
    of_loss = [n for n in indices if sample.roles[sample.place_at(n).node].kind == "loss"]
    forward, seed, back = of_loss
    assert seed == sample.seed and len(sample) < 30
    rows = {row.name: row.value for row in of_sample(sample, forward, None).rows}
    parts = [value for name, value in rows.items() if name not in ("z3", "y", "L")]
    assert len(parts) == 3 and sum(parts) == pytest.approx(rows["L"]) == sample.loss
    assert "dL/dz = p \u2212 y" in sample_title(sample, back)
    of_back = of_sample(sample, back, None).rows
    told = {row.name: row.value for row in of_back if isinstance(row, Equation)}
    p = 1 / (1 + math.exp(-rows["z3"]))
    assert told["p"] == pytest.approx(p) and told["dL/dz3"] == pytest.approx(p - y)
    assert told["p \u2212 y"] * told["dL/dL"] == pytest.approx(told["dL/dz3"])
    step = sample.step_at(back)
    assert "sigma(z_{3})" in step.formula and step.code.endswith("BinaryCrossEntropy.grad_a#grad_a")


def test_cross_entropy_of_three_classes_has_each_classs_numbers():
    training = Training(NetworkDraft("yin-yang"))
    sample = training.sample(0, 0.3, -0.2, 1.0)
    forward, back = sample.seed - 1, sample.seed + 1
    rows = {row.name: row.value for row in of_sample(sample, forward, None).rows}
    shares = [rows[f"p[{n}]"] for n in (1, 2, 3)]
    assert sum(shares) == pytest.approx(1) and rows["L"] == pytest.approx(-math.log(shares[1]))
    told = [row.value for row in of_sample(sample, back, None).rows if hasattr(row, "value")]
    assert told == pytest.approx([shares[0], shares[1] - 1, shares[2]])


def test_a_layer_norm_can_be_followed_with_its_numbers():
    training = Training(NetworkDraft(norm="layer"))
    training.several(20)
    sample = training.sample(0, 0.3, -0.2, 1.0)
    seen = 0
    for index in range(1, len(sample)):
        if not sample.step_at(index).name.endswith(".Normalize"):
            continue
        rows = of_sample(sample, index, Neuron(1, 2)).rows
        numbers = [row.value for row in rows if hasattr(row, "value")]
        if index < sample.seed:
            a, mean, deviation, out = numbers
            assert out == pytest.approx((a - mean) / deviation)
        else:
            upstream, out, _, mean, stretch, deviation, made = numbers
            assert made == pytest.approx((upstream - mean - out * stretch) / deviation)
        seen += 1
    assert seen == 4


@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_every_step_is_told_by_what_it_does(changes):
    training = Training(replace(NetworkDraft(), **changes))
    sample = training.sample(0, *training.data.points[0], float(training.data.targets[0]))
    told = [sample_title(sample, index) for index in range(len(sample))]
    if changes.get("norm") is None:
        assert not [one for one in told if "gets a contribution" in one]
    assert len(set(told)) == len(told), "no two steps are called the same"


def test_what_the_code_calls_a_number_stands_beside_it():
    training = Training(NetworkDraft())
    sample = training.sample(0, 0.3, -0.2, 1.0)
    told = {}
    for index in range(1, len(sample)):
        rows = of_sample(sample, index, Neuron(1, 4)).rows
        told[sample_title(sample, index)] = {
            row.name: row.note for row in rows if hasattr(row, "note")
        }
    assert told["layer 1: tanh of the sums"] == {
        "z1[5]": "called a in the code",
        "a1[5]": "called out in the code",
    }
    back = told["back through layer 1's tanh: multiplied by its slope"]
    assert (
        back["dL/da1[5]"] == "called upstream in the code" and "contribution" in back["dL/dz1[5]"]
    )


def test_numbers_count_from_one_and_say_which_class_they_are_of():
    training = Training(NetworkDraft("yin-yang"))
    sample = training.sample(0, 0.3, -0.2, 1.0)
    shown = of_sample(sample, sample.seed - 1, None)
    notes = [row.note for row in shown.rows if row.name.startswith("p[")]
    assert all(f"class {number}" in note for number, note in enumerate(notes))
    assert "right" in notes[1] and "right" not in notes[0]
    shown = of_sample(sample, 1, None)
    rows, columns = shown.labels["b"]
    assert rows == ("1", "2") and columns[0] == "1" and len(columns) == 8
    assert name_of(3, 1, sample.sizes) == "output 2 (class 1)"
