"""What a person may type, and what is refused, with its place."""

import re
import time

import numpy as np
import pytest
from hypothesis import example, given
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
from core.autograd.grammar import LONGEST


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


REFUSED = {
    "": ("type a formula", 0, 1),
    " \n ": ("type a formula", 0, 1),
    "# only a comment": ("type a formula", 0, 1),
    "a +": ("no complete formula", 3, 1),
    "a + (b": ("never closed", 4, 1),
    "2x": ("no complete formula", 0, 1),
    "  a ^ b": (r"write \*\*", 2, 5),
    "exp": (r"write exp\(...\)", 0, 3),
    "exp = 3": ("is a function", 0, 3),
    "1 + foo(x)": ("no function foo; there are exp", 4, 6),
    "tanh(x, y)": ("one value", 0, 10),
    "tanh(*x)": ("one value", 0, 8),
    "tanh(x=1)": ("one value", 0, 9),
    "__import__('os')": ("no function __import__", 0, 16),
    "x.real": ("a dot after a name", 0, 6),
    "().__class__.__bases__": ("a dot after a name", 0, 22),
    "[y for y in x]": ("a comprehension", 0, 14),
    "x[0]": ("an index", 0, 4),
    "(lambda: 1)()": ("calling anything but", 0, 13),
    "x if y else z": ("a condition", 0, 13),
    "x < y": ("a comparison", 0, 5),
    "x := 3": ("no complete formula", 2, 1),
    "import os": ("an import", 0, 9),
    "a = b = 3": ("no part of a formula", 0, 9),
    "def f(): return 1": ("no part of a formula", 0, 17),
    "'text'": ("only plain numbers", 0, 6),
    "1 + True": ("only plain numbers", 4, 4),
    "2j": ("only plain numbers", 0, 2),
    "[[1, 2], [3]]": ("rows of equal length", 0, 13),
    "2 * [{1: 2}]": ("rows of equal length", 4, 8),
    "[{1, 2}] * x": ("rows of equal length", 0, 8),
    "[[]]": ("rows of equal length", 0, 4),
    "_x + 1": ("starts with a letter", 0, 2),
    "a * (\u03b1 + \u03b2.x)": ("a dot after a name", 9, 3),
    "a = 1\n  \u00fc = a + \u00fc.x": ("a dot after a name", 16, 3),
    "(" * 300 + "x" + ")" * 300: ("nested", 200, 1),
    "-" * 5000 + "x": ("deep", 0, 1),
    "+".join(["x"] * 5000): ("deep", 0, 1),
    "9" * 5000: ("no complete formula", 0, 1),
    "1" + "0" * 400: ("only plain numbers", 0, 401),
    "x\x00y": ("null", 1, 1),
}


@pytest.mark.parametrize("text", REFUSED)
def test_everything_else_is_refused_with_its_place(text):
    said, start, length = REFUSED[text]
    with pytest.raises(ExpressionError, match=said) as caught:
        parse(text)
    if said and "deep" not in said:
        assert (caught.value.start, caught.value.length) == (start, length)


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


def test_other_operators_are_named_as_they_are_written():
    for text, sign in {"x // 2": "//", "x % 2": "%", "x | 2": "|", "x << 2": "<<"}.items():
        with pytest.raises(ExpressionError, match=f"^{re.escape(sign)} is not allowed"):
            parse(text)
    others = "x.y = 3|x[0] = 3|(y := 3)|await x|x += 2|x: float = 2|pass|class A: pass|del x"
    texts = "f'{x}'|not x|(x, 2)|{x}|x and y|[*x]|for a in b: a|def f(): return 1"
    for text in ("9" * 5000, *others.split("|"), *texts.split("|")):
        with pytest.raises(ExpressionError) as caught:
            parse(text)
        assert "Python" not in str(caught.value) and "sys." not in str(caught.value)
    with pytest.raises(ExpressionError, match="^a value for anything but one name is no part"):
        parse("x[0] = 3")
    with pytest.raises(ExpressionError, match="^and/or is not allowed"):
        parse("x and y")


def test_ten_megabytes_are_refused_at_once():
    text = "x+" * 5_000_000
    begin = time.process_time()
    with pytest.raises(ExpressionError, match=f"at most {LONGEST:,}"):
        parse(text)
    assert time.process_time() - begin < 0.1


def test_many_parts_are_told_before_they_are_built():
    with pytest.raises(ExpressionError, match="at most"):
        parse("\n".join(f"x{i} = a*b + a*b*c" for i in range(450)))


def test_a_name_without_a_value_and_shapes_that_do_not_fit_are_placed():
    with pytest.raises(ExpressionError, match="ww has no value") as caught:
        parse("www * 2 + ww").evaluate({"www": 1.0})
    assert (caught.value.start, caught.value.length) == (10, 2)
    with pytest.raises(ExpressionError, match=r"\(2,\) and \(3,\)") as caught:
        parse("1 + (a * b)").evaluate({"a": [1.0, 2.0], "b": [1.0, 2.0, 3.0]})
    assert (caught.value.start, caught.value.length) == (5, 5)
    with pytest.raises(ExpressionError, match="value of a is no number"):
        parse("a").evaluate({"a": "one"})


@given(st.text(max_size=60))
@example("x\rimport os")
@example("x\r\n\ry.z")
@example("x\x0c\n\x0c y.z\u2028")
def test_any_text_is_a_formula_or_refused(text):
    try:
        typed = parse(text)
        typed.evaluate(dict.fromkeys(typed.names, 1.0))
    except ExpressionError as error:
        assert str(error) and 0 <= error.start <= len(text) and error.length >= 1


def test_a_carriage_return_ends_a_line_and_keeps_its_place():
    for end in ("\r", "\r\n", "\n"):
        text = f"a = 2{end}  b.c"
        with pytest.raises(ExpressionError) as caught:
            parse(text)
        assert text[caught.value.start :] == "b.c"
        assert expression(f"a = x{end}a*3", x=2.0).item() == 6.0


@pytest.mark.parametrize(
    ("text", "said", "start"),
    [
        ("w = 1\na = w*x\nw = 2\nb = w*x\na + b", "w has numbers already", 18),
        ("a = w*x\nw = 2\na + w", "w is read above", 12),
        ("w = w + 1\nw = [1, 2]\nw", "w is read above", 14),
    ],
)
def test_a_name_gets_its_numbers_once_and_before_it_is_read(text, said, start):
    with pytest.raises(ExpressionError, match=said) as caught:
        parse(text)
    assert caught.value.start == start


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


def test_what_python_says_of_a_mistake_is_said_plainly():
    for text, said in {
        "y = 2x": "write 2\\*x",
        "a + sin  x": r"^sin is a function; write sin\(...\)",
        "sin (x) y": "something is missing",
        "a + b)": "closes nothing",
        "f(x) = 3": "only a name alone",
        "ln(x)": "natural logarithm is log",
        "x\u00b2": "'\u00b2' is no sign of a formula",
        "x\u200b*2": r"an invisible character \(U\+200B\) stands here; take it out",
        "try:\n x": "something is missing",
        "007*x": "begins with no 0",
        "(x]": "does not match",
    }.items():
        with pytest.raises(ExpressionError, match=said):
            parse(text)
    assert expression("cos(\u03c0) * w", w=1.0).item() == -1.0
