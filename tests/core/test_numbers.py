"""Numbers as people read them, and back."""

import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.numbers import (
    format_bytes,
    format_count,
    format_duration,
    format_estimate,
    format_fixed,
    format_flops,
    format_general,
    format_number,
    format_percent,
    format_power,
    format_share,
    format_short,
    typed,
    typeset,
)


def test_three_significant_digits_and_a_true_minus():
    cases = {
        0.0: "0",
        0.31415: "0.314",
        -0.5: "\u22120.500",
        9.999: "10.0",
        99.96: "100",
        12.345: "12.3",
        1234.5: "1,234",
        804096: "804,096",
        1.2e-5: "1.2e\u22125",
        -3.44e-9: "\u22123.4e\u22129",
        1e8: "1.0e8",
        0.001: "0.00100",
        float("nan"): "nan",
        float("inf"): "\u221e",
        float("-inf"): "\u2212\u221e",
    }
    assert {value: format_number(value) for value in cases} == cases


@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_a_written_number_reads_back_within_its_digits(value):
    text = format_number(value).replace("\u2212", "-").replace(",", "")
    assert float(text) == pytest.approx(value, rel=0.06, abs=1e-45)


@given(st.floats(allow_nan=False), st.integers(6, 9))
@example(1.5e308, 6)
def test_a_number_has_the_room_that_there_is_and_keeps_its_sign_and_size(value, letters):
    text = format_short(value, letters)
    assert len(text) <= letters and "-" not in text
    if text == "\u22480":
        assert abs(value) < 1e-99
    else:
        found = Decimal(text.replace("\u2212", "-").replace(",", "").replace("\u221e", "inf"))
        assert found == pytest.approx(Decimal(value), rel=Decimal("0.5"))  # 2e308 is no float
        assert math.copysign(1, found) == math.copysign(1, value) or not value


def test_a_number_in_little_room_is_as_exact_as_that_lets_it_be():
    cases = {0.00159: "0.0016", -363708.0: "\u22123.6e5", -0.00159: "\u22120.002", 1e8: "1.0e8"}
    assert {value: format_short(value, 6) for value in cases} == cases
    assert format_short(-1e-7, 4) == "\u22121e\u22127" and format_short(-1000.0, 4) == "\u22121e3"
    assert format_short(-1e-123, 7) == "\u22121e\u2212123" and format_short(-1e-123, 6) == "\u22480"


def test_fixed_numbers_keep_their_width_and_never_say_minus_zero():
    assert format_fixed(-0.001) == "0.00"
    assert format_fixed(-1871.3) == "\u22121,871.30"
    assert format_fixed(-1.006) == "\u22121.01"
    assert format_count(1_240_000) == "1.24\u2009M"
    assert format_flops(210) == "210 FLOPs" and format_flops(7.35e14) == "735 TFLOPs"
    assert format_percent(0.002) == "<1\u2009%"
    assert format_duration(200) == "3 min 20 s"
    assert format_duration(755_000_000) == format_estimate(755_000_000) == "8,738 days"
    assert format_bytes(12_300_000) == "12.3 MB"


def test_small_shares_keep_two_digits():
    cases = {0.0: "0", 2e-5: "<0.01", 3.4e-4: "0.034", 0.024: "2.4", 0.0996: "10", 1.0: "100"}
    assert {share: format_share(share) for share in cases} == {
        share: f"{digits}\u2009%" for share, digits in cases.items()
    }


def test_a_power_has_a_raised_exponent():
    assert format_power(-24) == "2\u207b\u00b2\u2074" and format_power(3, 10) == "10\u00b3"


def test_a_setting_is_written_with_its_own_digits():
    cases = {0.9: "0.9", 1e-8: "1e\u22128", -2.0: "\u22122", 3e9: "3e9", 0.123456789: "0.123457"}
    assert {value: format_general(value) for value in cases} == cases
    assert format_general(-0.41234, 2) == "\u22120.41" and format_general(-np.inf)[0] == "\u2212"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_typeset_number_is_copied_as_other_programs_read_it(value):
    shown = typeset(repr(value))
    assert "-" not in shown and "e+" not in shown and float(typed(shown)) == value
    assert typed("a \u2212 b") == "a \u2212 b" and typed("byte-level") == "byte-level"


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (0.2, "1 s"),
        (8.4, "8 s"),
        (42, "40 s"),
        (58, "1 min"),
        (206, "3 min"),
        (3590, "1 h"),
        (9000, "2 h 30 min"),
    ],
)
def test_what_nobody_can_know_exactly_is_rounded(seconds, sentence):
    assert format_estimate(seconds) == sentence
