"""A marked line with its numbers: who works out what is written finds what is written as result."""

import ast
import importlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.marked_line import marked_line
from core.substitution import Arithmetic, arithmetic, substitute
from core.trace import marked_lines
from tests.core.calculator import within_its_digits, worked_out
from tests.core.real_steps import PENDING, real_steps
from tests.core.test_trace import modules_of_core


def told(one: Arithmetic) -> None:
    """Asserts that a calculator finds the result, within the digits that are written."""
    found = worked_out(one.expression)
    assert within_its_digits(found, one.result), (str(one), found)


def some_cells(array: np.ndarray) -> set[int]:
    last = array.size - 1
    return {0, last // 2, last, int(np.abs(np.nan_to_num(array)).argmax())}


def test_the_printed_numbers_of_every_real_step_give_the_printed_result():
    """Of backprop, attention, optimizers, schedules, tokenizers and their analyses."""
    checked, near = 0, []
    for step in real_steps():
        line = marked_line(step.code)
        if not line.computes:
            continue
        made = step.value(line.made)
        for cell in some_cells(made):
            one = arithmetic(step, cell)
            if not one.exact:
                near.append((step.code, str(one), made.dtype))
                continue
            assert one.value == pytest.approx(float(made.reshape(-1)[cell]), nan_ok=True)
            told(one)
            checked += 1
    assert checked > 1200
    # Only what was worked out with 32 bits may be no more than near.
    assert [one for one in near if one[2] == np.float64] == []
    assert len(near) <= 0.01 * checked


COMPUTING = sorted(
    marker
    for name in modules_of_core()
    for marker in marked_lines(importlib.import_module(name))
    if not marker.startswith(PENDING) and marked_line(marker).computes
)
MAGNITUDES = st.one_of(
    st.just(0.0),
    st.tuples(
        st.sampled_from([-1.0, 1.0]),
        st.floats(1.0, 9.999999),
        st.integers(-12, 11),
    ).map(lambda parts: parts[0] * parts[1] * 10.0 ** parts[2]),
)
USUAL = st.floats(-9.0, 9.0).map(lambda value: round(value, 3))


def drawn(data: st.DataObject, marker: str, numbers: st.SearchStrategy[float]) -> dict:
    """Values for each name that a line reads: matrices where it multiplies them, settings where it
    reduces.
    """
    settings = {"axis": -1, "axes": (0,), "keepdims": True}
    found = {}
    for name in marked_line(marker).reads:
        if name in settings:
            found[name] = settings[name]
        else:
            cells = data.draw(st.lists(numbers, min_size=9, max_size=9), label=name)
            found[name] = np.array(cells).reshape(3, 3)
    return found


@pytest.mark.parametrize("marker", COMPUTING)
@given(data=st.data())
def test_the_printed_numbers_give_the_printed_result(marker, data):
    """For every marked line that computes, and numbers of 1e-12 to 1e12."""
    numbers = data.draw(st.sampled_from([MAGNITUDES, USUAL]))
    line = marked_line(marker)
    with np.errstate(all="ignore"):
        values = drawn(data, marker, numbers)
        formula = ast.unparse(line.formula)
        size = substitute(formula, values).size
        one = substitute(formula, values, data.draw(st.integers(0, size - 1)))
    if math.isfinite(one.value):
        if one.exact:
            told(one)
        else:  # next to nothing beside its parts: near is all that can be said
            assert str(one).count("\u2248") == 1
    else:
        assert one.result in ("nan", "\u221e", "\u2212\u221e")
