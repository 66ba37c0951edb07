"""Every kind of tokenizer trained by its name, and every step of training told with its line."""

import numpy as np
import pytest

from core.data import story_text
from core.tokenization import (
    AlphabetStep,
    CountingStep,
    MergeStep,
    Tokenizer,
    train_tokenizer,
    train_tokenizer_steps,
)
from core.tokenization.steps import (
    ExpectStep,
    FinishStep,
    MaximizeStep,
    PruneStep,
    SeedStep,
    TrainingStep,
    WorkingStep,
)
from core.tokenization.training import KINDS
from core.tokenization.training_trace import trace_merge, trace_training_step
from tests.core.test_trace import MarkedLines

TEXT = story_text(3, 12_000)
TRAINED = ("bpe", "wordpiece", "sentencepiece-bpe", "unigram")
VARIANTS = [
    ("bpe", {}),
    ("bpe", {"tie": "minbpe", "pattern": "cl100k"}),
    ("wordpiece", {}),
    ("wordpiece", {"score": "likelihood"}),
    ("sentencepiece-bpe", {}),
    ("unigram", {}),
]
PROGRESS = CountingStep | WorkingStep


def steps_of(kind: str, vocab_size: int, options: dict[str, str]) -> list[TrainingStep]:
    return list(train_tokenizer_steps(kind, TEXT, vocab_size, **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", TRAINED)
def test_every_kind_trains_by_its_name(kind: str) -> None:
    tokenizer = train_tokenizer(kind, TEXT, 400)
    assert isinstance(tokenizer, Tokenizer)
    assert (tokenizer.kind, tokenizer.vocab_size) == (kind, 400)
    ids = tokenizer.encode_ids("Once upon a time")
    assert ids == tokenizer.encode("Once upon a time").ids
    assert tokenizer.decode(ids).lower().strip() == "once upon a time"


@pytest.mark.parametrize("kind", ["sentencepiece-bpe", "unigram"])
def test_options_of_sentencepiece_reach_its_trainers(kind: str) -> None:
    tokenizer = train_tokenizer(
        kind,
        TEXT,
        600,
        ["<|end|>"],
        byte_fallback=True,
        character_coverage=1.0,
        normalizer="identity",
    )
    assert "<|end|>" in tokenizer.special_tokens
    assert "<0xE6>" in tokenizer.vocabulary
    assert tokenizer.decode(tokenizer.encode_ids("ﬁ 漢")) == "ﬁ 漢"


def test_an_option_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="tie is no option of a tokenizer of the kind 'unigram'"):
        train_tokenizer("unigram", TEXT, 400, tie="hf")
    with pytest.raises(ValueError, match="byte_fallback is no option.*'bpe': leave it out"):
        train_tokenizer("bpe", TEXT, 400, byte_fallback=False)
    with pytest.raises(ValueError, match="choose one of bpe, wordpiece, sentencepiece-bpe, unigr"):
        train_tokenizer("magic", TEXT)


@pytest.mark.parametrize("kind", TRAINED)
def test_a_text_without_words_is_refused_by_every_kind(kind: str) -> None:
    for empty in ("", []):
        with pytest.raises(ValueError, match=r"text.*choose"):
            train_tokenizer(kind, empty, 400)


@pytest.mark.parametrize(("kind", "options"), VARIANTS, ids=str)
def test_the_marked_lines_computed_the_values_of_every_training_step(
    kind: str, options: dict[str, str]
) -> None:
    size = 100 if kind != "bpe" else 270
    with MarkedLines() as watched:
        steps = steps_of(kind, size, options)
    told = [step for step in steps if not isinstance(step, PROGRESS)]
    assert told
    for step in told:
        watched.left(trace_training_step(step))
        if isinstance(step, MergeStep):
            for part in trace_merge(step):
                watched.left(part)
    kinds = {type(step) for step in told}
    if kind == "unigram":
        assert kinds == {SeedStep, ExpectStep, MaximizeStep, PruneStep, FinishStep}
    else:
        assert kinds == {AlphabetStep, MergeStep}


def test_a_merge_is_told_in_words() -> None:
    first, *_ = [s for s in steps_of("bpe", 260, {}) if isinstance(s, MergeStep)]
    step = trace_training_step(first)
    assert step.name == "training.choose"
    assert (first.left_piece, first.right_piece) == ("Ġ", "t")
    assert "“␣” + “t”" in step.title
    assert f"{first.count:,} times" in step.title
    tie = list(train_tokenizer_steps("bpe", "ab cd", 258, rivals=1))[-1]
    assert "the rule for ties" in trace_training_step(tie).title
    assert [part.name for part in trace_merge(first)] == [
        "training.choose",
        "training.merge",
        "training.update",
    ]


@pytest.mark.parametrize(("kind", "options"), VARIANTS[:-1], ids=str)
def test_the_rivals_of_a_merge_stood_in_the_text_beside_it(
    kind: str, options: dict[str, str]
) -> None:
    """Before the merge: so one that shares a piece with the chosen pair is among them."""
    size = 100 if kind != "bpe" else 270
    merges = [
        step
        for step in train_tokenizer_steps(kind, TEXT, size, rivals=9, **options)  # type: ignore[arg-type]
        if isinstance(step, MergeStep)
    ]
    for step in merges:
        scores = [step.score, *(rival.score for rival in step.rivals)]
        assert scores == sorted(scores, reverse=True) and len(scores) == 10
    assert any(
        rival.left_piece == step.left_piece or rival.right_piece == step.right_piece
        for step in merges
        for rival in step.rivals
    )
    assert all(
        step.piece not in (r.left_piece, r.right_piece) for step in merges for r in step.rivals
    )


def test_progress_is_no_moment_to_look_at() -> None:
    for step in (CountingStep(1, 1, 1), WorkingStep("seeds", 1)):
        with pytest.raises(ValueError, match="show it as progress"):
            trace_training_step(step)


@pytest.mark.parametrize("kind", [*TRAINED, "characters"])
@pytest.mark.parametrize("size", [10**20, 500.5, "400", True, [400]], ids=str)
def test_a_size_that_no_vocabulary_has_is_refused_by_every_kind(kind: str, size: object) -> None:
    with pytest.raises(ValueError, match=r"vocab_size .*: choose (at most|a whole number)"):
        train_tokenizer(kind, TEXT, size)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [*TRAINED, "characters"])
def test_what_is_no_text_is_refused_by_every_kind(kind: str) -> None:
    for texts, remedy in [
        (b"once upon a time", "bytes: decode them first"),
        (["once", b"upon"], "no string: decode it"),
        (17, "the text is 17: give a string"),
    ]:
        with pytest.raises(ValueError, match=remedy):
            train_tokenizer(kind, texts, 400)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"special_tokens is one string: put it into a list"):
        train_tokenizer(kind, TEXT, 400, "<|end|>")


def test_a_size_may_come_from_numpy() -> None:
    assert train_tokenizer("bpe", TEXT, np.int64(270)).vocab_size == 270


@pytest.mark.parametrize("kind", ["sentencepiece-bpe", "unigram"])
def test_a_text_in_one_line_is_learned_from(kind: str) -> None:
    """SentencePiece leaves out lines of more than 4,192 bytes; here nothing would be left."""
    line = TEXT.replace("\n", " ")
    assert len(line) > 10_000
    for text in (line, f"title\n{line}"):
        pieces = train_tokenizer(kind, text, 200).vocabulary
        assert {"▁the", "▁was"} <= set(pieces)
    assert "Ж" not in train_tokenizer(kind, f"{TEXT}\n" + "Ж" * 2500, 100).vocabulary


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_text_and_no_id_is_refused_with_the_remedy(kind: str) -> None:
    tokenizer = train_tokenizer(kind, TEXT, 400 if kind != "unigram" else 100)
    for encode in (tokenizer.encode, tokenizer.encode_ids):
        with pytest.raises(ValueError, match="decode it first"):
            encode(b"abc")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="None: give a string"):
            encode(None)  # type: ignore[arg-type]
    for ids in ("abc", [1.5], [None]):
        with pytest.raises(ValueError, match="no whole number"):
            tokenizer.decode(ids)  # type: ignore[arg-type]
    ids = tokenizer.encode_ids("the")
    assert tokenizer.decode(np.array(ids)) == tokenizer.decode(ids)  # type: ignore[arg-type]


def test_options_that_are_of_no_type_are_refused() -> None:
    for kind in KINDS:
        with pytest.raises(ValueError, match="special token None is no string"):
            train_tokenizer(kind, TEXT, 400, [None])  # type: ignore[list-item]
    for coverage in ("1", float("nan"), 2):
        with pytest.raises(ValueError, match="choose a number above 0"):
            train_tokenizer("unigram", TEXT, 100, character_coverage=coverage)  # type: ignore[arg-type]
