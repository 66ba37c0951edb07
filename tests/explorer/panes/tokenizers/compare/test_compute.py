"""Splits of a text as arrays: counts, both ways with special tokens, what is lost, what differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.bundled import bundled_tokenizer_file
from core.fields import lenient, to_json
from core.tokenization import ByteLevelBPE, open_tokenizer, train_tokenizer
from core.tokenization.analysis import rates
from explorer.panes.tokenizers.compare import compute, inspector, text
from explorer.panes.tokenizers.compare.display_options import DisplayOptions
from tests.explorer.panes.tokenizers.small import TEXTS, small_bpe

BPE = small_bpe()
WORDS = train_tokenizer("wordpiece", TEXTS, vocab_size=60)
LETTERS = train_tokenizer("characters", TEXTS)


def test_a_split_covers_the_text_and_counts():
    split = compute.split_text("one", BPE, "the cat <3 🙂", True)
    assert b"".join(split.tokens.slice(i) for i in range(split.count)) == "the cat <3 🙂".encode()
    assert split.tokens.ids.tolist() == BPE.encode_ids("the cat <3 🙂")
    assert split.bytes_per_token == len("the cat <3 🙂".encode()) / split.count
    assert split.lossless and split.unknown == 0 and split.other is None


def test_special_tokens_are_counted_both_ways():
    text = "the cat<|endoftext|>"
    parsed = compute.split_text("one", BPE, text, True)
    as_text = compute.split_text("one", BPE, text, False)
    assert parsed.tokens.ids[-1] == BPE.special_tokens["<|endoftext|>"]
    assert parsed.other == as_text.count > parsed.count == as_text.other
    assert parsed.lossless and as_text.lossless


def test_what_is_lost_is_said():
    lossy = compute.split_text("one", WORDS, "The  cat", True)
    assert lossy.lossless is False
    unknown = compute.split_text("one", WORDS, "the 🙂 cat", True)
    assert unknown.unknown == 1 and unknown.lossless is False
    refused = compute.split_text("one", LETTERS, "the cat", True)
    assert refused.count or refused.error


def test_a_surrogate_counts_as_a_replacement_character():
    split = compute.split_text("one", BPE, "a\ud800b", True)
    assert split.tokens.data == "a\ufffdb".encode() and not split.error


def test_long_texts_are_handed_out_one_by_one_and_checked_afterwards():
    text = "the cat sat on the mat. " * 6000
    batches = list(compute.split_steps({"a": BPE, "b": BPE}, text, True))
    splits = [split for batch in batches for split in batch]
    assert [split.id for split in splits] == ["a", "b", "a", "b"]
    assert [split.lossless for split in splits] == [None, None, True, True]
    short = list(compute.split_steps({"a": BPE, "b": BPE}, "the cat", True))
    assert [split.lossless for batch in short for split in batch] == [True, True]


def test_the_steps_can_be_closed_at_any_yield():
    steps = compute.split_steps({"a": BPE, "b": BPE}, "the cat " * 20_000, True)
    next(steps)
    steps.close()


@given(st.text(max_size=60))
@settings(max_examples=80, deadline=None)
def test_differing_is_what_a_plain_comparison_says(text):
    small = ByteLevelBPE(BPE.vocabulary, BPE.merges[:5], BPE.special_tokens)
    splits = [compute.split_text("a", one, text, True) for one in (BPE, small, BPE)]
    spans = [set(zip(s.tokens.starts.tolist(), s.tokens.ends.tolist())) for s in splits]
    for split, mask in zip(splits, compute.differing(splits), strict=True):
        for index, differs in enumerate(mask.tolist()):
            span = (int(split.tokens.starts[index]), int(split.tokens.ends[index]))
            assert differs == (not all(span in other for other in spans))


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (0.0, "$0"),
        (12.345, "$12.35"),
        (0.0123, "$0.012"),
        (0.00048, "$0.00048"),
        (2.5e-6, "$0.0000025"),
        (1.03e-4, "$0.0001"),
    ],
)
def test_amounts_have_as_many_digits_as_tell_something(amount, said):
    assert text.money(amount) == said


def test_a_cost_is_for_a_million():
    assert rates.cost(2_000_000, 2.5) == 5.0


def test_choices_take_only_what_fits():
    odd = {"layout": "spiral", "ids": 1, "price": -3.0, "bytes": True, "unknown": 2}
    assert lenient(DisplayOptions, odd) == DisplayOptions(bytes=True)
    assert lenient(DisplayOptions, {"price": 3, "view": "nothing"}) == DisplayOptions(price=3.0)
    full = DisplayOptions("overlap", "rows", True, False, True, False, False, True, 1.25)
    assert lenient(DisplayOptions, to_json(full)) == full


def test_the_headline_compares_the_fewest_with_the_most():
    few = compute.split_text("a", BPE, "the cat sat", True)
    many = compute.split_text("b", ByteLevelBPE(BPE.vocabulary, [], {}), "the cat sat", True)
    assert text.headline([]) == text.IDLE
    assert f"{few.count} tokens" in text.headline([("A", few)])
    said = text.headline([("B", many), ("A", few)])
    assert said.startswith("A needs the fewest") and f"({few.count}); B needs" in said
    assert text.headline([("A", few), ("C", few)]).endswith(f"need {few.count} tokens")
    tied = text.headline([("A", few), ("B", many), ("C", few)])
    assert tied.startswith("A and C need") and f"({few.count})" in tied
    tied = text.headline([("A", few), ("B", many), ("C", many)])
    assert "; B and C need" in tied and tied.endswith("times as many")


def test_a_small_difference_is_told_in_tokens():
    few, more, most = (
        compute.split_text("a", BPE, "the cat sat " * times, True) for times in (50, 52, 60)
    )
    assert few.count < more.count < 1.05 * few.count
    said = text.headline([("A", few), ("B", more)])
    assert said.startswith("A needs") and f"({few.count:,}); B needs {more.count:,}" in said
    assert text.headline([("A", few), ("B", most)]).endswith("; B needs 1.2 times as many")


def test_what_loses_some_of_the_text_is_not_said_to_need_the_fewest_tokens():
    few = compute.split_text("a", BPE, "the cat sat", True)
    many = compute.split_text("b", ByteLevelBPE(BPE.vocabulary, [], {}), "the cat sat", True)
    lossy = replace(few, lossless=False)
    for dropped in (lossy, replace(lossy, unknown=1)):
        said = text.headline([("A", dropped), ("B", many)])
        assert said.startswith("Only B ") and f"({many.count} tokens)" in said
        assert "; A " in said and "loses" in said
    said = text.headline([("A", lossy), ("B", many), ("C", few)])
    assert "keep the whole text, C needs the fewest" in said and "A " not in said  # A needs as many
    two = [("A", lossy), ("D", lossy)]
    assert "; 2 others " in text.headline([*two, ("B", many)])
    assert str(few.count) not in text.headline(two)
    assert text.headline([("A", lossy)]) != text.headline([("A", few)])
    unknown_yet = replace(few, lossless=None)
    assert text.headline([("A", unknown_yet), ("B", many)]).startswith("A needs the fewest")


def test_what_is_lost_is_named_by_its_first_characters():
    """As WordPiece does: it lowers letters, and has no piece for what it never read."""
    bundled = open_tokenizer(bundled_tokenizer_file("wordpiece"))
    split = compute.split_text("a", bundled, "How \u6771\u4eac, 12345?", True)
    assert split.lossless is False and split.unknown
    assert {"\u6771", "\u4eac", "H"} <= set(split.lost) and "?" not in split.lost
    assert text.lost(("H", "\n", "\u200b")) == "lost: H \u21b5 U+200B"
    assert text.lost(tuple("abcdef")) == "lost: a b c d \u2026" and text.lost(()) == ""
    assert compute.split_text("b", BPE, "the cat sat", True).lost == ()


def test_the_rates_of_a_text_are_steps_with_every_tokenizers_numbers():
    text = "the cat sat"
    (few,) = next(compute.split_steps({"a": BPE}, text, True))
    many = compute.split_text("b", ByteLevelBPE(BPE.vocabulary, [], {}), text, True)
    assert few.words == 3
    known = [("A", few), ("B", many)]
    steps = inspector.rate_steps(known, few.words, 2.5)
    assert [step.name.split(".")[1] for step in steps] == [
        "bytes-per-token",
        "tokens-per-word",
        "cost",
    ]
    assert float(steps[1].value("fertility")) == few.count / 3
    shown = inspector.rate_inspection(known, steps[1], 3, 2.5)
    assert [row.name for row in shown.rows[1:]] == ["A", "B"]
    assert shown.rows[2].value == many.count / 3 and f"= {many.count} / 3" in shown.rows[2].note
    np.testing.assert_array_equal(shown.table["ids, B"], many.tokens.ids)
    assert len(inspector.rate_steps(known, None, 0.0)) == 1 and not inspector.rate_steps([], 3, 1.0)


def test_special_tokens_are_found_among_thousands():
    """A vocabulary of tens of thousands of special tokens is sorted once, not at each key."""
    small = small_bpe()
    at = len(small.vocabulary)
    specials = {f"<{number}>": at + number for number in range(3000)}
    many = ByteLevelBPE([*small.vocabulary, *specials], small.merges, specials)
    split = compute.split_text("many", many, "the <2999> cat", True)
    assert at + 2999 in split.tokens.ids and split.other is not None and split.lossless
    assert compute.split_text("many", many, "the <3000> cat", True).other is None
    assert compute.specials_of(many) is compute.specials_of(many)
    assert compute.specials_of(many).ids == frozenset(many.special_tokens.values())
