"""A plan knows when each step of a graph's Trace happens, and what it changes."""

import numpy as np
import pytest

from core.autograd import flows_of, graph_of, parse, plan_of, step_at

FORMULAS = {
    "b = a + a\nL = b * a": {"a": 3.0},
    "a = [1, 2, 3]\nb = [[1], [2]]\nc = a * b\nL = max(c) + sum(abs(c - 2))": {},
    "W = [[1, 2], [3, 4]]\nx = [[1], [-1]]\nL = mean(tanh(W @ x * k) ** 2)": {"k": 0.5},
}


@pytest.mark.parametrize("text", FORMULAS)
def test_each_moment_is_that_step_of_the_trace(text):
    graph = graph_of(
        parse(text).evaluate(
            {name: np.array(v) for name, v in FORMULAS[text].items()} | dict(parse(text).defaults)
        )
    )
    plan, flows = plan_of(graph), flows_of(graph)
    for number, at in enumerate(plan.appears):
        node = graph.nodes[number]
        assert (at == 0) is node.is_leaf
        if at:
            np.testing.assert_array_equal(step_at(graph, at - 1).value("out"), node.tensor.data)
    assert step_at(graph, plan.seed - 1).name == "backward.seed"
    for edge, at in plan.flows.items():
        assert plan.places[at].phase in ("backward", "copies")
        assert plan.places[plan.moment_of(edge)].phase == "backward"
        assert plan.moment_of(edge) <= at
    for number, grows in enumerate(plan.grows):
        if not grows:
            assert flows.gradients[number] is None
            continue
        at, last = grows[-1]
        assert [moment for moment, _ in grows] == sorted({moment for moment, _ in grows})
        assert at < len(plan)
        if last is not None:
            np.testing.assert_array_equal(flows.arrived[last], flows.gradients[number])
