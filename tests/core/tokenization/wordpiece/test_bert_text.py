"""BERT's normalizer and cutter against the Hugging Face library, character by character."""

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import normalizers, pre_tokenizers

from core.tokenization.byte_level import byte_places
from core.tokenization.wordpiece.bert_text import BertText

# What is newer than Python's tables is cut by luck; everything else is compared.
ASSIGNED = st.characters(exclude_categories=["Cs", "Cn"])
TRICKY = [
    *"aAzÉéİǅßΣς漢字한글가กำñ' -.!\t\n\v\x85\0",
    *"\u2028\u00a0\u200b\ufeff\ue000\ufffd\u0301\u0323\u0344",  # accents, spaces, controls
    *"\u302e\U0001d165\u1df6\u1b44\u0f93\u0fb3",  # marks that NFD may move
    *"\U0002b7ff\U0002b820\U0002b91f\U0002b920\u2e43\u166d",  # where its tables end
]
SETTINGS = pytest.mark.parametrize(
    ("lowercase", "strip_accents"), [(True, None), (False, None), (True, False), (False, True)]
)
SIGNS = pre_tokenizers.BertPreTokenizer()


def reference(lowercase: bool = True, strip_accents: bool | None = None):  # type: ignore[no-untyped-def]
    return normalizers.BertNormalizer(lowercase=lowercase, strip_accents=strip_accents)


def tricky_texts(number: int) -> list[str]:
    rng = random.Random(number)
    return ["".join(rng.choices(TRICKY, k=rng.randint(0, 12))) for _ in range(number)]


@SETTINGS
def test_every_character_of_the_basic_plane_is_normalized_and_cut_alike(
    lowercase: bool, strip_accents: bool | None
) -> None:
    ours, theirs = BertText(lowercase, strip_accents), reference(lowercase, strip_accents)
    for code in [*range(0xD800), *range(0xE000, 0x10000, 3), *range(0x10000, 0x110000, 61)]:
        if unicodedata.category(chr(code)) != "Cn":
            text = f"a{chr(code)}b"
            normalized = ours.normalize(text)
            assert normalized == theirs.normalize_str(text), hex(code)
            if not lowercase and strip_accents:
                words = [word for word, _ in SIGNS.pre_tokenize_str(text)]
                assert ours.split(text) == words, hex(code)


@SETTINGS
def test_characters_in_any_order_are_normalized_alike(
    lowercase: bool, strip_accents: bool | None
) -> None:
    ours, theirs = BertText(lowercase, strip_accents), reference(lowercase, strip_accents)
    for text in tricky_texts(4000):
        normalized = theirs.normalize_str(text)
        assert ours.normalize(text) == normalized, ascii(text)
        assert ours.align(text).text == normalized, ascii(text)


def test_what_is_switched_off_stays_as_it_is() -> None:
    ours = BertText(lowercase=False, strip_accents=False, ideograms=False, clean=False)
    for text in tricky_texts(200):
        assert ours.normalize(text) == ours.align(text).text == text


@given(st.text(ASSIGNED))
def test_words_and_their_places_equal_the_reference(text: str) -> None:
    ours = BertText()
    expected = SIGNS.pre_tokenize_str(text)
    assert ours.split(text) == [word for word, _ in expected]
    assert ours.places(text) == [place for _, place in expected]


@given(st.text(ASSIGNED))
def test_every_normalized_character_knows_where_it_comes_from(text: str) -> None:
    aligned = BertText().align(text)
    assert aligned.text == BertText().normalize(text)
    assert len(aligned.source) == len(aligned.text)
    assert aligned.source == sorted(aligned.source)
    assert all(0 <= place < len(text) for place in aligned.source)


def test_places_in_bytes() -> None:
    assert list(byte_places("ab")) == [0, 1, 2]
    assert byte_places("aé漢🙂") == [0, 1, 3, 6, 10]
    assert list(byte_places("")) == [0]
