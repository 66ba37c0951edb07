"""Pairs: dates as people write them, and copies."""

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pytest

from core.data.dates import (
    FIRST,
    FORMATS,
    LAST,
    Dates,
    forms_of,
    is_held_out,
    ordinal_words,
    written,
    year_words,
)
from core.data.pair_corpora import PAIR_CORPORA, pair_corpus
from core.data.pairs import END, SORTED, START, Copies, Pair, PairBatches


def some(split: str, count: int = 3000) -> list[Pair]:
    corpus, generator = Dates(), np.random.default_rng(0)
    return [corpus.pair(split, generator) for _ in range(count)]


def test_no_day_of_training_is_ever_held_out() -> None:
    trained, held_out = ({pair.target for pair in some(split)} for split in ("train", "validation"))
    assert not trained & held_out
    days = (LAST - FIRST).days + 1
    share = sum(is_held_out(FIRST + timedelta(n)) for n in range(days)) / days
    assert share == pytest.approx(0.1, abs=0.01)


@pytest.mark.parametrize(
    ("form", "source"),
    [
        ("the {day} of {month} {yyyy}", "the third of March 1999"),
        ("{weekday}, {month} {d}, {yyyy}", "Wednesday, March 3, 1999"),
        ("{dd}.{mm}.{yyyy}", "03.03.1999"),
        ("{m}/{d}/{yyyy}", "3/3/1999"),
        ("{dd}-{mon}-{yyyy}", "03-Mar-1999"),
        ("the {day} of {month}, {year}", "the third of March, nineteen ninety-nine"),
    ],
)
def test_a_day_is_written_in_its_format(form: str, source: str) -> None:
    assert form in FORMATS
    pair = written(date(1999, 3, 3), form)
    assert (pair.source, pair.target) == (source, "1999-03-03")


def test_each_digit_knows_where_its_reason_stands() -> None:
    pair = written(date(2021, 12, 31), "{weekday}, {month} {d}, {yyyy}")
    spans = [None if span is None else pair.source[slice(*span)] for span in pair.spans]
    assert spans == [*["2021"] * 4, None, *["December"] * 2, None, *["31"] * 2]
    for pair in some("train"):
        assert len(pair.spans) == len(pair.target) == 10
        forms = forms_of(date.fromisoformat(pair.target))
        for part, (first, last) in {"year": pair.spans[0], "day": pair.spans[8]}.items():
            names = ("yyyy", "year") if part == "year" else ("d", "dd", "dth", "day")
            assert pair.source[first:last] in {forms[name].lower() for name in names}


def test_words_are_those_that_people_say() -> None:
    assert [ordinal_words(day) for day in (1, 2, 3, 5, 8, 9, 11, 12, 20, 21, 30, 31)] == [
        "first", "second", "third", "fifth", "eighth", "ninth", "eleventh", "twelfth", "twentieth",
        "twenty-first", "thirtieth", "thirty-first",
    ]  # fmt: skip
    assert [year_words(year) for year in (1900, 1905, 1984, 2000, 2009, 2010, 2021, 2099)] == [
        "nineteen hundred", "nineteen oh five", "nineteen eighty-four", "two thousand",
        "two thousand nine", "twenty ten", "twenty twenty-one", "twenty ninety-nine",
    ]  # fmt: skip
    endings = {forms_of(date(2000, 1, day))["dth"] for day in range(1, 32)}
    assert {"1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd"} <= endings


def test_every_format_and_every_day_has_its_characters_and_its_length() -> None:
    tokenizer = Dates().tokenizer
    for n in range(0, (LAST - FIRST).days, 13):
        for form in FORMATS:
            source = written(FIRST + timedelta(n), form).source
            assert len(tokenizer.encode_ids(source)) == len(source) <= 64
    assert any(pair.source.islower() for pair in some("train", 100))


@pytest.mark.parametrize("name", PAIR_CORPORA)
def test_a_batch_is_a_pure_function_of_its_place_and_ranks_share_it(name: str) -> None:
    corpus = pair_corpus(name)
    batches = PairBatches(corpus, "train", 5, 64, seed=3)
    whole = batches.batch(7, 1)
    source, ids, targets = whole
    tokenizer = corpus.tokenizer
    for row, pair in enumerate(batches.pairs(7, 1)):
        assert tokenizer.decode(source[row][source[row] >= 0]) == pair.source
        assert tokenizer.decode(ids[row][ids[row] >= 0]) == START + pair.target
        assert tokenizer.decode(targets[row][targets[row] >= 0]) == pair.target + END
    for one, other in zip(whole, PairBatches(corpus, "train", 5, 64, 3).batch(7, 1), strict=True):
        np.testing.assert_array_equal(one, other)
    parts = [batches.batch(7, 1, rank, 2) for rank in range(2)]
    for place in range(3):
        np.testing.assert_array_equal(np.concatenate([p[place] for p in parts]), whole[place])
    assert batches.pairs(7, 1) != batches.pairs(8, 1) != batches.pairs(8, 0)


def test_pairs_of_about_the_same_length_are_batched_together() -> None:
    batches = PairBatches(Dates(), "train", 16, 64, seed=3)
    lengths = [[len(pair.source) for pair in batches.pairs(step)] for step in range(2 * SORTED)]
    for window in (lengths[:SORTED], lengths[SORTED:]):
        ordered = sorted(window, key=sorted)
        assert all(max(a) <= min(b) for a, b in pairwise(ordered))
        assert ordered != window
    ids = np.concatenate([batches.batch(step)[0].ravel() for step in range(SORTED)])
    assert (ids < 0).mean() < 0.15  # padding; unsorted, it is more than half


def test_held_out_copies_are_never_trained_on() -> None:
    corpus, generator = Copies(3), np.random.default_rng(0)
    seen = {split: {corpus.pair(split, generator).source for _ in range(900)}
            for split in ("train", "validation")}  # fmt: skip
    assert not seen["train"] & seen["validation"]
    for split, sources in seen.items():  # nothing that a digit says decides it
        assert {source[-1] for source in sources} == set("0123456789"), split
    pair = corpus.pair("train", generator)
    assert pair.target == pair.source and pair.spans == ((0, 1), (1, 2), (2, 3))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="use 'dates' or 'copies'"):
        pair_corpus("sums")
    with pytest.raises(ValueError, match="use a block_size of 11 or more"):
        PairBatches(Copies(), "train", 2, 10, 0).batch(0)
    with pytest.raises(ValueError, match="split"):
        Dates().pair("test", np.random.default_rng(0))
