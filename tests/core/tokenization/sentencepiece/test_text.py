"""What SentencePiece's trainers count: the lines of a text."""

from hypothesis import given
from hypothesis import strategies as st

from core.tokenization.sentencepiece.text import cut_line


def test_a_long_line_is_cut_behind_a_sentence_a_space_or_anywhere() -> None:
    assert list(cut_line("One. Two three. Four five six.", 64)) == [
        "One. Two three.",
        " Four five six.",
    ]
    assert list(cut_line("空白がない。改行もない。", 32)) == ["空白がない。", "改行もない。"]
    assert list(cut_line("some words without an end", 32)) == [
        "some ",
        "words ",
        "without ",
        "an end",
    ]
    assert list(cut_line("a" * 9, 16)) == ["aaaa", "aaaa", "a"]


@given(st.text(), st.integers(1, 40))
def test_the_parts_of_a_line_are_the_line_and_none_is_too_long(line: str, longest: int) -> None:
    parts = list(cut_line(line, longest))
    assert "".join(parts) == line
    assert all(0 < len(part) <= max(1, longest // 4) for part in parts)
