"""Bytes as visible characters, and as people read them."""

import pytest

from core.tokenization.byte_level import readable, to_characters


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (" the", "␣the"),
        ("\n ", "↵␣"),
        ("\tnaïve", "⇥naïve"),
        ("語", "語"),
    ],
)
def test_a_written_piece_is_told_as_people_read_it(text: str, read: str) -> None:
    assert readable(to_characters(text.encode())) == read


def test_part_of_a_character_is_told_as_its_bytes() -> None:
    assert readable(to_characters("語".encode()[:2])) == "<E8 AA>"


def test_what_is_not_written_so_stays() -> None:
    assert readable("<|end of text|>") == "<|end of text|>"
    assert readable("▁語") == "▁語"
