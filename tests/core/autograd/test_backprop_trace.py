"""The Trace of a graph: in the order of `backward`, with the values that its marked lines left."""

import tracemalloc

import numpy as np
import pytest

from core.autograd import Graph, Tensor, graph_of, step_at, trace_backprop, trace_graph
from core.autograd import functional as F
from core.trace import Trace, source
from tests.core.test_trace import MarkedLines

RNG = np.random.default_rng(3)


def whole(output: Tensor) -> Trace:
    trace = trace_backprop(output)
    while trace.grow():
        pass
    return trace


def everything() -> tuple[Tensor, list[Tensor]]:
    """A graph with every operation in it; some tensors broadcast and some are used twice."""
    x, w = Tensor(RNG.normal(size=(3, 4)), name="x"), Tensor(RNG.normal(size=(4, 4)), name="W")
    b, table = Tensor(RNG.normal(size=4), name="b"), Tensor(RNG.normal(size=(5, 4)), name="E")
    h = F.layer_norm(x @ w + b, b, b) + F.embedding(table, [0, 3, 0])
    h = F.tanh(h) * F.sigmoid(h) - F.relu(h) / (F.exp(h) + 1.0)
    h = F.gelu(h) + F.gelu(h, False) + F.sin(h) * F.cos(h) + -F.absolute(h)
    h = h + F.log(h * h + 1.0) + F.sqrt(h**2 + 0.5)
    scores = F.masked(h @ h.mT, ~np.tri(3, dtype=bool))
    mixed = F.concatenate([F.softmax(scores) @ h, h[:, :2], h.reshape(4, 3).T], axis=1)
    loss = F.cross_entropy(mixed, [1, 0, 8]) + h.mean() + h.max() * 0.1 + (h * b).sum()
    loss = loss + F.binary_cross_entropy(b, [1, 0, 0, 1])
    return loss, [x, w, b, table]


def test_the_marked_lines_left_every_value_of_the_trace():
    with MarkedLines() as watched:
        loss, _ = everything()
        loss.backward()
    trace = whole(loss)
    kinds = {step.name for step in trace}
    assert {"backward.seed", "backward.copies", "backward.accumulate"} <= kinds
    assert len([kind for kind in kinds if kind.startswith("forward")]) == 30
    for step in trace:
        seen = watched.locals.get(step.code, [])
        assert seen, f"{step.code} did not run"
        assert any(_left(frame, step) for frame in seen), (step.name, step.title)


def _left(frame: dict, step) -> bool:
    for name in step.values:
        base, _, index = name.partition("[")
        local = frame.get(base)
        if index and local is not None:
            local = local[int(index[:-1])] if int(index[:-1]) < len(local) else None
        value = step.value(name)
        if local is None or np.ndim(local) > value.ndim:
            return False
        sizes = zip(np.shape(local)[::-1], value.shape[::-1], strict=False)
        if any(mine not in (1, shown) for mine, shown in sizes):
            return False
        # A local derivative may be one number, or one row, for all elements.
        if not np.array_equal(np.broadcast_to(local, value.shape), value):
            return False
    return True


def test_the_steps_come_in_the_order_in_which_backward_runs():
    x, b = Tensor(RNG.normal(size=(2, 3)), name="x"), Tensor(RNG.normal(size=3), name="b")
    loss = ((x + b) * x).sum()
    assert [step.name for step in whole(loss)] == [
        "forward.Add", "forward.Multiply", "forward.Sum",
        "backward.seed",
        "backward.Sum",
        "backward.Multiply", "backward.Multiply",
        "backward.Add", "backward.accumulate",
        "backward.Add", "backward.copies",
    ]  # fmt: skip
    trace = whole(loss)
    assert [step.parent for step in trace][-4:] == [None, 7, None, 9]
    assert isinstance(trace.about["graph"], Graph)
    places = trace.about["places"]
    assert len(places) == len(trace) and places[-1].phase == "copies"
    assert [place.node for place in places[:3]] == [2, 3, 4]


def test_the_last_contributions_are_the_gradients():
    loss, leaves = everything()
    trace = whole(loss)
    graph, places = trace.about["graph"], trace.about["places"]
    final: dict[str, np.ndarray] = {}
    for step, place in zip(trace, places, strict=True):
        if place.input is not None:
            node = graph.nodes[graph.nodes[place.node].inputs[place.input]]
            last = step.value("total" if "total" in step.values else "contribution")
            final[node.label] = last[0] if last.ndim > node.tensor.ndim else last
    assert all(leaf.grad is None for leaf in leaves), "tracing leaves the tensors as they were"
    loss.backward()
    for leaf in leaves:
        np.testing.assert_allclose(final[leaf.name], leaf.grad, rtol=1e-12)


def test_upstream_times_local_is_the_contribution():
    trace = whole(everything()[0])
    shown = [step for step in trace if "local" in step.values]
    assert len(shown) > 20
    for step in shown:
        product = step.value("upstream") * step.value("local")
        np.testing.assert_allclose(product, step.value("contribution"), rtol=1e-12, atol=1e-15)


def test_every_formula_can_be_set_and_every_marker_leads_to_its_line():
    ziamath = pytest.importorskip("ziamath")
    for step in whole(everything()[0]):
        ziamath.Latex(step.formula)
        where = source(step.code)
        made = ("seed", "out", "contribution", "total")
        assert any(name in where.lines[where.marked] for name in made)


def test_constants_get_no_gradient_and_so_no_step():
    x = Tensor(3.0, name="x")
    names = [step.title for step in whole(x * 2.0)]
    assert names == [
        "v1 = x \u00d7 2",
        "The backward pass begins at v1, whose gradient is 1",
        "x gets a contribution from v1",
    ]


def test_a_large_graph_costs_no_budget_and_dies_of_no_depth():
    x = Tensor(np.ones(100_000), name="x")
    y = x
    for _ in range(100):
        y = y * 1.0
    trace = whole(y.sum())
    assert len(trace) == 101 * 2 + 1 and trace.nbytes < 1_000_000
    assert trace[3].value("out").shape == (100_000,)


def test_what_an_edge_carries_is_not_kept_beside_the_gradients():
    x, rows = Tensor(np.ones((1000, 100)), name="x"), [Tensor(np.ones(100)) for _ in range(30)]
    y = x
    for row in rows:
        y = y + row  # to each row flows as much as x is large
    loss = (y * 2.0).sum()
    tracemalloc.start()
    try:
        trace = whole(loss)
        gradients = 33 * x.data.nbytes
        assert tracemalloc.get_traced_memory()[0] < 1.2 * gradients
    finally:
        tracemalloc.stop()
    places = trace.about["places"]
    for step, place in zip(trace, places, strict=True):
        if place.phase in ("backward", "copies"):
            assert (step.value("contribution") == 2.0).all() or step.name == "backward.Sum"


def test_infinities_are_recorded_and_raise_nothing():
    x = Tensor(0.0, name="x")
    trace = whole(F.log(x) / x)
    assert trace[0].value("out") == -np.inf
    assert not np.isfinite(trace[len(trace) - 1].value("total"))


def test_only_one_number_can_be_traced():
    with pytest.raises(ValueError, match="a Tensor is traced, not a float"):
        trace_backprop(3.0)
    many = Tensor([1.0, 2.0]) * 2
    for trace in (trace_backprop, lambda output: trace_graph(graph_of(output))):
        with pytest.raises(ValueError, match="one number"):
            trace(many)


def test_one_step_alone_is_that_of_the_trace():
    loss, _ = everything()
    graph, steps = graph_of(loss), whole(loss)
    for index in (0, 7, len(steps) // 2, len(steps) - 2, len(steps) - 1):
        one, same = step_at(graph, index), steps[index]
        assert (one.name, one.title, one.formula, one.code, one.parent) == (
            same.name,
            same.title,
            same.formula,
            same.code,
            same.parent,
        )
        assert one.values.keys() == same.values.keys()
        for name in one.values:
            np.testing.assert_array_equal(one.value(name), same.value(name))
    for none in (-1, len(steps)):
        with pytest.raises(IndexError, match="no step"):
            step_at(graph, none)


def test_one_copy_is_not_added_up():
    """An axis of size 1 in front, as of a bias (2) over one row (1, 2), copies nothing."""
    x, b = Tensor(np.ones((1, 2)), name="x"), Tensor(np.ones(2), name="b")
    W, one = Tensor(np.ones((2, 2)), name="W"), Tensor(np.ones((1, 1, 2)), name="one")
    loss = ((x @ W + b) * (one @ W + b)).sum()
    trace = whole(loss)
    assert "backward.copies" not in {step.name for step in trace}
    assert len(trace.about["places"]) == len(trace)
    loss.backward()
    last = [step for step in trace if step.title.startswith("b is used more")][-1]
    np.testing.assert_array_equal(last.value("total"), b.grad)
    assert "backward.copies" in {step.name for step in whole((b + np.ones((3, 2))).sum())}


@pytest.mark.parametrize("name", ["Softmax", "Max", "Embedding"])
def test_both_sides_of_a_formula_are_of_one_element(name):
    steps = [step for step in whole(everything()[0]) if step.name == f"backward.{name}"]
    for step in steps:
        left, right = step.formula.split("{+}{=}")
        letter = "r" if name == "Embedding" else "i"
        assert left.rstrip("\\; ").endswith(rf"\Bigr)_{letter}")
        assert f"_{letter}" in right or f"= {letter}" in right
    assert steps
