"""What a person must not type: refused with its place, in words, and the remedy."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.autograd import (
    ExpressionError,
    expression,
    grammar,
    parse,
)
from core.autograd.grammar import LONGEST

REFUSED = {
    "": ("type a formula", 0, 1),
    " \n ": ("type a formula", 0, 1),
    "# only a comment": ("type a formula", 0, 1),
    "a +": ("not a complete formula", 3, 1),
    "a + (b": ("never closed", 4, 1),
    "2x": ("not a complete formula", 0, 1),
    "  a ^ b": (r"write \*\*", 2, 5),
    "exp": (r"write exp\(...\)", 0, 3),
    "exp = 3": ("is a function", 0, 3),
    "1 + foo(x)": ("no function foo; use one of exp", 4, 6),
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
    "x := 3": ("not a complete formula", 2, 1),
    "import os": ("an import", 0, 9),
    "a = b = 3": ("is not allowed; a line is", 0, 9),
    "def f(): return 1": ("is not allowed; a line is", 0, 17),
    "'text'": ("plain numbers", 0, 6),
    "1 + True": ("plain numbers", 4, 4),
    "2j": ("plain numbers", 0, 2),
    "[[1, 2], [3]]": ("rows of equal length", 0, 13),
    "2 * [{1: 2}]": ("rows of equal length", 4, 8),
    "[{1, 2}] * x": ("rows of equal length", 0, 8),
    "[[]]": ("rows of equal length", 0, 4),
    "_x + 1": ("start with a letter", 0, 2),
    "a * (\u03b1 + \u03b2.x)": ("a dot after a name", 9, 3),
    "a = 1\n  \u00fc = a + \u00fc.x": ("a dot after a name", 16, 3),
    "(" * 300 + "x" + ")" * 300: ("nested", 200, 1),
    "-" * 5000 + "x": ("deep", 0, 1),
    "+".join(["x"] * 5000): ("deep", 0, 1),
    "9" * 5000: ("not a complete formula", 0, 1),
    "1" + "0" * 400: ("plain numbers", 0, 401),
    "x\x00y": ("null", 1, 1),
}


@pytest.mark.parametrize("text", REFUSED)
def test_everything_else_is_refused_with_its_place(text):
    said, start, length = REFUSED[text]
    with pytest.raises(ExpressionError, match=said) as caught:
        parse(text)
    if said and "deep" not in said:
        assert (caught.value.start, caught.value.length) == (start, length)


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
    with pytest.raises(ExpressionError, match="^assigning to anything but one name is not allowed"):
        parse("x[0] = 3")
    with pytest.raises(ExpressionError, match="^and/or is not allowed"):
        parse("x and y")


def test_ten_megabytes_are_refused_unread(monkeypatch):
    monkeypatch.setattr(grammar.ast, "parse", None)  # that would take seconds
    with pytest.raises(ExpressionError, match=f"at most {LONGEST:,}"):
        parse("x+" * 5_000_000)


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
    with pytest.raises(ExpressionError, match="value of a is neither"):
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
        ("w = 1\na = w*x\nw = 2\nb = w*x\na + b", "a line above has given w", 18),
        ("a = w*x\nw = 2\na + w", "a line above uses w", 12),
        ("w = w + 1\nw = [1, 2]\nw", "a line above uses w", 14),
    ],
)
def test_a_name_gets_its_numbers_once_and_before_it_is_read(text, said, start):
    with pytest.raises(ExpressionError, match=said) as caught:
        parse(text)
    assert caught.value.start == start


def test_what_python_says_of_a_mistake_is_said_plainly():
    for text, said in {
        "y = 2x": "write 2\\*x",
        "a + sin  x": r"^sin is a function; write sin\(...\)",
        "sin (x) y": "something is missing",
        "a + b)": "never opened",
        "f(x) = 3": "a single name",
        "ln(x)": "natural logarithm is log",
        "x\u00b2": "'\u00b2'; write \\*\\*2",
        "2 \u00d7 x": "'\u00d7'; write \\*$",
        "x \u2248 2": "'\u2248'; use numbers",
        "x\u200b*2": r"an invisible character here \(U\+200B\)",
        "try:\n x": "something is missing",
        "007*x": "extra zeros",
        "(x]": "does not match",
    }.items():
        with pytest.raises(ExpressionError, match=said):
            parse(text)
    assert expression("cos(\u03c0) * w", w=1.0).item() == -1.0


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "is neither a number"),
        ([None, 1.0], "is neither a number"),
        ("3", "is neither a number"),
        ([[1], [2, 3]], "is neither a number"),
        (1j, "is neither a number"),
        (10**400, "is too large for a float"),
    ],
)
def test_a_value_that_is_no_number_is_refused_by_its_name(value, told):
    with pytest.raises(ExpressionError, match=f"the value of x {told}"):
        expression("x*x", x=value)


@pytest.mark.parametrize("text", [None, 10, b"x", {}])
def test_a_formula_is_text(text):
    with pytest.raises(ExpressionError, match="a formula is text"):
        expression(text)
