"""The words and numbers of titles, and steps inside steps."""

import pytest

from core.tokenization import MergeStep, train_tokenizer, train_tokenizer_steps
from core.tokenization.analysis.search import VocabularyIndex, match_step
from core.tokenization.encoding_trace import trace_encoding
from core.tokenization.formats.spelling import bytes_of
from core.tokenization.telling import (
    arrays,
    average,
    count,
    listed,
    plain,
    real,
    refuse_longer,
    separate,
    share_said,
    shown,
    trace_of_told,
    verb,
)
from core.tokenization.training_trace import trace_merge
from core.trace import Step
from tests.core.tokenization.reference import prose

CODE = "core.trace:Trace.finish#none"


def test_numbers_have_a_minus_that_is_no_hyphen() -> None:
    assert real(-1234.5) == "\u22121,234.50" and real(0.25, 3) == "0.250"
    assert plain(-50.0) == "\u221250" and plain(1e-7) == "1e\u22127"


def test_one_of_a_thing_is_told_otherwise_than_two() -> None:
    told = [f"{count(n, 'piece')} {verb(n, 'ends', 'end')}" for n in (0, 1, 2, 1000)]
    assert told == ["0 pieces end", "1 piece ends", "2 pieces end", "1,000 pieces end"]


@pytest.mark.parametrize(
    ("kind", "piece", "told"),
    [
        ("bpe", "ĠtheĊ", "␣the↵"),
        ("bpe", "ĠnaÃ¯ve", "␣naïve"),
        ("bpe", "Ã", "<C3>"),
        ("bpe", "Ā", "<00>"),
        ("bpe", "▁the", "␣the"),  # another library's BPE, which spells as SentencePiece does
        ("wordpiece", "##ing", "##ing"),
        ("wordpiece", "ing", "ing"),
        ("sentencepiece-bpe", "▁of▁the", "␣of␣the"),
        ("unigram", "<0xE2>", "<E2>"),
        ("unigram", "<s>", "<s>"),
        ("unigram", "👩‍🚀", "👩‍🚀"),
    ],
)
def test_a_space_has_one_sign_however_a_vocabulary_spells_it(
    kind: str, piece: str, told: str
) -> None:
    assert shown(piece, bytes_of(kind, piece)) == told


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "sentencepiece-bpe", "unigram"])
def test_no_title_has_another_sign_for_a_space(kind: str) -> None:
    texts = prose(5, 600)
    tokenizer = train_tokenizer(kind, texts, 400 if kind == "bpe" else 120)
    titles = [step.title for step in trace_encoding(tokenizer, "the bamilo q")]
    for step in train_tokenizer_steps(kind, texts, 400 if kind == "bpe" else 120):
        if isinstance(step, MergeStep):
            titles += [one.title for one in trace_merge(step)]
    index = VocabularyIndex(tokenizer)
    titles += [match_step(match).title for match in index.search("a")]
    assert titles and not any(sign in title for title in titles for sign in "Ġ▁·")


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "sentencepiece-bpe", "unigram"])
def test_no_title_has_a_hyphen_for_a_minus_or_one_of_many(kind: str) -> None:
    tokenizer = train_tokenizer(kind, prose(5, 600), 400 if kind == "bpe" else 120)
    for step in trace_encoding(tokenizer, "the bamilo q, ra\u1234x"):
        words = step.title.split("“")[0] + "".join(p.split("”")[-1] for p in step.title.split("“"))
        assert " -" not in words, step.title
        for wrong in ("1 pieces", "1 bytes", "1 pair that fit ", "1 characters", "1 piece end "):
            assert f" {wrong}" not in f" {words}", step.title


def test_steps_keep_their_place_inside_others() -> None:
    def step(name: str, parent: int | None = None) -> Step:
        return Step(name, "title", "x", CODE, arrays({"x": 1}), parent)

    inner = [step("a"), step("a1", parent=0)]
    trace = trace_of_told([(step("first"), ()), (step("second"), inner)], {"kind": "test"})
    assert trace.complete and trace.about["kind"] == "test"
    assert [(one.name, one.parent) for one in trace] == [
        ("first", None),
        ("second", None),
        ("a", 1),
        ("a1", 2),
    ]


def test_what_is_too_long_to_be_shown_is_refused_with_the_remedy() -> None:
    refuse_longer("word", 1000, "bytes", 1000, "merge by merge")
    with pytest.raises(ValueError, match=r"word of 1,001 bytes .* at most 1,000"):
        refuse_longer("word", 1001, "bytes", 1000, "merge by merge")


def test_a_mark_is_shown_only_where_a_word_goes_on() -> None:
    assert shown("##ing", b"ing") == "##ing"
    assert shown("<0x3E>", b">") == ">"  # a byte piece that ends with what it stands for
    assert shown("how", b"how") == "how"


def test_names_are_listed_as_people_do():
    assert [listed(["a", "b", "c"][:size]) for size in range(4)] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_one_is_singular_and_nothing_else_is() -> None:
    assert [average(value, "byte") for value in (1.0, 2.617, 0.5, 1.0001)] == [
        "1 byte",
        "2.62 bytes",
        "0.500 bytes",
        "1.00 bytes",
    ]
    assert [separate(number, "byte") for number in (1, 3)] == ["1 byte", "3 separate bytes"]


def test_almost_all_is_not_all() -> None:
    assert [share_said(share) for share in (1, 0.995, 0.99999, 0.98, 0.05)] == [
        "all",
        "99.5\u2009%",
        "99.9\u2009%",
        "98\u2009%",
        "5.0\u2009%",
    ]
