"""The graph and the way back through it: order, fan-out, depth, accumulation."""

import gc

import numpy as np
import pytest
import torch

from core.autograd import Tensor, graph_of, topological_order, zero_grad
from core.autograd import functional as F
from core.autograd.graph import latex_name


def test_the_values_of_micrograds_readme():
    a, b = Tensor(-4.0), Tensor(2.0)
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + F.relu(b + a)
    d = d + 3 * d + F.relu(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    g.backward()
    assert g.item() == 24.70408163265306
    assert a.grad.item() == 138.83381924198252
    assert b.grad.item() == 645.5772594752186


def test_the_values_of_micrograds_test_and_lecture():
    x = Tensor(-4.0)
    z = 2 * x + 2 + x
    q = F.relu(z) + z * x
    h = F.relu(z * z)
    y = h + q + q * x
    y.backward()
    assert y.item() == -20.0 and x.grad.item() == 46.0

    x1, x2, w1, w2 = Tensor(2.0), Tensor(0.0), Tensor(-3.0), Tensor(1.0)
    o = F.tanh(x1 * w1 + x2 * w2 + 6.8813735870195432)
    o.backward()
    grads = [tensor.grad.item() for tensor in (x1, w1, x2, w2)]
    np.testing.assert_allclose([o.item(), *grads], [0.5**0.5, -1.5, 1.0, 0.5, 0.0], atol=1e-12)

    a, b, c, f = Tensor(2.0), Tensor(-3.0), Tensor(10.0), Tensor(-2.0)
    loss = (a * b + c) * f
    assert loss.item() == -8.0
    loss.backward()
    stepped = [leaf.data + 0.01 * leaf.grad for leaf in (a, b, c, f)]
    assert (stepped[0] * stepped[1] + stepped[2]) * stepped[3] == pytest.approx(-7.286496, 1e-9)


def test_a_tensor_that_is_used_twice_gets_both_gradients():
    a = Tensor(3.0)
    (a + a).backward()
    assert a.grad == 2.0
    b = Tensor([1.0, 2.0])
    (b * b * b).sum().backward()
    np.testing.assert_allclose(b.grad, 3 * b.data**2)


def test_diamonds_are_exact():
    x = Tensor(1.0)
    y = x
    for _ in range(60):
        y = y + y  # 2 ** 60 ways back
    y.backward()
    assert x.grad == 2.0**60


def test_a_chain_of_100_000_additions_neither_recurses_nor_drifts():
    x = Tensor(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    y.backward()
    assert y.item() == 100_001.0 and x.grad == 1.0
    assert len(topological_order(y)) == 200_001
    del y
    gc.collect()  # taking the chain apart must not recurse either


def test_leaves_accumulate_and_a_second_backward_adds_the_same_again():
    x = Tensor(2.0)
    inner = x * x
    y = inner * 3
    y.backward()
    y.backward()
    t = torch.tensor(2.0, requires_grad=True)
    reference = t * t * 3
    reference.backward(retain_graph=True)
    reference.backward()
    assert x.grad == t.grad.item() == 24.0
    assert inner.grad == 3.0 and y.grad == 1.0
    zero_grad([x])
    y.backward()
    assert x.grad == 12.0


def test_backward_of_a_leaf_is_one():
    x = Tensor(5.0)
    x.backward()
    assert x.grad == 1.0


def test_what_wants_no_gradient_gets_none():
    x, w = Tensor([1.0, 2.0], requires_grad=False), Tensor([3.0, 4.0])
    (x * w).sum().backward()
    assert x.grad is None and w.grad.tolist() == [1.0, 2.0]
    assert not (x * 2).requires_grad


def test_numbers_and_arrays_stand_on_either_side():
    x = Tensor([1.0, 2.0])
    array = np.array([3.0, 5.0])
    for out, wanted in (
        (array - x, [2, 3]),
        (x - array, [-2, -3]),
        (array @ x, 13),
        (x @ array, 13),
    ):
        assert isinstance(out, Tensor)
        np.testing.assert_array_equal(out.data, wanted)
    assert (2 - x).data.tolist() == [1, 0] and (2 / x).data.tolist() == [2, 1]


def test_only_one_number_starts_a_backward():
    x = Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match="take its sum"):
        (x * x).backward()
    with pytest.raises(ValueError, match="upstream has shape"):
        (x * x).backward(1.0)
    (x * x).backward([1.0, 10.0])
    assert x.grad.tolist() == [2.0, 40.0]


def test_the_order_is_the_same_every_time_and_inputs_come_first():
    def build() -> Tensor:
        a, b = Tensor(1.0, name="a"), Tensor(2.0, name="b")
        c = a * b
        return F.tanh(c + a) * c + b

    first, second = (graph_of(build()) for _ in range(2))
    assert [node.text for node in first.nodes] == [node.text for node in second.nodes]
    for number, node in enumerate(first.nodes):
        assert all(before < number for before in node.inputs)
    assert [n.label for n in first.nodes if n.is_leaf] == ["a", "b"]


def test_nodes_are_named_for_people_and_for_latex():
    w1, theta = Tensor(1.0, name="w1"), Tensor(2.0, name="theta")
    rate = Tensor(3.0, name="learning_rate")
    out = F.tanh(w1 * theta - rate * -2.0).named("o")
    nodes = graph_of(out).nodes
    assert [node.label for node in nodes] == [
        "w1", "theta", "v1", "learning_rate", "\u22122", "v2", "v3", "o",
    ]  # fmt: skip
    assert [node.latex for node in nodes] == [
        "w_{1}", r"\theta", "v_{1}", r"\mathrm{learning\_rate}", "(-2)", "v_{2}", "v_{3}", "o",
    ]  # fmt: skip
    assert [node.text for node in nodes if not node.is_leaf] == [
        "w1 \u00d7 theta", "learning_rate \u00d7 (\u22122)", "v1 \u2212 v2", "tanh(v3)",
    ]  # fmt: skip


def test_a_name_that_a_person_gave_is_not_given_again():
    v1 = Tensor(1.0, name="v1")
    labels = [node.label for node in graph_of(v1 * v1 + v1).nodes]
    assert labels == ["v1", "v2", "v3"]


def test_a_name_given_anew_has_an_index():
    names = {"c₂": "{c}_{2}", "theta₃": r"{\theta}_{3}", "w1₁₂": "{w_{1}}_{12}"}
    assert {name: latex_name(name) for name in names} == names
