"""Encoding and decoding against the Hugging Face library, and over all of Unicode."""

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from core.tokenization import END_OF_TEXT, ByteLevelBPE, Tokenizer, train_tokenizer
from core.tokenization.bpe.merging import LONG, merge_all, merge_long, merge_short
from core.tokenization.bpe.patterns import word_pattern
from core.tokenization.byte_level import (
    ALPHABET,
    CHARACTER_OF_BYTE,
    clean_text,
    to_bytes,
    to_characters,
)
from tests.core.tokenization.reference import any_text, prose

UNICODE = st.text(st.characters(exclude_categories=["Cs"]))
WITH_SURROGATES = st.text(st.characters())


@pytest.fixture(scope="module")
def tokenizer() -> ByteLevelBPE:
    trained = train_tokenizer("bpe", prose(0, 4000), 700)
    assert isinstance(trained, ByteLevelBPE)
    return trained


@pytest.fixture(scope="module")
def reference(
    tokenizer: ByteLevelBPE, tmp_path_factory: pytest.TempPathFactory
) -> tokenizers.Tokenizer:
    path = tmp_path_factory.mktemp("bpe") / "tokenizer.json"
    tokenizer.save(path)
    return tokenizers.Tokenizer.from_file(str(path))


def test_bytes_are_written_as_gpt2_writes_them() -> None:
    assert to_characters(b" the\n") == "ĠtheĊ"
    assert len(set(CHARACTER_OF_BYTE)) == 256
    assert ALPHABET[0] == "!" and ALPHABET.index("Ġ") == 220
    assert sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()) == ALPHABET
    assert to_bytes(to_characters(bytes(range(256)))) == bytes(range(256))
    with pytest.raises(ValueError, match="stands for no byte"):
        to_bytes("a b")


@given(st.text(st.characters(exclude_categories=["Cs", "Cn"])))  # libraries differ in what is new
def test_words_are_cut_as_the_reference_cuts_them(text: str) -> None:
    reference = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    words = word_pattern("gpt2").split(text)
    assert "".join(words) == text
    expected = [piece for piece, _ in reference.pre_tokenize_str(text)]
    assert [to_characters(word.encode()) for word in words] == expected


def test_ids_equal_the_reference(tokenizer: ByteLevelBPE, reference: tokenizers.Tokenizer) -> None:
    rng = random.Random(1)
    texts = [any_text(rng, rng.randrange(40)) for _ in range(1000)] + [prose(7, 2000)]
    texts += [text[:9] + END_OF_TEXT + text[9:] for text in texts[:100]]
    for text in texts:
        assert tokenizer.encode_ids(text) == reference.encode(text).ids, text


def test_decoding_any_ids_equals_the_reference(
    tokenizer: ByteLevelBPE, reference: tokenizers.Tokenizer
) -> None:
    rng = random.Random(2)
    for _ in range(1000):
        ids = [rng.randrange(700) for _ in range(8)]
        assert tokenizer.decode(ids) == reference.decode(ids, skip_special_tokens=False)


@given(UNICODE)
def test_decode_gives_back_every_text(text: str) -> None:
    tokenizer = SMALL
    assert tokenizer.decode(tokenizer.encode_ids(text)) == text


@given(UNICODE)
def test_spans_tile_the_bytes(text: str) -> None:
    assert_spans_tile(SMALL, text)


def assert_spans_tile(tokenizer: Tokenizer, text: str) -> None:
    encoding = tokenizer.encode(text)
    end = 0
    for token, piece, (start, stop), data in zip(
        encoding.ids, encoding.pieces, encoding.spans, encoding.slices(), strict=True
    ):
        assert start == end and stop > start
        assert data == tokenizer.piece_bytes(token)
        assert piece == tokenizer.vocabulary[token]
        end = stop
    assert end == len(text.encode())
    assert len(encoding) == len(encoding.ids)


@given(WITH_SURROGATES)
def test_a_lone_surrogate_counts_as_the_replacement_character(text: str) -> None:
    encoding = SMALL.encode(text)
    cleaned = clean_text(text)
    assert encoding.text == cleaned
    assert SMALL.decode(encoding.ids) == cleaned
    cleaned.encode()  # has UTF-8 bytes


def test_surrogates_that_belong_together_are_one_character() -> None:
    assert clean_text("a\ud83d\ude42b") == "a🙂b"
    assert clean_text("\udfffx\ud800") == "\ufffdx\ufffd"


def test_special_tokens_are_text_when_asked(tokenizer: ByteLevelBPE) -> None:
    text = f"ba{END_OF_TEXT}lo"
    assert tokenizer.encode(text).ids.count(0) == 1
    ordinary = tokenizer.encode(text, specials=False)
    assert 0 not in ordinary.ids
    assert tokenizer.decode(ordinary.ids) == text
    assert_spans_tile(tokenizer, text + END_OF_TEXT)


def test_of_two_special_tokens_the_longer_is_taken() -> None:
    tokenizer = train_tokenizer("bpe", "x", 300, ("<a>", "<a><b>"))
    assert tokenizer.encode_ids("<a><b><a>") == [1, 0]


Merge = Callable[[list[int], dict[tuple[int, int], tuple[int, int]]], list[int]]
WAYS = pytest.mark.parametrize("merge", [merge_short, merge_long], ids=["short", "long"])


@WAYS
def test_the_earliest_merge_is_done_first_and_the_leftmost_of_equals(merge: Merge) -> None:
    # 0 a, 1 b, 2 ab, 3 aa: in "aab", ab was learned first, so a+ab stays.
    assert merge([0, 0, 1], {(0, 1): (0, 2), (0, 0): (1, 3)}) == [0, 2]
    assert merge([0, 0, 1], {(0, 0): (0, 3), (0, 1): (1, 2)}) == [3, 1]
    assert merge([0, 0, 0], {(0, 0): (0, 3)}) == [3, 0]
    assert merge([], {}) == [] and merge([7], {}) == [7]


@given(st.lists(st.integers(0, 2), max_size=30), st.permutations(range(12)))
def test_both_ways_to_merge_equal_the_plain_algorithm(word: list[int], order: list[int]) -> None:
    # Symbols stand for strings; a pair may be joined more urgently than the one that made its
    # left part, and "aaa" can be reached by two routes.
    strings = ["a", "b", "c", "aa", "ab", "aaa", "aab", "bc", "abc", "aabc", "cc", "aabcc"]
    number = {string: token for token, string in enumerate(strings)}
    ranks = {}
    for left in strings:
        for right in strings:
            if left + right in number:
                token = number[left + right]
                ranks[number[left], number[right]] = (order[token], token)
    expected = list(word)
    while True:
        fits = [(ranks[p][0], i) for i, p in enumerate(pairwise(expected)) if p in ranks]
        if not fits:
            break
        _, place = min(fits)
        expected[place : place + 2] = [ranks[expected[place], expected[place + 1]][1]]
    assert merge_short(word, ranks) == expected
    assert merge_long(word, ranks) == expected


def test_long_words_and_short_ones_are_merged_alike(tokenizer: ByteLevelBPE) -> None:
    text = "".join(prose(21, 300).split())
    for length in (LONG - 1, LONG, LONG + 1, 1500):
        ids = [tokenizer.vocabulary.index(c) for c in to_characters(text.encode()[:length])]
        assert merge_short(ids, tokenizer._ranks) == merge_all(ids, tokenizer._ranks)


def test_a_very_long_word_is_no_trap(tokenizer: ByteLevelBPE) -> None:
    for text in ("a" * 100_000, "ba" * 50_000, " " * 100_000 + "x", "^" * 100_000):
        assert tokenizer.decode(tokenizer.encode_ids(text)) == text


def test_the_cache_of_words_stays_bounded(
    tokenizer: ByteLevelBPE, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.tokenization.word_cache.CACHED_WORDS", 10)
    text = prose(11, 500)
    small = ByteLevelBPE(tokenizer.vocabulary, tokenizer.merges, tokenizer.special_tokens)
    assert small.encode_ids(text) == tokenizer.encode_ids(text)
    assert len(small._met) <= 10


def test_ids_outside_the_vocabulary_are_refused(tokenizer: ByteLevelBPE) -> None:
    for bad in (-1, 700):
        with pytest.raises(ValueError, match=f"id {bad} is outside the vocabulary of 700"):
            tokenizer.decode([1, bad])
        with pytest.raises(ValueError, match="another tokenizer"):
            tokenizer.piece_bytes(bad)


def test_impossible_vocabularies_are_refused(tokenizer: ByteLevelBPE) -> None:
    with pytest.raises(ValueError, match="needs the piece 'ab'"):
        ByteLevelBPE(ALPHABET, [("a", "b")])
    with pytest.raises(ValueError, match="a piece twice"):
        ByteLevelBPE([*ALPHABET, "a"], [])
    with pytest.raises(ValueError, match="1 of the 256 bytes"):
        ByteLevelBPE(ALPHABET[1:], [])
    with pytest.raises(ValueError, match="must agree"):
        ByteLevelBPE(["<s>", *ALPHABET], [], {"<s>": 3})
    with pytest.raises(ValueError, match="lone surrogate"):
        ByteLevelBPE(["\ud800", *ALPHABET], [], {"\ud800": 0})
    with pytest.raises(ValueError, match="is empty"):
        ByteLevelBPE(["", *ALPHABET], [], {"": 0})


def test_both_kinds_are_tokenizers(tokenizer: ByteLevelBPE, tmp_path: Path) -> None:
    assert isinstance(tokenizer, Tokenizer)
    assert isinstance(train_tokenizer("characters", "ab"), Tokenizer)


_trained = train_tokenizer("bpe", prose(0, 2000), 500)
assert isinstance(_trained, ByteLevelBPE)
SMALL = _trained
