"""Splits of one text, search in a vocabulary, pieces in common, glitch tokens."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tokenization import ByteLevelBPE, Encoding, Unigram, WordPiece, train_tokenizer
from core.tokenization.analysis import (
    VocabularyIndex,
    differing_regions,
    glitch_candidates,
    own_tokens,
    vocabulary_overlap,
)
from core.tokenization.analysis.glitches import glitch_steps, is_reachable
from core.tokenization.analysis.overlap import overlap_steps
from core.tokenization.byte_level import ALPHABET
from core.tokenization.sentencepiece.pieces import Piece, meta_pieces
from tests.core.tokenization.reference import prose

TEXT = prose(1, 1500)
BYTES = list(ALPHABET)


def cut(text: str, *ends: int) -> Encoding:
    """An encoding that cuts the text at these bytes."""
    places = [0, *ends, len(text.encode())]
    spans = list(itertools.pairwise(places))
    return Encoding(text, list(range(len(spans))), [""] * len(spans), spans)


def tokenizer(*merges: tuple[str, str], specials: tuple[str, ...] = ()) -> ByteLevelBPE:
    pieces = [*BYTES, *(left + right for left, right in merges), *specials]
    return ByteLevelBPE(pieces, list(merges), {text: pieces.index(text) for text in specials})


# -- splits -----------------------------------------------------------------------------------


def test_tokens_of_one_split_alone() -> None:
    first, second, third = cut("abcdef", 2, 4), cut("abcdef", 2, 3, 4), cut("abcdef", 4)
    assert own_tokens([first, second]) == [[1], [1, 2]]
    assert own_tokens([first, second, third]) == [[0, 1], [0, 1, 2], [0]]
    assert own_tokens([first]) == [[]]
    assert own_tokens([]) == []


def test_spaces_at_the_ends_of_tokens_can_be_left_out() -> None:
    first = cut("the cat", 3)
    second = Encoding("the cat", [0, 1], ["", ""], [(0, 3), (4, 7)])
    assert own_tokens([first, second]) == [[1], [1]]
    assert own_tokens([first, second], ignore_spaces=True) == [[], []]


def test_tokens_that_stand_for_nothing_are_no_difference() -> None:
    first = cut("ab", 1)
    second = Encoding("ab", [5, 0, 1, 6], [""] * 4, [(0, 0), (0, 1), (1, 2), (2, 2)])
    assert own_tokens([first, second]) == [[], []]
    assert differing_regions(first, second) == []


def test_regions_are_as_short_as_can_be() -> None:
    first, second = cut("abcdefgh", 2, 4, 5, 7), cut("abcdefgh", 2, 3, 4, 6, 7)
    regions = differing_regions(first, second)
    assert [(r.start, r.stop, list(r.first), list(r.second)) for r in regions] == [
        (2, 4, [1], [1, 2]),
        (4, 7, [2, 3], [3, 4]),
    ]


def test_different_texts_cannot_be_compared() -> None:
    for compare in (lambda a, b: own_tokens([a, b]), differing_regions):
        with pytest.raises(ValueError, match="encode one text with each"):
            compare(cut("ab", 1), cut("abc", 1))


CUTS = st.sets(st.integers(1, 19))


@given(CUTS, CUTS)
def test_regions_hold_exactly_the_tokens_that_differ(one: set[int], other: set[int]) -> None:
    text = "x" * 20
    first, second = cut(text, *sorted(one)), cut(text, *sorted(other))
    regions = differing_regions(first, second)
    alone = own_tokens([first, second])
    assert [i for region in regions for i in region.first] == alone[0]
    assert [i for region in regions for i in region.second] == alone[1]
    for region in regions:
        assert first.spans[region.first[0]][0] == second.spans[region.second[0]][0] == region.start
        assert first.spans[region.first[-1]][1] == second.spans[region.second[-1]][1] == region.stop
        inner = {first.spans[i][0] for i in region.first[1:]}
        assert not inner & {second.spans[i][0] for i in region.second[1:]}
    assert all(a.stop <= b.start for a, b in itertools.pairwise(regions))


# -- search -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def index() -> VocabularyIndex:
    merges = [("t", "h"), ("th", "e"), ("Ġ", "the"), ("T", "h"), ("â", "ĸ")]
    return VocabularyIndex(tokenizer(*merges, specials=("<|the end|>",)))


@pytest.mark.parametrize(
    ("query", "way", "found"),
    [
        ("the", "contains", ["the", "Ġthe", "<|the end|>"]),
        (" the", "contains", ["Ġthe"]),
        ("Ġthe", "contains", ["Ġthe"]),
        ("▁the", "begins", ["Ġthe"]),
        ("␣the", "is", ["Ġthe"]),
        ("·the", "ends", ["Ġthe"]),
        ("th", "begins", ["th", "the"]),
        ("he", "ends", ["the", "Ġthe"]),
        ("the", "is", ["the"]),
        ("^ ?th.$", "regex", ["the", "Ġthe"]),
        ("e2 96", "bytes", ["âĸ"]),
        ("E296", "bytes", ["âĸ"]),
        ("zzz", "contains", []),
    ],
)
def test_pieces_are_found(index: VocabularyIndex, query: str, way: str, found: list[str]) -> None:
    matches = index.search(query, way)
    assert [match.piece for match in matches] == found
    for match in matches:
        assert index.tokenizer.vocabulary[match.token] == match.piece
        assert index.tokenizer.piece_bytes(match.token) == match.data


def test_capitals_can_be_the_same_as_small_letters(index: VocabularyIndex) -> None:
    for way, number in (("contains", 5), ("begins", 3), ("is", 2), ("ends", 2)):
        assert len(index.search("TH", way, any_case=True)) == number
    assert len(index.search("^th$", "regex", any_case=True)) == 2


@pytest.mark.parametrize("query", ["Ġna", "▁na", "␣na", "·na", " na", "Ġnaïve", "ĠnaÃ¯ve"])
def test_any_sign_for_a_space_finds_it_however_a_vocabulary_spells_it(query: str) -> None:
    byte_level = ByteLevelBPE([*ALPHABET, "Ġna", "ĠnaÃ¯ve"], [])
    meta = Unigram([*meta_pieces(), Piece("▁naïve", -1.0), Piece("na", -9.0)])
    for tokenizer in (byte_level, meta):
        for way, any_case in (("contains", False), ("begins", True)):
            found = VocabularyIndex(tokenizer).search(query, way, any_case=any_case)
            assert " naïve" in [match.text for match in found], query


def test_a_piece_that_goes_on_is_found_as_wordpiece_spells_it() -> None:
    pieces = ["[UNK]", "ing", "##ing", "##ings", "sing", "#"]
    index = VocabularyIndex(WordPiece(pieces, {"[UNK]": 0}))
    assert [match.piece for match in index.search("##ing")] == ["##ing", "##ings"]
    assert [match.piece for match in index.search("##ing", "is")] == ["##ing"]
    assert [match.piece for match in index.search("ing", "is")] == ["ing", "##ing"]


def test_a_search_ends_at_its_limit_and_tells_what_it_has(index: VocabularyIndex) -> None:
    assert [match.piece for match in index.search("t", limit=2)] == ["t", "th"]
    assert index.search("e2 96", "bytes")[0].text == "\ufffd"


@pytest.mark.parametrize(
    ("query", "way", "message"),
    [
        ("", "contains", "1 to 1,000 characters"),
        ("x" * 1001, "contains", "1 to 1,000 characters"),
        ("x", "sounds", "cannot be searched by 'sounds'.*contains"),
        ("xyz", "bytes", "no bytes|not bytes in hexadecimal"),
        ("(", "regex", "no regular expression"),
        ("(?<=a{1,5000000000})b", "regex", "no regular expression"),
    ],
)
def test_a_question_that_cannot_be_put_is_refused(
    index: VocabularyIndex, query: str, way: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        index.search(query, way)


def test_a_regular_expression_that_would_take_for_ever_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("core.tokenization.analysis.search.PATIENCE", 0.05)
    doubled = VocabularyIndex(tokenizer(*[("a" * n, "a" * n) for n in (1, 2, 4, 8, 16, 32)]))
    with pytest.raises(ValueError, match="takes too long: write it with fewer"):
        doubled.search("^(?:a|aa)+[^a]", "regex")
    assert len(doubled.search("^(?:a|aa)+$", "regex")) == 7


# -- overlap ----------------------------------------------------------------------------------


def test_pieces_are_shared_by_their_bytes() -> None:
    first = tokenizer(("t", "h"), ("Ġ", "a"), specials=("<|end|>",))
    second = tokenizer(("Ġ", "a"), ("h", "e"), specials=("<|end|>",))
    overlap = vocabulary_overlap(first, second)
    assert len(overlap.common) == 257
    pair = [first.vocabulary.index("Ġa"), second.vocabulary.index("Ġa")]
    assert pair in overlap.common.tolist()
    assert [first.vocabulary[i] for i in overlap.only_first] == ["th"]
    assert [second.vocabulary[i] for i in overlap.only_second] == ["he"]
    assert overlap.jaccard == 257 / 259
    assert overlap.share_of_first == overlap.share_of_second == 257 / 258


def test_a_vocabulary_shares_all_of_itself() -> None:
    trained = train_tokenizer("bpe", TEXT, 300)
    overlap = vocabulary_overlap(trained, trained)
    assert overlap.jaccard == 1.0 and overlap.counts[1:] == (0, 0)
    steps = overlap_steps(trained, trained)
    steps.close()


# -- glitch tokens ----------------------------------------------------------------------------


def table(rng: np.random.Generator, size: int, asleep: list[int]) -> np.ndarray:
    """Embeddings of which some stayed together where they were pushed to."""
    rows = rng.normal(size=(size, 32)).astype(np.float32) + 5
    rows[asleep] = 5 + rng.normal(size=32) + 0.1 * rng.normal(size=(len(asleep), 32))
    return rows


@pytest.mark.parametrize("padding", [0, 7])
def test_tokens_that_lie_with_the_unused_ones_are_suspicious(padding: int) -> None:
    names = ("<|end|>", "<|a|>", "<|b|>", "<|c|>")
    ours = tokenizer(("t", "h"), ("th", "e"), ("x", "q"), specials=names)
    glitches = [ours.vocabulary.index("xq"), ours.vocabulary.index("Ā")]
    unused = [ours.special_tokens[name] for name in names[1:]]
    embeddings = table(np.random.default_rng(0), ours.vocab_size + padding, glitches + unused)
    found = glitch_candidates(embeddings, ours, count=5)
    assert {one.token for one in found[:2]} == set(glitches)
    assert found[1].similarity > 0.9 > 0.8 > found[2].similarity
    assert not {one.token for one in found} & set(ours.special_tokens.values())
    assert [one.piece for one in found] == [ours.vocabulary[one.token] for one in found]
    named = glitch_candidates(embeddings.astype(np.float16), ours, untrained=unused, count=2)
    assert {one.token for one in named} == set(glitches)
    assert all(0 <= done <= 1 for done in glitch_steps(embeddings, ours))


def test_a_piece_that_no_text_leads_to_is_told() -> None:
    ours = tokenizer(("t", "h"))
    spare = ByteLevelBPE([*ours.vocabulary, "zzz"], ours.merges)
    assert is_reachable(spare, spare.vocabulary.index("th"))
    assert not is_reachable(spare, spare.vocabulary.index("zzz"))
    assert is_reachable(spare, spare.vocabulary.index("â"))  # half a character


@pytest.mark.parametrize(
    ("rows", "untrained", "message"),
    [
        (np.zeros((10, 4), np.float32), None, "do not fit a vocabulary of 258"),
        (np.zeros(300, np.float32), None, "do not fit"),
        (np.zeros((300, 4), np.float32), [], "no untrained token"),
        (np.zeros((300, 4), np.float32), [300], "no untrained token"),
        (np.zeros((300, 4), np.float32), [-1], "no untrained token"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    rows: np.ndarray, untrained: list[int] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        glitch_candidates(rows, tokenizer(("t", "h"), specials=("<|end|>",)), untrained)


def test_a_vocabulary_without_special_tokens_needs_some_named() -> None:
    with pytest.raises(ValueError, match="name some ids"):
        glitch_candidates(np.zeros((300, 4), np.float32), tokenizer(("t", "h")))
