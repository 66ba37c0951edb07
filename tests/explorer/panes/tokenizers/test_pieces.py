"""How pieces are spelled in pictures: with the bytes that their tokenizer says they have."""

from __future__ import annotations

import pytest

from core.tokenization import train_tokenizer
from explorer.panes.tokenizers.pieces import bytes_of, text_of

TEXT = "the na\u00efve cat sat, the r\u00e9sum\u00e9 sat \u6771\u4eac\n" * 6
SIZES = {"bpe": 280, "wordpiece": 60, "sentencepiece-bpe": 40, "unigram": 22, "characters": None}


@pytest.mark.parametrize("kind", SIZES)
def test_a_piece_has_the_bytes_that_its_tokenizer_says(kind):
    tokenizer = train_tokenizer(kind, TEXT, SIZES[kind])
    special = set(tokenizer.special_tokens.values())
    for token, piece in enumerate(tokenizer.vocabulary):
        if token not in special:
            assert bytes_of(kind, piece) == tokenizer.piece_bytes(token)


def test_spaces_are_visible_and_bytes_that_are_no_text_are_pairs():
    assert text_of("bpe", "\u0120the") == "\u2423the"
    assert text_of("bpe", "\u00c3") == "C3"
    assert text_of("wordpiece", "##ing") == "##ing"
    assert text_of("unigram", "\u2581the") == "\u2423the"
    assert text_of("sentencepiece-bpe", "<0x0A>") == "\u21b5"
    assert text_of("bpe", "<|endoftext|>") == "<|endoftext|>"
