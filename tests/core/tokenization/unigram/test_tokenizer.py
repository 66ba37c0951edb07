"""Unigram's encoding: against SentencePiece and the Hugging Face library, and against itself."""

import itertools
import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data import story_text
from core.tokenization import Tokenizer, Unigram, open_tokenizer
from core.tokenization.formats.sentencepiece.files import from_model
from core.tokenization.formats.sentencepiece.model import parse_model
from core.tokenization.formats.sentencepiece.unigram_documents import read_unigram
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import Piece, PieceType, meta_pieces
from core.tokenization.unigram.training import unigram_steps
from tests.core.tokenization.reference import any_text
from tests.core.tokenization.sentencepiece.reference import (
    any_texts,
    drain,
    processor,
    train_reference,
)

STORY = story_text(3, 30_000)
LETTERS = st.one_of(st.text("the catdog,é ▁\t<s>", max_size=30), st.text(max_size=20))


def train(vocab_size: int = 400, rules: str = "nmt_nfkc", **settings) -> Unigram:
    normalizer = SentencePieceNormalizer(rules)
    pieces = drain(unigram_steps([STORY], vocab_size, normalizer=normalizer, **settings))[1]
    return Unigram(pieces, normalizer, byte_fallback=settings.get("byte_fallback", False))


PLAIN = train()
BYTES = train(700, byte_fallback=True)
BYTES_AS_THEY_ARE = train(700, "identity", byte_fallback=True)
USER = train(byte_fallback=False, user_defined=["<cat>", "ra", "é漢"])


# -- against SentencePiece -----------------------------------------------------------------------


MODELS = {
    "plain": {},
    "byte fallback": {"byte_fallback": True},
    "user defined": {"user_defined_symbols": ["<cat>", "cat", "é漢"], "byte_fallback": True},
    "control": {"control_symbols": ["<x>"], "normalization_rule_name": "identity"},
    "spaces kept": {"remove_extra_whitespaces": False, "add_dummy_prefix": False},
    "words joined": {"split_by_whitespace": False},
}


@pytest.fixture(scope="module", params=MODELS)
def pair(request):
    """One of our tokenizers and the library's, from one model file."""
    model = train_reference(STORY.split("\n"), 600, model_type="unigram", **MODELS[request.param])
    tokenizer = from_model(parse_model(model, "model"), "model")
    assert isinstance(tokenizer, Unigram)
    return tokenizer, processor(model)


@pytest.mark.peers
def test_ids_and_decoded_text_are_the_references(pair):
    ours, theirs = pair
    rng = random.Random(1)
    texts = [STORY, *STORY.split("\n")[:40], *any_texts(400)]
    texts += [any_text(rng, rng.randint(1, 30)) for _ in range(200)]
    for text in texts:
        ids = ours.encode_ids(text, specials=False)
        assert ids == theirs.encode(text)
        assert ours.encode(text, specials=False).ids == ids
        assert ours.decode(ids) == theirs.decode(ids)


@pytest.mark.peers
def test_the_n_best_are_the_references(pair):
    ours, theirs = pair
    for text in [*STORY.split(". ")[:25], "é漢字<cat> xyz", "cat", ""]:
        paths = ours.n_best(text, 8)
        found = theirs.nbest_encode(text, nbest_size=8, out_type="immutable_proto").nbests
        assert len(paths) == len(found)
        expected = {tuple(piece.piece for piece in nbest.pieces): nbest.score for nbest in found}
        scores = [nbest.score for nbest in found]
        assert [path.score for path in paths] == pytest.approx(scores, abs=1e-3)
        # Equally good ways may come in any order, and only the last of them may differ.
        for path in paths:
            ids = ours.pieces.finish_ids([(node.piece, node.id) for node in path.nodes])
            spelled = tuple(ours.vocabulary[token] for token in ids)
            if ours.pieces.unknown not in ids and path.score > scores[-1] + 1e-3:
                assert spelled in expected


@pytest.mark.peers
def test_samples_of_the_reference_have_our_probabilities():
    model = train_reference(STORY.split("\n"), 300, model_type="unigram")
    ours, theirs = from_model(parse_model(model, "model"), "model"), processor(model)
    assert isinstance(ours, Unigram)
    pytest.importorskip("sentencepiece").set_random_generator_seed(7)
    text, alpha, draws = "in the rain", 0.3, 3000
    lattice = ours.lattice(text)
    total = lattice.forward(alpha)[-1]
    likely = {tuple(path.ids): np.exp(alpha * path.score - total) for path in lattice.n_best(12)}
    drawn = [
        tuple(theirs.encode(text, enable_sampling=True, alpha=alpha, nbest_size=-1))
        for _ in range(draws)
    ]
    generator = np.random.default_rng(0)
    mine = [tuple(ours.sample(text, alpha, generator).ids) for _ in range(draws)]
    for ids, probability in likely.items():
        expected = draws * probability
        assert abs(drawn.count(ids) - expected) < 6 * expected**0.5 + 2
        assert abs(mine.count(ids) - expected) < 6 * expected**0.5 + 2


@pytest.mark.peers
@pytest.mark.parametrize("ours", [PLAIN, BYTES, BYTES_AS_THEY_ARE, USER])
def test_what_is_saved_encodes_alike_in_sentencepiece(ours, tmp_path):
    ours.save(tmp_path / "t.model")
    theirs = processor((tmp_path / "t.model").read_bytes())
    for text in [*STORY.split("\n")[:30], *any_texts(300, seed=1)]:
        assert ours.encode_ids(text, specials=False) == theirs.encode(text)


@pytest.mark.peers
@pytest.mark.parametrize("ours", [PLAIN, BYTES, BYTES_AS_THEY_ARE])
def test_what_is_saved_encodes_alike_in_the_hugging_face_library(ours, tmp_path):
    import tokenizers

    path = tmp_path / "tokenizer.json"
    ours.save(path)
    theirs = tokenizers.Tokenizer.from_file(str(path))
    odd = ["  two  spaces  ", "é漢🙂 unknown\t\n", "", " ", "naïve ﬁne Ａ"]
    for text in [*STORY.split("\n")[:60], *odd]:
        found = theirs.encode(text, add_special_tokens=False)
        assert ours.encode_ids(text) == found.ids
        assert ours.decode(found.ids) == theirs.decode(found.ids, skip_special_tokens=True) or (
            ours.pieces.unknown in found.ids
        )


# -- what every tokenizer promises ----------------------------------------------------------------


@given(LETTERS)
def test_with_bytes_and_without_rules_every_text_comes_back_but_for_spaces(text):
    """Spaces at the ends go and those in a row are joined; "▁" is a space, but not joined."""
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    ids = BYTES_AS_THEY_ARE.encode_ids(text, specials=False)
    kept = re.sub(" +", " ", text.strip(" ")).rstrip("▁").replace("▁", " ")
    assert BYTES_AS_THEY_ARE.decode(ids) == kept.lstrip(" ")


@pytest.mark.parametrize("tokenizer", [PLAIN, BYTES, BYTES_AS_THEY_ARE, USER])
@given(LETTERS)
def test_encodings_are_consistent(tokenizer, text):
    for specials in (True, False):
        encoding = tokenizer.encode(text, specials=specials)
        assert encoding.ids == tokenizer.encode_ids(text, specials=specials)
        assert encoding.pieces == [tokenizer.vocabulary[token] for token in encoding.ids]
        size = len(encoding.text.encode())
        edges = [0, *itertools.chain.from_iterable(encoding.spans), size]
        assert edges == sorted(edges)
        normal, model, last = encoding.stages
        assert "".join(normal.parts) == "".join(model.parts)
        assert last.parts == encoding.pieces and last.spans == encoding.spans
        for start, end in [*normal.spans, *model.spans]:
            assert 0 <= start <= end <= size
    assert tokenizer.lattice(text).viterbi().path.ids == [
        token for _, token in tokenizer._find(tokenizer.normalizer.normalize(text))
    ]


def test_spans_point_at_the_characters_of_a_piece():
    encoding = BYTES.encode("The  rain,  ﬁne 漢")
    slices = [part.decode("utf-8", "replace") for part in encoding.slices()]
    together = "".join(slices)
    assert together.replace(" ", "") == "Therain,ﬁne\ufffd\ufffd\ufffd"
    assert slices[-3:] == ["\ufffd"] * 3


def test_special_tokens_are_found_unless_they_are_ordinary_text():
    start = PLAIN.special_tokens["<s>"]
    assert start in PLAIN.encode_ids("a<s>b")
    assert start not in PLAIN.encode_ids("a<s>b", specials=False)
    assert (
        PLAIN.encode("a<s>b").slices()[1:-1] == [b"<s>"] or b"<s>" in PLAIN.encode("a<s>b").slices()
    )


def test_a_lone_surrogate_counts_as_the_replacement_character():
    for tokenizer in (PLAIN, BYTES, BYTES_AS_THEY_ARE):
        assert tokenizer.encode_ids("a\ud800b") == tokenizer.encode_ids("a\ufffdb")
        assert tokenizer.encode("\udfff").text == "\ufffd"
        assert tokenizer.lattice("\ud800").text == tokenizer.lattice("\ufffd").text


def test_user_defined_pieces_are_never_cut():
    assert "<cat>" in USER.encode("a <cat>s").pieces
    assert USER.encode("rain é漢é").pieces[:5] == ["▁", "ra", "in", "▁", "é漢"]


def test_it_is_a_tokenizer():
    assert isinstance(PLAIN, Tokenizer)
    assert PLAIN.kind == "unigram" and PLAIN.vocab_size == len(PLAIN.vocabulary) == 400
    assert PLAIN.unknown_id == 0
    assert PLAIN.scores.shape == (400,)
    assert BYTES.piece_bytes(BYTES.pieces.byte_ids[0xC3]) == b"\xc3"
    with pytest.raises(ValueError, match="outside the vocabulary"):
        PLAIN.decode([400])
    with pytest.raises(ValueError, match="outside the vocabulary"):
        PLAIN.piece_bytes(-1)


def test_a_sample_with_a_large_alpha_is_the_encoding():
    generator = np.random.default_rng(1)
    for text in STORY.split("\n")[:5]:
        assert PLAIN.sample(text, 300.0, generator).ids == PLAIN.encode_ids(text)
    sampled = PLAIN.sample("in the rain", 0.1, generator)
    assert PLAIN.decode(sampled.ids) == "in the rain"
    with pytest.raises(ValueError, match="sharpness"):
        PLAIN.sample("x", -1, generator)


# -- files and bad input --------------------------------------------------------------------------


@pytest.mark.parametrize("ours", [PLAIN, BYTES, BYTES_AS_THEY_ARE, USER])
def test_a_model_file_is_opened_as_what_was_saved(ours, tmp_path):
    ours.save(tmp_path / "t.model")
    again = open_tokenizer(tmp_path / "t.model")
    assert isinstance(again, Unigram)
    assert again.pieces.pieces == ours.pieces.pieces
    assert again.encode_ids(STORY) == ours.encode_ids(STORY)


@pytest.mark.parametrize("ours", [PLAIN, BYTES, BYTES_AS_THEY_ARE])
def test_a_document_is_read_as_what_was_written(ours):
    document = ours.document()
    again = read_unigram(document, "file")
    assert again is not None
    assert again.pieces.pieces == ours.pieces.pieces
    assert again.encode_ids(STORY) == ours.encode_ids(STORY)


def test_a_document_that_says_something_else_is_not_read_as_ours():
    document = PLAIN.document()
    model = document["model"]
    for changes in (
        {"pre_tokenizer": {"type": "Whitespace"}},
        {"normalizer": None},
        {"normalizer": {"type": "Lowercase"}},
        {"post_processor": {"type": "ByteLevel"}},
        {"decoder": None},
        {"model": model | {"type": "BPE"}},
        {"model": model | {"vocab": {}}},
        {"model": model | {"vocab": [["a"], *model["vocab"]]}},
        {"model": model | {"vocab": [[1, 2], *model["vocab"]]}},
        {"model": model | {"vocab": [["a", "b"], *model["vocab"]]}},
        {"model": model | {"unk_id": None}},
        {"model": model | {"unk_id": 99_999}},
        {"model": model | {"byte_fallback": True}},
    ):
        assert read_unigram(document | changes, "file") is None, changes


def test_a_tokenizer_that_the_format_cannot_say_is_refused_with_the_remedy(tmp_path: Path):
    for pieces in (
        [*PLAIN.pieces.pieces, Piece("zzz", -3.0, PieceType.UNUSED)],
        [*PLAIN.pieces.pieces, Piece("zzz", 0.0, PieceType.USER_DEFINED)],
    ):
        with pytest.raises(ValueError, match="ends in"):
            Unigram(pieces).save(tmp_path / "tokenizer.json")
        assert not list(tmp_path.iterdir())


def test_an_unused_piece_is_never_used():
    pieces = [
        Piece(piece.text, piece.score, PieceType.UNUSED) if piece.text == "▁the" else piece
        for piece in PLAIN.pieces.pieces
    ]
    assert "▁the" in PLAIN.encode("the rain").pieces
    assert "▁the" not in Unigram(pieces).encode("the rain").pieces


def test_impossible_vocabularies_are_refused_with_the_remedy():
    meta = meta_pieces()
    with pytest.raises(ValueError, match="train it again"):
        Unigram(meta)
    for score in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="get the file again"):
            Unigram([*meta, Piece("a", score)])
    with pytest.raises(ValueError, match="bytes"):
        Unigram([*meta, Piece("a", -1.0)], byte_fallback=True)


@pytest.mark.parametrize("text", ["a", "^", "漢", "the", "▁"])
def test_long_words_are_encoded_in_one_sweep(text):
    """No place is looked at more often than pieces stand there: far from the square of the size."""
    ids = BYTES.encode_ids(text * 30_000, specials=False)
    if text != "▁":
        assert BYTES.decode(ids) == text * 30_000
