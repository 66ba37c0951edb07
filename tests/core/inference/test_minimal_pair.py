"""Texts that differ by a word, of as many tokens where that can be."""

from __future__ import annotations

import pytest

from core.inference.minimal_pair import minimal_pair
from core.resources import resource
from core.tokenization import open_tokenizer
from core.tokenization.characters import CharacterTokenizer


@pytest.mark.parametrize(
    "text",
    ["Once upon a time, Mira found a red kite. One day, Mira", "The cat sat.", "Mira", "one two"],
)
def test_the_second_text_differs_and_has_as_many_tokens(text):
    tokenizer = open_tokenizer(resource("models", "stories", "tokenizer.json"))
    other = minimal_pair(tokenizer, text)
    assert other != text
    assert len(tokenizer.encode(other).ids) == len(tokenizer.encode(text).ids)
    assert minimal_pair(tokenizer, "...") == "..."


def test_it_holds_no_letter_that_the_tokenizer_does_not_know():
    tokenizer = CharacterTokenizer(sorted(set("abcdef ")))
    assert minimal_pair(tokenizer, "abc fed abc") == "fed fed abc"
    assert minimal_pair(tokenizer, "abcadcb") == "bbcadcb", "of one word, another letter"
    assert minimal_pair(tokenizer, "a") == "a", "there is no other letter"
