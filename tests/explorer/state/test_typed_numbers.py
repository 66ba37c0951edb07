"""Numbers as people type them."""

from __future__ import annotations

import pytest

from explorer.state.typed_numbers import read_number, read_whole


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.03", 0.03),
        ("0,03", 0.03),
        (" 3e-2 ", 0.03),
        ("\u22121,5", -1.5),
        ("1.5", 1.5),
        ("0,125", 0.125),
        (".5", 0.5),
        (",5", 0.5),
        ("1,000,000", 1e6),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("1 000", 1000.0),
        ("1\u2009000\u2009000", 1e6),
        ("12,3456", 12.3456),
        ("1,5e-3", 1.5e-3),
        ("300 billion", 3e11),
        ("1.5Million", 1.5e6),
        ("0,5 trillion", 5e11),
    ],
)
def test_a_comma_is_read_as_it_can_only_be_meant(text, value):
    assert read_number(text) == value


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("1,000", "write 1000 or 1.0"),
        ("-2,125", "write -2125 or -2.125"),
        ("fast", "like 0.03"),
        ("", "like 0.03"),
        ("1 2", "like 0.03"),
        ("billion", "like 0.03"),
        ("1e3 billion", "like 0.03"),
        ("1,2,3", "like 0.03"),
        ("nan", "finite"),
        ("1e999", "finite"),
    ],
)
def test_what_is_no_number_or_two_is_refused_with_the_remedy(text, remedy):
    with pytest.raises(ValueError, match=remedy):
        read_number(text)


def test_in_a_whole_number_a_comma_parts_thousands():
    assert read_whole("1,000") == read_whole("1000") == read_whole("1 000") == 1000
    for text in ("0,5", "1.5"):
        with pytest.raises(ValueError, match="whole"):
            read_whole(text)
    with pytest.raises(ValueError, match="use a whole number, like 30"):
        read_whole("inf")
