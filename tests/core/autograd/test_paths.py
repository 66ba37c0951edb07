"""The chain rule along every path, and the same gradients as `backward`."""

import numpy as np
import pytest

from core.autograd import Tensor, graph_of
from core.autograd import functional as F
from core.autograd.paths import count_paths, edges_on_the_way, paths_from


def numbers(graph):
    """Of the leaves, by name."""
    return {node.label: number for number, node in enumerate(graph.nodes) if node.is_leaf}


def test_one_path_is_a_product_of_local_derivatives():
    w, x, b = Tensor(-3.0, name="w"), Tensor(2.0, name="x"), Tensor(6.5, name="b")
    out = F.tanh(w * x + b)
    graph = graph_of(out)
    (path,) = paths_from(graph, numbers(graph)["w"])
    assert path.nodes[0] == numbers(graph)["w"] and path.nodes[-1] == len(graph.nodes) - 1
    assert path.factors == pytest.approx((2.0, 1.0, 1 - np.tanh(0.5) ** 2))
    out.backward()
    assert path.product == pytest.approx(w.grad.item())


def test_the_gradient_is_the_sum_over_all_paths():
    a = Tensor(3.0, name="a")
    out = (a + a) * a
    graph = graph_of(out)
    number = numbers(graph)["a"]
    paths = paths_from(graph, number)
    out.backward()
    assert sorted(path.product for path in paths) == [3.0, 3.0, 6.0]
    assert sum(path.product for path in paths) == a.grad.item()
    assert len(edges_on_the_way(graph, number)) == 4
    assert paths_from(graph, number, most=2) == []


def test_very_many_paths_are_counted_and_none_is_walked():
    value = Tensor(1.0, name="x") * 1.0
    for _ in range(29):
        value = value * value
    graph = graph_of(value)
    number = numbers(graph)["x"]
    assert count_paths(graph, number) == 2**29 and paths_from(graph, number) == []


def test_there_is_none_from_the_end_or_through_tensors():
    w = Tensor(np.ones(3), name="w")
    graph = graph_of((w * 2.0).sum())
    assert paths_from(graph, numbers(graph)["w"]) == []
    assert paths_from(graph, len(graph.nodes) - 1) == []


def test_what_a_relu_stops_is_0_however_steep_it_is_after():
    x = Tensor(-1.0, name="x")
    graph = graph_of(F.sqrt(F.relu(x)))
    (path,) = paths_from(graph, 0)
    assert path.factors == (0.0, np.inf) and path.product == 0.0
