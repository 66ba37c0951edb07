"""Which of equally frequent pairs is merged: every rule against plain code that follows it."""

import random
from dataclasses import replace

import pytest

from core.data import story_text
from core.tokenization import AlphabetStep, MergeStep, train_tokenizer, train_tokenizer_steps
from core.tokenization.bpe.training import TrainedBPE, bpe_steps
from core.tokenization.byte_level import CHARACTER_OF_BYTE
from tests.core.tokenization.bpe.plain_bpe import plain_merges
from tests.core.tokenization.reference import prose


def trained(texts: list[str], vocab_size: int, tie: str) -> TrainedBPE:
    steps = bpe_steps(texts, vocab_size, tie=tie)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def texts_full_of_ties(seed: int) -> list[str]:
    rng = random.Random(seed)
    alphabet = rng.choice(["ab", "abc", "ab ", "aé "])
    return ["".join(rng.choices(alphabet, k=rng.randint(1, 60))) for _ in range(rng.randint(1, 6))]


@pytest.mark.parametrize("tie", ["rustbpe", "minbpe"])
def test_merges_equal_plain_code_where_almost_everything_is_a_tie(tie: str) -> None:
    for seed in range(300):
        texts = texts_full_of_ties(seed)
        expected = plain_merges(texts, 60, first_wins=tie == "minbpe")
        result = trained(texts, 316, tie)
        assert result.merges == expected, texts
        assert result.vocabulary[:256] == CHARACTER_OF_BYTE
        assert result.vocabulary[256:] == [
            result.vocabulary[left] + result.vocabulary[right] for left, right in expected
        ]


@pytest.mark.parametrize("tie", ["rustbpe", "minbpe"])
def test_merges_equal_plain_code_on_stories(tie: str) -> None:
    texts = [story_text(3, 6_000), prose(5, 300)]
    expected = plain_merges(texts, 244, first_wins=tie == "minbpe")
    assert trained(texts, 500, tie).merges == expected


def test_the_rules_differ_on_a_tie() -> None:
    # All three pairs stand once. "ba" is the first, " a" has the smallest bytes; to the library a
    # space is "Ġ", which comes after every letter.
    first = {}
    for tie in ("hf", "rustbpe", "minbpe"):
        result = trained(["ba ab"], 257, tie)
        first[tie] = result.vocabulary[256]
    assert first == {"hf": "ab", "rustbpe": "Ġa", "minbpe": "ba"}


def test_special_tokens_stand_where_the_rule_numbers_them() -> None:
    for tie, special in (("hf", 0), ("rustbpe", 299), ("minbpe", 299)):
        tokenizer = train_tokenizer("bpe", prose(2, 300), 300, tie=tie)
        assert tokenizer.vocab_size == 300
        assert tokenizer.special_tokens == {"<|endoftext|>": special}
        steps = list(train_tokenizer_steps("bpe", prose(2, 300), 300, tie=tie))
        assert steps[-1].vocab_size == 300
        alphabet = next(step for step in steps if isinstance(step, AlphabetStep))
        assert alphabet.vocab_size == 257
    with pytest.raises(ValueError, match="'!' is also a byte"):
        train_tokenizer("bpe", "text", 300, ("!",), tie="rustbpe")


@pytest.mark.parametrize("tie", ["hf", "rustbpe", "minbpe"])
def test_rivals_are_the_pairs_that_come_next(tie: str) -> None:
    text = prose(4, 400)
    watched = list(train_tokenizer_steps("bpe", text, 330, tie=tie, rivals=3))
    alone = list(train_tokenizer_steps("bpe", text, 330, tie=tie))
    steps = [step for step in watched if isinstance(step, MergeStep)]
    assert [replace(step, rivals=()) for step in steps] == [
        step for step in alone if isinstance(step, MergeStep)
    ], "watching changes nothing"
    assert all(len(step.rivals) == 3 for step in steps)
    for step in steps:
        counts = [rival.count for rival in step.rivals]
        assert counts == sorted(counts, reverse=True)
        assert counts[0] <= step.count and step.score == step.count


def test_the_rivals_of_a_first_merge_by_hand() -> None:
    text = "low low low low low lower lower newest newest newest newest newest newest widest"
    first = next(
        s for s in train_tokenizer_steps("bpe", text, 258, rivals=3) if isinstance(s, MergeStep)
    )
    # By hand: w-e in lower (2) and newest (6); e-s, s-t in newest (6), widest (1), each with a
    # space before but the first "low"; l-o, o-w in low (5), lower (2).
    assert (first.piece, first.count) == ("we", 8)
    assert [(r.left_piece + r.right_piece, r.count, r.score) for r in first.rivals] == [
        ("es", 7, 7),
        ("lo", 7, 7),
        ("ow", 7, 7),
    ]


def test_tokens_count_the_text_after_each_merge() -> None:
    text = "aaab aab ab"
    steps = list(train_tokenizer_steps("bpe", text, 260))
    alphabet = next(s for s in steps if isinstance(s, AlphabetStep))
    assert alphabet.tokens == len(text)
    counts = dict(zip(alphabet.pieces, alphabet.counts))
    assert counts["a"] == 6 and counts["b"] == 3 and counts["Ġ"] == 2
    for step in steps:
        if isinstance(step, MergeStep):
            smaller = train_tokenizer("bpe", text, step.vocab_size)
            assert step.tokens == len(smaller.encode_ids(text))


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="'first'.*hf, rustbpe, minbpe"):
        train_tokenizer("bpe", "text", 300, tie="first")
