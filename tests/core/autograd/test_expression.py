"""What a person may type, and what graph it is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.autograd import (
    ExpressionError,
    Parts,
    Tensor,
    expression,
    graph_of,
    parse,
    topological_order,
)


def test_an_expression_is_a_graph_with_named_leaves():
    out = expression("tanh(w*x + b)", w=0.5, x=2.0, b=-1.0)
    out.backward()
    assert out.item() == 0.0
    assert {name: leaf.grad.item() for name, leaf in out.leaves.items()} == {
        "w": 2.0, "x": 0.5, "b": 1.0,
    }  # fmt: skip


def test_lines_name_parts_and_a_number_there_is_a_leaf():
    typed = parse("x = 2\nw = -3\nn = w*x + b\ntanh(n)")
    assert typed.names == ("b",)
    assert {name: value.item() for name, value in typed.defaults.items()} == {"x": 2.0, "w": -3.0}
    out = typed.evaluate({"b": 6.5})
    out.backward()
    assert out.item() == np.tanh(0.5)
    assert list(out.leaves) == ["w", "x", "b"]
    assert out.inputs[0].name == "n"
    assert typed.evaluate({"b": 6.5, "w": -3.25}).item() == 0.0, "a value given goes before"


def test_a_name_may_be_given_anew_as_in_python():
    out = expression("c = a + a\nc = c + 1\nc * a", a=2.0)
    out.backward()
    assert out.item() == 10.0 and out.leaves["a"].grad == 9.0


@given(st.floats(-3, 3), st.floats(0.5, 3), st.floats(-3, 3))
def test_the_grammar_is_pythons(a, b, c):
    for text in ("a + b*c", "-a**2", "(a - c)/b - c", "b**-a", "a - -c", "+a*-(b + 2.5e-1)"):
        assert expression(text, a=a, b=b, c=c).item() == pytest.approx(
            eval(text, {"a": a, "b": b, "c": c}), rel=1e-12, abs=1e-12
        )


def test_tensors_matrices_and_lists():
    out = expression("sum(relu(x @ W + b))", x=np.ones((4, 3)), W=np.ones((3, 2)), b=[-1.0, -9.0])
    out.backward()
    assert out.item() == 8.0 and out.leaves["W"].grad.tolist() == [[4, 0]] * 3
    assert expression("max([1, 5, 3] * x)", x=2.0).item() == 10.0
    assert expression("mean(transpose(x))", x=[[1.0, 2.0]]).item() == 1.5
    assert expression("cos(pi)").item() == -1.0
    assert expression("pi * 2", pi=3.0).item() == 6.0, "a name of one's own goes before"
    shared = Tensor(2.0, name="s")
    assert expression("k * k", k=shared).leaves == {"s": shared}


def test_infinite_and_undefined_values_are_values():
    assert expression("1 / x", x=0.0).item() == np.inf
    assert np.isnan(expression("log(x)", x=-1.0).item())
    assert expression("9**9**9**9").item() == np.inf
    assert expression("exp(1e4)").item() == np.inf


def test_a_long_sum_is_flat():
    """It is read as nested by twos, which nobody sees who types it."""
    sum_of = " + ".join(f"x{one} * 2" for one in range(400))
    out = expression(sum_of, **{f"x{one}": one for one in range(400)})
    out.backward()
    assert out.item() == 2 * sum(range(400)) and out.leaves["x7"].grad == 2
    assert parse("(" * 90 + "x" + " + 1)" * 90).evaluate({"x": 1.0}).item() == 91
    assert expression("*".join(["x"] * 900), x=1.01).item() == pytest.approx(1.01**900)
    with pytest.raises(ExpressionError, match="deep"):
        parse("tanh(" * 101 + "x" + ")" * 101)
    with pytest.raises(ExpressionError, match="2,000 parts"):
        parse("+".join(["x"] * 1500))


def test_a_name_that_begins_as_a_number_can_be_given_more():
    out = expression("c = 3\nc = c + 1\nc * 2")
    assert out.item() == 8.0
    assert expression("c = 3\nc = c + 1\nc * 2", c=5.0).item() == 12.0


def test_a_part_keeps_its_place_when_tensors_of_others_are_gone():
    text = "c = w*x\nc = 3\nc + 2*w"
    typed = parse(text)
    for _ in range(50):
        parts = Parts()
        out = typed.evaluate({"w": 1.0, "x": 2.0}, parts)
        for tensor in topological_order(out):
            if tensor in parts.made:
                start, length = typed.place(parts.made[tensor])
                assert text[start : start + length] in ("c + 2*w", "2*w")
                assert not tensor.is_leaf


def test_a_product_with_a_vector_is_one_part():
    text, parts = "sum(x @ W)", Parts()
    typed = parse(text)
    out = typed.evaluate({"x": [1.0, 2.0], "W": [[1.0, 0.0], [0.0, 1.0]]}, parts)
    product, *_ = [one for one in topological_order(out) if one.ndim == 2 and not one.is_leaf][1:]
    assert product.operation.symbol == "@" and typed.place(parts.made[product]) == (4, 5)


def test_each_operation_knows_its_part_of_the_text():
    text = "n = w * x\n  tanh(n + -b)"
    expression, parts = parse(text), Parts()
    out = expression.evaluate({"w": 2.0, "x": 3.0, "b": 1.0}, parts)
    found = {}
    for tensor in topological_order(out):
        if not tensor.is_leaf:
            start, length = expression.place(parts.made[tensor])
            found[tensor.operation.name] = text[start : start + length]
    assert found == {
        "Multiply": "w * x",
        "Negate": "-b",
        "Add": "n + -b",
        "Tanh": "tanh(n + -b)",
    }


def test_what_has_a_name_anew_is_told_apart():
    def labels(text, **values):
        return [n.label for n in graph_of(expression(text, **values)).nodes if n.tensor.name]

    assert labels("c = a + b\nd = c * 2\nc = c + a\nc = c * d", a=1, b=2) == [
        "a", "b", "c", "c₂", "d", "c₃",
    ]  # fmt: skip
    assert labels("a = a * a\na * 3", a=2.0) == ["a", "a₂"]
    assert labels("c = a * a\nc2 = c + a\nc = c2 + c\nc * 2", a=2.0) == ["a", "c", "c2", "c₃"]
    assert labels("c = a + 1\nc = c\nc * c", a=2.0) == ["a", "c"], "the same thing under one name"
    assert labels("x = 3\nx = x + 1\nx * x", x=1.0) == ["x", "x₂"], "a leaf keeps its name"


def test_later_ones_of_a_name_are_counted_as_the_lines_are():
    out = expression("c = a + b\nd = c * 2\nc = a * b\nc + d", a=1.0, b=2.0)
    texts = {node.label: node.text for node in graph_of(out).nodes}
    assert texts["c"] == "a + b" and texts["c₂"] == "a × b"


def test_each_name_knows_where_it_is_read_and_which_line_gives_it():
    text = "c = 2\nc = c * x  # twice\nd = c\n\nx = +(x * d)\nx + c"
    typed, parts = parse(text), Parts()
    out = typed.evaluate({"x": 1.0}, parts)
    found = {}
    for tensor in topological_order(out):
        places = [typed.place(part) for part in parts.of(tensor)]
        where = [
            (text[:start].count("\n") + 1, text[start : start + length]) for start, length in places
        ]
        found[tensor.name] = parts.lines.get(tensor), where
    assert found == {
        "c": (1, [(1, "c"), (2, "c")]),
        "x": (None, [(2, "x"), (5, "x")]),
        "c₂": (2, [(2, "c * x")]),
        "x₂": (5, [(5, "x * d")]),
        "": (None, [(6, "x + c")]),
    }
    assert typed.given_at("c") == (4, 1)


def test_a_number_with_a_sign_is_one_number():
    def labels(text):
        return [(n.label, n.text) for n in graph_of(expression(text, w=2.0)).nodes]

    assert labels("w * -3") == [("w", "w"), ("\u22123", "\u22123"), ("v1", "w \u00d7 (\u22123)")]
    assert labels("-3 ** w")[-1][1] == "\u2212v1", "as in Python, the power comes first"
    assert labels("(-3) ** w")[-1][1] == "(\u22123) ** w"
    assert labels("w - -+-3")[-1][1] == "w \u2212 3"
    assert expression("sum(-[1, 2] * w)", w=2.0).item() == -6.0
    typed = parse("b = -[1, 2]\nc = +3\nsum(b) * c")
    assert {name: value.tolist() for name, value in typed.defaults.items()} == {
        "b": [-1.0, -2.0], "c": 3.0,
    }  # fmt: skip


def test_large_numbers_and_small_ones_are_set_as_powers():
    nodes = graph_of(expression("w * 1e20 + 1e-20 - 1.5e-30", w=2.0)).nodes
    constants = {node.label: node.latex for node in nodes if node.is_leaf and node.label != "w"}
    assert constants == {
        "1e20": "10^{20}", "1e\u221220": "10^{-20}",
        "1.5e\u221230": r"(1.5 \cdot 10^{-30})",
    }  # fmt: skip
