"""Words are cut as the libraries of the patterns' makers cut them."""

import random

import pytest
import regex
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from core.tokenization.bpe.patterns import PATTERNS, name_of_pattern, word_pattern
from tests.core.tokenization.reference import SIGNS, prose

# Cn: what the newest Unicode assigns, one library knows before the other.
ASSIGNED = st.characters(exclude_categories=["Cs", "Cn"])
TRICKY = list("aZé漢ſKßǅ’'stSTlL017²٣ \t\n\r\v\x1c\x85\u00a0\u200b\u3000/.!?-_\u0301ー🙂")
NAMES = pytest.mark.parametrize("name", PATTERNS)


def texts(number: int) -> list[str]:
    """White space, contractions, digits, marks and case in every order; prose."""
    rng = random.Random(number)
    return ["".join(rng.choices(TRICKY, k=rng.randint(1, 14))) for _ in range(number)] + [
        "".join(rng.choices(["we", "'ll", "'LL", "HTTPServer", "x1234", *SIGNS], k=9))
        for _ in range(number // 4)
    ]


@NAMES
def test_a_saved_pattern_cuts_alike_in_the_reference(name: str) -> None:
    split = pre_tokenizers.Split(tokenizers.Regex(word_pattern(name).portable), "isolated")
    for text in texts(4000):
        expected = [part for part, _ in split.pre_tokenize_str(text)]
        assert word_pattern(name).split(text) == expected, (name, text)


def test_single_digits_before_gpt2_are_smollm2() -> None:
    stages = [
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False),
    ]
    reference = pre_tokenizers.Sequence(stages)
    for text in texts(4000):
        lengths, end = [], 0
        for _, (start, stop) in reference.pre_tokenize_str(text):
            if start >= end:  # the library also tells the parts of a character
                lengths.append(text[start:stop])
            end = max(end, stop)
        assert word_pattern("smollm2").split(text) == lengths, text


@NAMES
def test_what_runs_is_what_was_published(name: str) -> None:
    pattern = word_pattern(name)
    if pattern.published is None:
        return
    published = regex.compile(pattern.published)
    for text in texts(4000):
        assert pattern.split(text) == published.findall(text), (name, text)


@pytest.mark.peers
@pytest.mark.parametrize("name", ["gpt2", "cl100k", "o200k"])
def test_words_equal_tiktokens(name: str) -> None:
    """A vocabulary of whole words shows where tiktoken cuts."""
    tiktoken = pytest.importorskip("tiktoken")
    from tiktoken_ext import openai_public

    pattern = word_pattern(name)
    if name == "gpt2":
        published = openai_public.r50k_pat_str
    else:
        published = pattern.published
    ranks = {bytes([byte]): byte for byte in range(256)}
    sample = texts(1500)
    for word in sorted({word for text in sample for word in pattern.split(text)}):
        ranks.setdefault(word.encode(), len(ranks))
    encoding = tiktoken.Encoding(name, pat_str=published, mergeable_ranks=ranks, special_tokens={})
    for text in sample:
        cut = [encoding.decode_single_token_bytes(token) for token in encoding.encode(text)]
        assert cut == [word.encode() for word in pattern.split(text)], (name, text)


@NAMES
@given(text=st.text(ASSIGNED))
def test_words_joined_are_the_text(name: str, text: str) -> None:
    assert "".join(word_pattern(name).split(text)) == text


@NAMES
def test_ascii_is_cut_as_any_text(name: str) -> None:
    pattern = word_pattern(name)
    for text in texts(2000):
        plain = "".join(c for c in text if c.isascii())
        assert pattern.ascii.findall(plain) == pattern.unicode.findall(plain), (name, plain)


@NAMES
def test_batches_are_the_words_whatever_their_size(name: str) -> None:
    pattern = word_pattern(name)
    for text in [*texts(200), prose(3, 300), "a" * 500, " " * 500 + "x", "\n  " * 90 + "we'll"]:
        words = pattern.split(text)
        for size in (1, 7, 40, 10_000):
            batches = list(pattern.batches(text, size))
            assert [word for batch in batches for word in batch] == words, (name, size, text)


def test_patterns_have_names() -> None:
    names = ["gpt2", "cl100k", "o200k", "llama3", "qwen", "tekken", "smollm2"]
    assert list(PATTERNS) == names
    for name, pattern in PATTERNS.items():
        assert name_of_pattern(pattern.portable) == name
        assert pattern.published is None or name_of_pattern(pattern.published) == name
    assert name_of_pattern(r"\w+") is None
    with pytest.raises(ValueError, match="'gpt5'.*choose one of gpt2, cl100k"):
        word_pattern("gpt5")
