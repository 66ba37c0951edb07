"""The trace of a word under SentencePiece's BPE: it tells what the marked lines computed."""

import numpy as np
import pytest

from core.tokenization.encoding_trace import trace_encoding
from core.tokenization.sentencepiece import SentencePieceBPE
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import Piece, PieceType, meta_pieces
from core.tokenization.sentencepiece.score_merging import GONE, Offer, standing
from core.tokenization.sentencepiece.trace import (
    normalizer_steps,
    trace_score_dropout,
    trace_score_merges,
)
from tests.core.test_trace import MarkedLines

SCORES = {"ab": -1.0, "bc": 0.0, "abc": -2.0, "▁abc": -3.0, "cc": 0.0}


def tokenizer(byte_fallback: bool = False, unused: str = "") -> SentencePieceBPE:
    pieces = meta_pieces(byte_fallback=byte_fallback)
    for piece, score in SCORES.items():
        kind = PieceType.UNUSED if piece == unused else PieceType.NORMAL
        pieces.append(Piece(piece, score, kind))
    pieces += [Piece(letter, -9.0 - ord(letter)) for letter in "abc▁"]
    return SentencePieceBPE(pieces, byte_fallback=byte_fallback)


@pytest.mark.parametrize("byte_fallback", [False, True])
@pytest.mark.parametrize("unused", ["", "abc"])
@pytest.mark.parametrize("word", ["▁abcab", "▁", "▁abccab漢字c🙂", "漢", "ccc"])
def test_the_marked_lines_computed_the_values_of_a_word(
    word: str, byte_fallback: bool, unused: str
):
    ours = tokenizer(byte_fallback, unused)
    with MarkedLines() as watched:
        trace = trace_score_merges(ours, word)
    assert trace.complete and trace.about["word"] == word
    for step in trace:
        watched.left(step)


def test_the_steps_tell_the_merges_in_their_order():
    trace = trace_score_merges(tokenizer(), "▁abcab")
    names = [step.name.rpartition(".")[2] for step in trace]
    assert names == ["letters", *["choose", "merge"] * 4]
    assert (
        trace[1].title == "Of 3 pairs that spell a piece, “b” + “c” scores best (score 0, rank 1)"
    )
    assert (
        trace[3].title
        == "Of 2 pairs that spell a piece, “a” + “b” scores best (score \u22121, rank 2)"
    )
    assert trace[7].title == "Only “␣” + “abc” spells a piece (score \u22123, rank 4)"
    spelled = tokenizer().symbols.spelled
    rows = [step.value("symbols") for step in trace if step.name.endswith("merge")]
    assert [[spelled[number] for number in row[row != GONE]] for row in rows] == [
        ["▁", "a", "bc", "a", "b"],
        ["▁", "a", "bc", "ab"],
        ["▁", "abc", "ab"],
        ["▁abc", "ab"],
    ]
    assert trace[2].value("place") == 2


def test_a_choice_tells_what_else_was_offered():
    trace = trace_score_merges(tokenizer(), "▁abcab")
    ours = tokenizer()
    heap = [tuple(offer) for offer in trace[1].value("heap").tolist()]
    row = trace[1].value("symbols").tolist()
    others = standing([Offer(*offer) for offer in heap], row)
    assert [ours.symbols.spelled[offer.token] for offer in others] == ["ab", "ab"]
    assert [offer.rank for offer in others] == [1, 1] and others[0].place < others[1].place
    assert trace[7].value("heap").size == 0


@pytest.mark.parametrize("dropout", [0.3, 1.0])
@pytest.mark.parametrize("unused", ["", "abc"])
@pytest.mark.parametrize("word", ["▁abcab", "▁", "▁abccab漢字c🙂", "ccc"])
def test_a_word_with_dropout_is_left_to_chance_step_by_step(word: str, unused: str, dropout: float):
    ours = tokenizer(True, unused)
    with MarkedLines() as watched:
        trace = trace_score_dropout(ours, word, dropout, np.random.default_rng(3))
    for step in trace:
        watched.left(step)
    again = ours.sample_word(word, dropout, np.random.default_rng(3))
    assert trace.about["found"] == again
    asked = [step for step in trace if step.name == "sentencepiece-bpe.draw"]
    joined = [step for step in trace if step.name == "sentencepiece-bpe.merge"]
    passed = [float(step.value("draw")) < dropout for step in asked]
    assert len(joined) == passed.count(False)
    assert passed == ["is skipped" in step.title for step in asked]
    if dropout == 1.0:
        assert [string for string, _ in again] == list(word)


@pytest.mark.parametrize("text", ["abcab ﬁ  c", "a<s> bc</s>", "", "漢 abc漢字", "XXabc XX"])
@pytest.mark.parametrize("unused", ["", "abc"])
@pytest.mark.parametrize("byte_fallback", [False, True])
def test_an_encoding_with_dropout_is_that_of_sample(text: str, unused: str, byte_fallback: bool):
    pieces = tokenizer(byte_fallback, unused).pieces.pieces
    pieces = [*pieces, Piece("XX", 0.0, PieceType.USER_DEFINED)]
    ours = SentencePieceBPE(pieces, byte_fallback=byte_fallback)
    drawn = set()
    for seed in range(4):
        with MarkedLines() as watched:
            chance = np.random.default_rng(seed)
            trace = trace_encoding(ours, text, dropout=0.4, generator=chance)
            sample = ours.sample(text, 0.4, np.random.default_rng(seed))
            ours.encode_ids(text)
            ours.encode(text)
        for step in trace:
            watched.left(step)
        assert list(trace[-1].value("pieces")) == sample.pieces
        drawn.add(tuple(sample.pieces))
    assert len(drawn) > 1 or "abc" not in text


def test_dropout_takes_a_probability():
    with pytest.raises(ValueError, match="choose a number from 0 to 1"):
        trace_score_dropout(tokenizer(), "ab", 1.5, np.random.default_rng(0))


def test_what_has_no_piece_ends_as_bytes_or_unknown():
    last = list(trace_score_merges(tokenizer(), "a漢字"))[-1]
    assert last.name == "sentencepiece.unknown" and last.value("ids")[-1] == 0
    spelled = list(trace_score_merges(tokenizer(byte_fallback=True), "a漢字"))
    assert [step.name for step in spelled[-2:]] == ["sentencepiece.bytes"] * 2
    assert np.array_equal(spelled[-2].value("data"), [3 + byte for byte in "漢".encode()])


def test_a_word_too_long_to_show_is_refused_with_the_limit():
    with pytest.raises(ValueError, match="at most 1,000"):
        trace_score_merges(tokenizer(), "a" * 1001)


@pytest.mark.parametrize("name", ["nmt_nfkc", "identity"])
@pytest.mark.parametrize("text", ["two  words", " ﬁn é\tＡ ", "a"])
def test_the_marked_lines_computed_the_normalized_text(name: str, text: str):
    normalizer = SentencePieceNormalizer(name)
    with MarkedLines() as watched:
        steps = list(normalizer_steps(normalizer, text))
    assert len(steps) == 2
    for step in steps:
        watched.left(step)
    assert steps[1].value("normalized") == normalizer.normalize(text)


def test_a_text_without_words_has_no_steps():
    assert list(normalizer_steps(SentencePieceNormalizer(), "  ")) == []


@pytest.mark.parametrize("specials", [True, False])
@pytest.mark.parametrize("text", ["abcab ﬁ  c", "a<s> bc</s>", "", "漢 abc漢字", "XXabc XX"])
@pytest.mark.parametrize("byte_fallback", [False, True])
def test_the_marked_lines_computed_every_stage_of_a_text(
    text: str, specials: bool, byte_fallback: bool
):
    pieces = tokenizer(byte_fallback).pieces.pieces
    pieces = [*pieces, Piece("XX", 0.0, PieceType.USER_DEFINED)]
    ours = SentencePieceBPE(pieces, byte_fallback=byte_fallback)
    with MarkedLines() as watched:
        trace = trace_encoding(ours, text, specials=specials)
    for step in trace:
        watched.left(step)
    assert list(trace[-1].value("pieces")) == ours.encode(text, specials=specials).pieces


@pytest.mark.parametrize(
    ("rules", "text", "said"),
    [
        ("identity", "a", "unchanged: “a”"),
        ("identity", " the  a", "“identity” changes nothing else: “the␣a”"),
        ("nmt_nfkc", "ﬁ", "“nmt_nfkc” turns the text into “fi”"),
    ],
)
def test_what_a_normalizer_does_is_said(rules: str, text: str, said: str) -> None:
    rewritten, spaces = normalizer_steps(SentencePieceNormalizer(rules), text)
    assert rewritten.title.endswith(said)
    assert spaces.title.startswith("Put a space in front, and write every space as ␣: “␣")
    bare = SentencePieceNormalizer(rules, add_dummy_prefix=False)
    assert list(normalizer_steps(bare, text))[1].title.startswith("Write every space as ␣")
