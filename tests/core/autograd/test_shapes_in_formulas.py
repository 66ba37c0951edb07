"""Tensors by shape in a formula, and how many numbers it may have."""

import tracemalloc

import numpy as np
import pytest

from core.autograd import ExpressionError, expression, parse
from core.autograd.grammar import MOST_NUMBERS


def test_a_line_gives_a_name_a_tensor_by_its_shape():
    typed = parse("W = randn(3, 4)\nb = zeros(4)\nu = ones(2, 1, 3)\nsum(tanh(x @ W + b))")
    assert typed.names == ("x",)
    assert {name: array.shape for name, array in typed.defaults.items()} == {
        "W": (3, 4), "b": (4,), "u": (2, 1, 3),
    }  # fmt: skip
    assert not typed.defaults["b"].any() and (typed.defaults["u"] == 1).all()
    out = typed.evaluate({"x": [[1.0, 2.0, 3.0]]})
    out.backward()
    assert out.leaves["W"].grad.shape == (3, 4) and out.leaves["b"].grad.shape == (4,)
    assert typed.evaluate({"x": [[1.0, 2.0, 3.0]], "W": np.zeros((3, 4))}).item() == 0.0


def test_a_number_keeps_its_sign_also_where_it_is_0():
    typed = parse("W = [[-0, 2], [+3, -4]]\nx = -0\nsum(1 / W + 1 / x)")
    signs = np.signbit(typed.defaults["W"]).tolist()
    assert signs == [[True, False], [False, True]] and np.signbit(typed.defaults["x"])
    assert expression("sum([-0, 1] * x)", x=1.0).item() == 1.0
    assert expression("sum(1 / [-0])").item() == -np.inf


def test_random_numbers_are_the_same_every_time_and_others_for_each_name_and_seed():
    first, again = (parse("W = randn(30, 4)\nV = randn(30, 4)") for _ in range(2))
    for name in "WV":
        np.testing.assert_array_equal(first.defaults[name], again.defaults[name])
    others = parse("x = 2 * y\n\nV = randn(30, 4, seed=1)\nW=randn(30,4)").defaults
    np.testing.assert_array_equal(first.defaults["W"], others["W"])
    assert not np.array_equal(first.defaults["W"], first.defaults["V"])
    assert not np.array_equal(first.defaults["V"], others["V"])
    many = parse("W = randn(100, 100)").defaults["W"]
    assert abs(many.mean()) < 0.05 and many.std() == pytest.approx(1, abs=0.05)
    np.testing.assert_array_equal(many, np.round(many, 2))
    assert many.all(), "a 0 would move nothing"


def test_within_a_line_each_shape_has_its_own_numbers():
    out = expression("mean(x * randn(5) - x * randn(5))", x=1.0)
    assert out.item() != 0.0 and expression("mean(x*zeros(5) + ones(5))", x=1.0).item() == 1.0


@pytest.mark.parametrize(
    ("text", "said", "start", "length"),
    [
        ("W = randn()", "a shape of 1 to 4 positive", 4, 7),
        ("W = randn(3, 0)", "for example randn", 4, 11),
        ("W = zeros(3, -1)", "positive whole numbers", 4, 12),
        ("W = ones(2.5)", "whole numbers", 4, 9),
        ("W = ones(n)", "whole numbers", 4, 7),
        ("W = ones(True)", "whole numbers", 4, 10),
        ("W = ones([2, 3])", "whole numbers", 4, 12),
        ("W = ones(*x)", "whole numbers", 4, 8),
        ("W = ones(1, 1, 1, 1, 1)", "1 to 4", 4, 19),
        ("W = randn(3, seed=-1)", "only a seed", 4, 17),
        ("W = randn(3, seed=1.5)", "only a seed", 4, 18),
        ("W = randn(3, sed=1)", "only a seed", 4, 15),
        ("W = randn(3, **x)", "only a seed", 4, 13),
        ("2 * randn", r"write randn\(...\)", 4, 5),
        ("ones = 3", "ones is a function", 0, 4),
        ("x + randn(1000, 1000)", "1,000,000 numbers", 4, 17),
        ("a = ones(600, 600)\nb = ones(600, 600)", "at most 500,000 in all", 23, 14),
        (f"W = zeros({10**15}, {10**15})", "use a smaller one", 4, 41),
    ],
)
def test_what_is_no_shape_is_told_with_its_place(text, said, start, length):
    with pytest.raises(ExpressionError, match=said) as caught:
        parse(text)
    assert (caught.value.start, caught.value.length) == (start, length)


TOO_MUCH = {
    "broadcasting": ("x = ones(1, 1000)\nsum(exp(transpose(x) * x))", "transpose(x) * x"),
    "many axes": ("x = ones(1, 1, 1, 90)\nsum(transpose(x) * x * ones(90, 1, 1))", None),
    "a product": ("x = ones(1, 900)\nsum(transpose(x) @ x)", "transpose(x) @ x"),
    "a product of vectors": ("x = ones(900)\ny = ones(1, 900)\nsum(x * (transpose(y) @ y))", None),
    "many results": ("x = randn(40000)\n" + "x = gelu(x)\n" * 200, "gelu(x)"),
    "much read": ("x = randn(1, 400000)\n" + "sum(x)\n" * 200, "sum(x)"),
    "lists": (
        f"x = [{','.join('1' * 2000)}]\ny = [[{'],['.join('1' * 400)}]]\nsum(x + y)",
        "x + y",
    ),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_a_formula_that_makes_too_many_numbers_is_refused_before_it_does(name):
    text, part = TOO_MUCH[name]
    tracemalloc.start()
    try:
        with pytest.raises(ExpressionError, match=f"{MOST_NUMBERS:,}.*smaller") as caught:
            parse(text).evaluate()
        assert tracemalloc.get_traced_memory()[1] < 3 * 8 * MOST_NUMBERS
    finally:
        tracemalloc.stop()
    if part is not None:
        place = slice(caught.value.start, caught.value.start + caught.value.length)
        assert text[place] == part


def test_whoever_asks_for_more_numbers_gets_them():
    typed = parse("x = ones(1, 1000)\nsum(transpose(x) * x)")
    assert typed.evaluate(most_numbers=3_000_000).item() == 1e6


def test_whole_numbers_may_be_large():
    assert expression("x * 100000000000000000000000", x=1.0).item() == 1e23
    assert expression("max([1, 30000000000000000000000] * x)", x=1.0).item() == 3e22
