"""Numbers bit by bit: their digits add up to them, and stand below one another."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.training.bits import NO_DIGIT, TracedNumber, align, binary_digits, fields_text
from core.training.number_formats import FORMATS


@pytest.mark.parametrize("name", ["fp32", "bf16", "fp16", "fp8 e4m3fn"])
@pytest.mark.parametrize("value", [0.0213, -1.5, 3e-8, 0.0, 240.0])
def test_digits_add_up_to_the_number(name: str, value: float) -> None:
    format = FORMATS[name]
    stored = float(format.round(value))
    power, digits = binary_digits(stored, format)
    assert sum(int(one) * 2.0 ** (power - at) for at, one in enumerate(digits)) == abs(stored)
    fields = fields_text(stored, format)
    assert len(fields.replace(" ", "")) == (format.bits if format.bits <= 16 else 0)


def test_what_is_no_number_has_no_digits() -> None:
    for value in (math.inf, -math.inf, math.nan, 0.0, -0.0):
        assert binary_digits(value, FORMATS["fp16"]) == (0, "")
    assert fields_text(-math.inf, FORMATS["fp16"]) == "1 11111 0000000000"


def test_digits_stand_below_those_of_the_same_power() -> None:
    short = FORMATS["fp8 e4m3fn"]
    values = {"a": 5.0, "b": 0.25, "c": 0.0}
    rows = [TracedNumber(name, values[name], short, step) for step, name in enumerate(values)]
    found = align(rows, spacing=0.5)
    assert (found.first, found.last) == (2, -1)
    assert found.powers.tolist() == [2, 1, 0, -1, -2, -3, -4, -5]
    nothing = [NO_DIGIT] * 4
    np.testing.assert_array_equal(
        found.digits, [[1, 0, 1, 0, *nothing], [*nothing, 1, 0, 0, 0], nothing * 2]
    )
    assert [number.name for number in found.known(1)] == ["a", "b"]


def test_the_last_digit_that_is_kept_has_a_column_where_no_number_reaches_it() -> None:
    zero = align([TracedNumber("nothing", 0.0, FORMATS["fp16"], 0)], 2.0**-24)
    assert (zero.first, zero.last) == (-24, -24) and zero.digits.tolist() == [[NO_DIGIT]]
    endless = align([TracedNumber("endless", math.inf, FORMATS["fp16"], 0)], 2.0**5)
    assert endless.powers.tolist() == [5]
