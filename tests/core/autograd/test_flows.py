"""One backward edge by edge, and what if a node had another value."""

from __future__ import annotations

import numpy as np
import pytest

from core.autograd import (
    are_single_after,
    expression,
    flows_of,
    graph_if,
    graph_like,
    graph_of,
    numeric_gradient_of,
    output_if,
    outputs_if,
    trace_backprop,
)

TEXTS = (
    "tanh(w1*x1 + w2*x2 + b)",
    "b = a * c\nsum(b * b + a) / c",
    "h = relu([[1, -2], [0.5, 3]] @ v)\nmean(softmax(h + a) * h)",
)
VALUES = {
    "w1": -3.0,
    "x1": 2.0,
    "w2": 1.0,
    "x2": 0.5,
    "b": 6.9,
    "a": 1.5,
    "c": -2.0,
    "v": [2.0, 0.5],
}


def graphs():
    for text in TEXTS:
        output = expression(text, **VALUES)
        yield output, graph_of(output)


def test_flows_end_in_the_gradients_of_backward():
    for output, graph in graphs():
        flows = flows_of(graph)
        assert all(node.tensor.grad is None for node in graph.nodes)
        output.backward()
        for node, gradient in zip(graph.nodes, flows.gradients, strict=True):
            if node.tensor.requires_grad:
                np.testing.assert_array_equal(gradient, node.tensor.grad)
            else:
                assert gradient is None


def test_what_arrives_at_a_node_is_the_sum_of_its_edges():
    graph = graph_of(expression("b = a * a\nb + a", a=3.0))
    flows = flows_of(graph)
    assert [float(flow) for flow in flows.along.values()] == [1.0, 1.0, 3.0, 3.0]
    assert float(flows.gradients[0]) == 7.0
    assert list(flows.arrived)[-1][0] == 1 and float(list(flows.arrived.values())[-1]) == 7.0


def test_flows_are_what_the_trace_tells():
    for output, graph in graphs():
        trace, flows = trace_backprop(output), flows_of(graph)
        while trace.grow():
            pass
        last = {}
        for step, place in zip(trace, trace.about["places"], strict=True):
            if place.phase in ("backward", "copies"):
                name = "contribution" if place.phase == "backward" else "total"
                last[place.node, place.input] = step.value(name)
            elif place.phase == "accumulate":
                total = step.value("total")
                np.testing.assert_array_equal(total, flows.arrived[place.node, place.input])
        assert last.keys() == flows.along.keys()
        for edge, value in last.items():
            flow = flows.along[edge]
            np.testing.assert_array_equal(value.reshape(flow.shape), flow)


def test_every_node_between_agrees_with_central_differences():
    for _, graph in graphs():
        gradients = flows_of(graph).gradients
        for number, gradient in enumerate(gradients):
            if gradient is not None:
                numeric = numeric_gradient_of(graph, number).slopes
                np.testing.assert_allclose(numeric, gradient, atol=1e-8)


def test_a_node_with_another_value_changes_only_what_depends_on_it():
    graph = graph_of(expression("tanh(w*x + b) * x", w=0.5, x=2.0, b=-1.0))
    names = {node.label: number for number, node in enumerate(graph.nodes)}
    moved = output_if(graph, names["x"], np.array(3.0))
    assert moved == pytest.approx(np.tanh(0.5) * 3)
    assert graph.nodes[names["x"]].tensor.item() == 2.0
    last = len(graph.nodes) - 1
    assert output_if(graph, last, np.array(5.0)) == 5.0
    with pytest.raises(ValueError, match="x has shape"):
        output_if(graph, names["x"], np.zeros(2))


def test_many_values_of_one_number_at_once_are_those_one_by_one():
    text = "c = gelu(w * x) + 2\nlog(c / x) ** 2 - sqrt(abs(x)) * x + w"
    graph = graph_of(expression(text, w=0.5, x=2.0))
    values = np.linspace(-2, 3, 11)
    for number, node in enumerate(graph.nodes):
        assert are_single_after(graph, number)
        one_by_one = [output_if(graph, number, np.array(value)) for value in values]
        at_once = outputs_if(graph, number, values)
        np.testing.assert_allclose(at_once, one_by_one, rtol=1e-12, err_msg=node.label)
    tensors = graph_of(expression("sum(w * [1, 2]) + x", w=0.5, x=2.0))
    names = {node.label: number for number, node in enumerate(tensors.nodes)}
    assert are_single_after(tensors, names["x"]) and not are_single_after(tensors, names["w"])
    with pytest.raises(ValueError, match="depends on w .* one after the other"):
        outputs_if(tensors, names["w"], values)


def test_what_is_not_finite_is_a_value_here():
    graph = graph_of(expression("log(x) * 2", x=0.0))
    gradients = flows_of(graph).gradients
    assert np.isinf(gradients[0]) and np.isnan(numeric_gradient_of(graph, 0).slopes)


def test_a_graph_with_other_values_keeps_its_names():
    text = "h = w * x + 2\ntanh(h) * x"
    known = graph_of(expression(text, w=1.0, x=2.0))
    output = expression(text, w=-3.0, x=0.5)
    found = graph_like(output, known)
    assert found == graph_of(output) and found.nodes[-1].tensor is output
    for other in ("h = w * x + 3\ntanh(h) * x", "h = w * x + 2\nsin(h) * x", "w * x"):
        assert graph_like(expression(other, w=1.0, x=2.0), known) is None
    assert graph_like(expression("h = w * x + 2\nsum(tanh(h) * x)", w=[1.0], x=2.0), known) is None


FORMULA = "h = w * x + 2\nm = [[1, 2], [3, 4]] * y\nsum(tanh(h) * m) + mean(softmax(m) @ y) * w"


def test_a_graph_if_its_leaves_were_others_is_the_one_of_those_values():
    values = {"w": 1.5, "x": -0.5, "y": [[0.25], [2.0]]}
    graph = graph_of(expression(FORMULA, **values))
    numbers = {node.label: number for number, node in enumerate(graph.nodes)}
    for moved in (
        {"w": 0.0},
        {"x": 3.0},
        {"y": [[1.0], [-4.0]]},
        {"w": -1.0, "y": [[np.inf], [0]]},
    ):
        found = graph_if(graph, {numbers[name]: np.array(one) for name, one in moved.items()})
        wanted = graph_of(expression(FORMULA, **(values | moved)))
        for one, other in zip(found.nodes, wanted.nodes, strict=True):
            assert one.tensor.name == other.tensor.name and one.text == other.text
            assert one.tensor.requires_grad == other.tensor.requires_grad
            np.testing.assert_array_equal(one.tensor.data, other.tensor.data)
        ours, theirs = flows_of(found), flows_of(wanted)
        assert ours.along.keys() == theirs.along.keys()
        for edge, flow in theirs.along.items():
            np.testing.assert_array_equal(ours.along[edge], flow)


def test_what_does_not_depend_on_the_leaf_is_shared():
    graph = graph_of(expression("tanh(a * b) + c * d", a=1.0, b=2.0, c=3.0, d=4.0))
    number = next(at for at, node in enumerate(graph.nodes) if node.label == "a")
    found = graph_if(graph, {number: np.array(5.0)})
    same = {
        old.label
        for old, new in zip(graph.nodes, found.nodes, strict=True)
        if old.tensor is new.tensor
    }
    assert same == {"b", "c", "d", "v3"} and found.nodes[-1].text == "v2 + v3"
    assert graph_if(graph, {}) == graph
    assert graph.nodes[number].tensor.item() == 1.0, "the old graph is as it was"
    with pytest.raises(ValueError, match="only a leaf"):
        graph_if(graph, {len(graph.nodes) - 1: np.array(0.0)})
    with pytest.raises(ValueError, match="a has shape"):
        graph_if(graph, {number: np.zeros(2)})


def test_what_cannot_be_another_number_is_told():
    graph = graph_of(expression("w * 2", w=1.0))
    two = next(at for at, node in enumerate(graph.nodes) if node.label == "2")
    with pytest.raises(ValueError, match="2 is called by its value; give it a name"):
        graph_if(graph, {two: np.array(5.0)})
    for number in (-1, 3):
        with pytest.raises(ValueError, match=f"no node {number}; the graph has 0 to 2"):
            graph_if(graph, {number: np.array(5.0)})
        with pytest.raises(ValueError, match="0 to 2"):
            output_if(graph, number, np.array(5.0))
