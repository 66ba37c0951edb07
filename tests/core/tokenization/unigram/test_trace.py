"""The trace of a sentence under Unigram: it tells what the marked lines computed."""

import numpy as np
import pytest

from core.data import story_text
from core.tokenization.encoding_trace import trace_encoding
from core.tokenization.sentencepiece.pieces import Piece, meta_pieces
from core.tokenization.steps import (
    CountingStep,
    ExpectStep,
    FinishStep,
    MaximizeStep,
    PruneStep,
    SeedStep,
    WorkingStep,
)
from core.tokenization.training_trace import trace_training_step
from core.tokenization.unigram import Unigram
from core.tokenization.unigram.trace import trace_lattice
from core.tokenization.unigram.training import unigram_steps
from tests.core.test_trace import MarkedLines

SCORES = {
    "▁": -3.0,
    "a": -3.5,
    "b": -3.75,
    "ab": -4.0,
    "▁a": -4.5,
    "▁ab": -6.0,
    "ba": -5.0,
    "bab": -7.0,
}


def tokenizer(byte_fallback: bool = False) -> Unigram:
    pieces = meta_pieces(byte_fallback=byte_fallback)
    pieces += [Piece(piece, score) for piece, score in SCORES.items()]
    return Unigram(pieces, byte_fallback=byte_fallback)


@pytest.mark.parametrize("byte_fallback", [False, True])
@pytest.mark.parametrize("sentence", ["abab ba", "a", "a漢字b", ""])
@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_the_marked_lines_computed_the_values_of_a_sentence(sentence, byte_fallback, alpha):
    with MarkedLines() as watched:
        trace = trace_lattice(
            tokenizer(byte_fallback), sentence, alpha=alpha, generator=np.random.default_rng(2)
        )
    assert trace.complete
    for step in trace:
        watched.left(step)


def test_the_steps_tell_the_search_in_its_order():
    ours = tokenizer()
    trace = trace_lattice(ours, "abab", n=3, generator=np.random.default_rng(0))
    outer = [trace[index] for index in trace.children()]
    names = [step.name.removeprefix("unigram.") for step in outer]
    best = trace.about["best"].path
    assert best.pieces == ["▁ab", "ab"]
    assert names[:6] == ["nodes", *["keep"] * 5]
    assert names[6:12] == [*["backtrace"] * 2, *["take"] * 3, "posterior"]
    assert set(names[12:]) == {"sample"}
    assert "Only “␣”" in outer[1].title and "\u22123.00" in outer[1].title
    best_of = "Of the 3 pieces that end at position 3, “␣ab” gives the best"
    assert outer[3].title.startswith(best_of) and outer[3].title.endswith("\u22126.00")
    assert outer[6].title == (
        "The best way to reach position 5 ends with “ab”, which starts at position 3"
    )
    keep = trace.children()[3]
    (inside,) = trace.children(keep)
    assert trace[inside].value("candidates").tolist() == [-6.0, -7.0, -8.25]
    assert [path.pieces for path in trace.about["n_best"]] == [
        path.pieces for path in ours.n_best("abab", 3)
    ]
    assert len(trace.about["posteriors"]) == len(trace.about["lattice"].nodes)
    posterior = next(
        index for index in trace.children() if trace[index].name == "unigram.posterior"
    )
    assert [trace[index].name for index in trace.children(posterior)] == ["unigram.forward"] * 5


def test_a_normalized_sentence_is_taken_as_it_is():
    raw = trace_lattice(tokenizer(), " ab  a")
    normalized = trace_lattice(tokenizer(), "▁ab▁a", normalized=True)
    assert raw.about["text"] == normalized.about["text"] == "▁ab▁a"
    assert raw.about["sample"] is None


@pytest.mark.parametrize("specials", [True, False])
@pytest.mark.parametrize("text", ["abab ﬁ  a", "a<s> bb</s>", "", "漢 ab漢字"])
@pytest.mark.parametrize("byte_fallback", [False, True])
def test_the_marked_lines_computed_every_stage_of_a_text(text, specials, byte_fallback):
    ours = tokenizer(byte_fallback)
    with MarkedLines() as watched:
        trace = trace_encoding(ours, text, specials=specials)
    for step in trace:
        watched.left(step)
    assert list(trace[-1].value("pieces")) == ours.encode(text, specials=specials).pieces


def test_what_has_no_piece_ends_as_bytes_or_unknown():
    names = [step.name for step in trace_lattice(tokenizer(), "a漢字")]
    assert names.count("sentencepiece.unknown") == 1 and "unigram.unknown" in names
    names = [step.name for step in trace_lattice(tokenizer(True), "a漢字")]
    assert names.count("sentencepiece.bytes") == 2


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"n": 0}, "at least one"),
        ({"alpha": -1.0}, "sharpness"),
        ({"sentence": "a" * 4000}, "4,000"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_remedy(settings, remedy):
    with pytest.raises(ValueError, match=remedy):
        trace_lattice(tokenizer(), **{"sentence": "ab", **settings})


def test_the_marked_lines_computed_the_values_of_a_training():
    text = story_text(1, 4_000)
    with MarkedLines() as watched:
        steps = [
            step
            for step in unigram_steps([text], 60)
            if not isinstance(step, CountingStep | WorkingStep)
        ]
    kinds = {SeedStep, ExpectStep, MaximizeStep, PruneStep, FinishStep}
    assert {type(step) for step in steps} == kinds
    for step in steps:
        watched.left(trace_training_step(step))
