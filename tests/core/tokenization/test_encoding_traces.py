"""Traces of encoding: the marked lines computed what the steps tell, and the steps are true."""

import json
import random
import tempfile
from pathlib import Path

import numpy as np
import pytest

from core.tokenization import CharacterTokenizer, RankedBPE, Tokenizer, WordPiece, train_tokenizer
from core.tokenization.bpe.dropout import merge_with_dropout
from core.tokenization.bpe.trace import trace_dropout, trace_merges
from core.tokenization.byte_level import to_bytes
from core.tokenization.encoding_trace import trace_encoding
from core.tokenization.formats.library import LibraryTokenizer
from core.tokenization.wordpiece.trace import trace_longest_match
from core.trace import Trace
from tests.core.test_trace import MarkedLines
from tests.core.tokenization.reference import prose

TEXT = prose(3, 3000)
SENTENCE = "The banging lost, 2026's mira<|endoftext|> é漢字!"


def fresh(kind: str):  # type: ignore[no-untyped-def]
    """A tokenizer that remembers no word yet, so that every line runs."""
    if kind == "wordpiece":
        trained = train_tokenizer("wordpiece", TEXT, 400)
        assert isinstance(trained, WordPiece)
        return WordPiece(
            trained.vocabulary, trained.special_tokens, before=["[CLS]"], after=["[SEP]"]
        )
    if kind == "ranks":
        trained = train_tokenizer("bpe", TEXT, 500, (), tie="rustbpe")
        ranks = {to_bytes(piece): token for token, piece in enumerate(trained.vocabulary)}
        return RankedBPE(ranks, {"<|endoftext|>": 500})
    return train_tokenizer("bpe", TEXT, 500)


def written(tokenizer: Tokenizer) -> str:
    """Its tokenizer.json."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save(Path(folder) / "tokenizer.json")
        return (Path(folder) / "tokenizer.json").read_text()


def assert_lines_left(watched: MarkedLines, trace: Trace) -> None:
    for step in trace:
        watched.left(step)


@pytest.mark.parametrize("kind", ["bpe", "ranks", "wordpiece"])
def test_the_marked_lines_computed_the_values_of_an_encoding(kind: str) -> None:
    tokenizer = fresh(kind)
    text = SENTENCE.replace("<|endoftext|>", "[MASK]") if kind == "wordpiece" else SENTENCE
    with MarkedLines() as watched:
        trace = trace_encoding(tokenizer, text)
    assert_lines_left(watched, trace)
    names = [trace[index].name for index in trace.children()]
    assert names[0] == "encoding.normalizer" and names[-1] == "encoding.post-processor"
    assert {"encoding.pre-tokenizer", "encoding.special", "encoding.model"} <= set(names)


def test_a_text_of_one_word_is_not_cut() -> None:
    for text, is_cut in (("the", False), ("the cat", True)):
        titles = {step.name: step.title for step in trace_encoding(fresh("bpe"), text)}
        assert titles["encoding.pre-tokenizer"].startswith("The text is cut into 2") == is_cut


@pytest.mark.parametrize("kind", ["bpe", "ranks", "wordpiece"])
def test_the_words_of_a_trace_are_the_tokens_of_the_text(kind: str) -> None:
    tokenizer = fresh(kind)
    for seed in range(5):
        text = prose(seed, 12)
        trace = trace_encoding(tokenizer, text)
        model = [trace[i] for i in trace.children() if trace[i].name == "encoding.model"]
        ids = [
            token
            for step in model
            for token in np.atleast_1d(next(iter(step.values.values()))).tolist()
        ]
        assert ids == tokenizer.encode_ids(text, specials=False)
        parents = {step.parent for step in trace if step.parent is not None}
        assert parents <= {i for i in trace.children() if trace[i].name == "encoding.model"}


def test_a_word_is_merged_in_the_order_of_ranks() -> None:
    tokenizer = fresh("bpe")
    rng = random.Random(5)
    words = [" the", " lothe", "x", *rng.sample(sorted(set(TEXT.split())), 40)]
    with MarkedLines() as watched:
        traces = [trace_merges(tokenizer, word) for word in words]
    for word, trace in zip(words, traces):
        assert_lines_left(watched, trace)
        assert [step.name for step in trace][:1] == ["bpe.bytes"]
        joins = [step for step in trace if step.name == "bpe.merge"]
        chosen = [step for step in trace if step.name == "bpe.choose"]
        symbols = tokenizer.byte_ids(word.encode())
        for choice, join in zip(chosen, joins):
            assert choice.value("symbols").tolist() == symbols
            ranks = choice.value("found")[:, 0]
            assert int(choice.value("rank")) == ranks.min()
            place = int(join.value("place"))
            assert place == ranks.argmin(), "the leftmost of equals"
            left, right = (tokenizer.vocabulary[s] for s in symbols[place : place + 2])
            assert tokenizer.merges[int(choice.value("rank"))] == (left, right)
            symbols[place : place + 2] = [int(join.value("token"))]
            assert join.value("symbols").tolist() == symbols
        assert symbols == tokenizer.encode_word(word)
        if len(symbols) > 1:
            assert "No pair can be merged any more" in trace[-1].title


@pytest.mark.parametrize("dropout", [0.0, 0.3, 1.0])
def test_a_word_with_dropout_is_left_to_chance_step_by_step(dropout: float) -> None:
    tokenizer = fresh("bpe")
    for word in (" the", " lothe", "x", " banging", "\u6f22"):
        drawn = np.random.default_rng(3)
        with MarkedLines() as watched:
            trace = trace_dropout(tokenizer, word, dropout, np.random.default_rng(3))
        assert_lines_left(watched, trace)
        letters = tokenizer.byte_ids(word.encode())
        ids = merge_with_dropout(letters, tokenizer.ranks_of_pairs, dropout, drawn)
        assert trace.about["ids"] == trace[-1].value("word").tolist() == ids
        asked = [step for step in trace if step.name == "bpe.draw"]
        done = [step for step in trace if step.name == "bpe.merge"]
        assert len(done) == sum(float(step.value("draw")) >= dropout for step in asked)
        for step in asked:
            over = "is skipped" in step.title
            assert over == (float(step.value("draw")) < dropout)


def test_an_encoding_with_dropout_is_that_of_sample() -> None:
    tokenizer = fresh("bpe")
    with MarkedLines() as watched:
        trace = trace_encoding(tokenizer, SENTENCE, dropout=0.4, generator=np.random.default_rng(9))
        sample = tokenizer.sample(SENTENCE, 0.4, np.random.default_rng(9))
        tokenizer.encode(SENTENCE)
        tokenizer.words(SENTENCE)
    assert_lines_left(watched, trace)
    assert trace[trace.children()[-1]].value("pieces").tolist() == sample.pieces
    assert sample.pieces != tokenizer.encode(SENTENCE).pieces
    with pytest.raises(ValueError, match="choose a dropout of 0"):
        trace_encoding(fresh("wordpiece"), "a", dropout=0.4, generator=np.random.default_rng(9))


def test_a_word_that_is_a_piece_is_taken_whole() -> None:
    tokenizer = fresh("ranks")
    word = tokenizer.decode([400])
    with MarkedLines() as watched:
        trace = trace_merges(tokenizer, word)
    assert_lines_left(watched, trace)
    assert [step.name for step in trace] == ["bpe.whole"]
    assert int(trace[0].value("whole")) == 400
    whole = trace_encoding(tokenizer, word)
    assert [step.name for step in whole if step.parent is not None] == []


def test_the_longest_match_looks_from_the_longest_down() -> None:
    tokenizer = WordPiece(["[UNK]", "un", "##aff", "##able", "##a", "u"], {"[UNK]": 0})
    with MarkedLines() as watched:
        trace = trace_longest_match(tokenizer, "unaffable")
    assert_lines_left(watched, trace)
    looks = [str(step.value("piece")) for step in trace if step.name == "wordpiece.look"]
    # The longest piece has six characters, so nothing longer is tried.
    assert looks[:5] == ["unaffa", "unaff", "unaf", "una", "un"]
    assert looks[5:9] == ["##affabl", "##affab", "##affa", "##aff"]
    taken = [step for step in trace if step.name == "wordpiece.take"]
    assert [step.value("ids").tolist() for step in taken] == [[1], [1, 2], [1, 2, 3]]
    assert "Take “##aff”" in taken[1].title and "4 characters" in taken[1].title


@pytest.mark.parametrize(
    ("word", "title"), [("unx", "fits at “x”"), ("un" * 60, "more than 100 characters")]
)
def test_a_word_without_a_spelling_is_unknown(word: str, title: str) -> None:
    tokenizer = WordPiece(["[UNK]", "un", "##aff"], {"[UNK]": 0})
    with MarkedLines() as watched:
        trace = trace_longest_match(tokenizer, word)
    assert_lines_left(watched, trace)
    assert trace[-1].name == "wordpiece.unknown" and title in trace[-1].title
    assert trace[-1].value("ids").tolist() == [0]


def test_what_is_too_long_or_not_ours_is_refused() -> None:
    tokenizer = fresh("bpe")
    with pytest.raises(ValueError, match="a word of 1,001 bytes is too long.*at most 1,000"):
        trace_merges(tokenizer, "a" * 1001)
    with pytest.raises(ValueError, match="a text of 2,001 characters is too long"):
        trace_encoding(tokenizer, "a b" * 667)
    assert len(trace_merges(tokenizer, "^" * 1000)) > 1


def test_marks_that_change_places_are_told_as_they_are_sorted() -> None:
    tokenizer = WordPiece(["[UNK]", "e", "##\u1b44", "##\u302e"], {"[UNK]": 0})
    with MarkedLines() as watched:
        trace = trace_encoding(tokenizer, "e\u302e\u1b44")
    assert_lines_left(watched, trace)
    assert trace[0].code.endswith("align#align")


@pytest.mark.parametrize("unknown", [None, "<unk>"])
def test_characters_have_a_trace_of_their_own(unknown: str | None) -> None:
    letters = sorted(set(SENTENCE) - {"!"} if unknown else set(SENTENCE))
    special = {"<|endoftext|>": 0} | ({unknown: 1} if unknown else {})
    tokenizer = CharacterTokenizer([*special, *letters], special, unknown)
    with MarkedLines() as watched:
        trace = trace_encoding(tokenizer, SENTENCE)
    assert_lines_left(watched, trace)
    names = [step.name for step in trace]
    assert names.count("encoding.model") == 2 and "encoding.special" in names
    ids = [token for step in trace if step.name == "encoding.model" for token in step.value("ids")]
    whole = tokenizer.encode(SENTENCE)
    assert ids == [token for token in whole.ids if token != 0]
    assert [stage.name for stage in whole.stages][1] == "pre-tokenizer"
    assert whole.stages[1].parts[-1] == "!" and whole.stages[3].spans == whole.spans


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram"])
def test_of_a_library_the_trace_tells_what_came_out_of_each_stage(kind: str) -> None:
    document = json.loads(written(train_tokenizer(kind, TEXT, 240 if kind == "unigram" else 400)))
    tokenizer = LibraryTokenizer(document, "tokenizer.json")
    with MarkedLines() as watched:
        trace = trace_encoding(tokenizer, "The banging lost")
    assert_lines_left(watched, trace)
    stages = tokenizer.encode("The banging lost").stages
    assert [step.name for step in trace] == [f"encoding.{stage.name}" for stage in stages]
    assert trace[1].value("words").tolist() == stages[1].parts
    assert trace[2].value("model").tolist() == stages[2].parts
    assert all("library" in step.title for step in trace)


def test_a_foreign_class_is_refused_with_the_remedy() -> None:
    class Foreign:
        kind = "bpe"

    with pytest.raises(ValueError, match="a Foreign does not tell.*open its tokenizer.json"):
        trace_encoding(Foreign(), "a")  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["bpe", "wordpiece", "unigram", "characters"])
def test_a_title_is_one_line_and_has_a_sign_for_all_white_space(kind: str) -> None:
    text = "one.\n\n\ttwo  three"
    size = 240 if kind == "unigram" else 300
    tokenizer = train_tokenizer(kind, TEXT + text, size)
    for step in trace_encoding(tokenizer, text):
        assert not set("\n\t\r") & set(step.title), step.title
        for part in step.title.split("“")[1:]:
            assert "one " not in part.partition("”")[0], step.title


def test_the_words_of_a_library_are_read_as_text_where_characters_stand_for_bytes() -> None:
    document = json.loads(written(train_tokenizer("bpe", TEXT, 400)))
    tokenizer = LibraryTokenizer(document, "tokenizer.json")
    words = tokenizer.encode("naïve unhappily\n<|endoftext|>漢").stages[1].parts
    read = [tokenizer.readable(word, "pre-tokenizer") for word in words]
    assert read == ["naïve", "␣unhappily", "↵", "<|endoftext|>", "漢"]
