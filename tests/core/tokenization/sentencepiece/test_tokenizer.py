"""SentencePiece BPE encodes as the sentencepiece library does, and by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tokenization.formats.sentencepiece.files import from_model
from core.tokenization.formats.sentencepiece.model import parse_model
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer, one_of
from core.tokenization.sentencepiece.pieces import Piece, PieceType, meta_pieces
from core.tokenization.sentencepiece.score_merging import (
    Symbols,
    find_joins,
    merge_by_score,
    split_unused,
)
from core.tokenization.sentencepiece.tokenizer import SentencePieceBPE, split_at, word_pattern
from core.tokenization.sentencepiece.vocabulary import SentencePieceVocabulary, decode_bytes
from core.tokenization.tokenizer import Tokenizer
from tests.core.tokenization.sentencepiece.making import STORIES, tokenizer
from tests.core.tokenization.sentencepiece.reference import (
    any_texts,
    processor,
    train_reference,
)


def test_it_is_a_tokenizer():
    ours = tokenizer()
    assert isinstance(ours, Tokenizer)
    assert ours.kind == "sentencepiece-bpe"
    assert ours.special_tokens == {"<unk>": 0, "<s>": 1, "</s>": 2}
    assert ours.unknown_id == 0 and ours.vocab_size == len(ours.vocabulary) == 300


def test_a_text_returns_with_its_spaces_made_regular():
    ours = tokenizer()
    for text in STORIES.split("\n")[:40]:
        text = "".join(letter for letter in text if letter in ours.vocabulary or letter == " ")
        ids = ours.encode_ids(text)
        assert ids == ours.encode(text).ids
        assert ours.decode(ids) == " ".join(text.split())


def test_the_best_piece_is_joined_first_then_the_leftmost():
    pieces = [*meta_pieces(), Piece("ab", -1.0), Piece("bc", 0.0), Piece("abc", -2.0)]
    pieces += [Piece(letter, -9.0) for letter in "abc▁"]
    assert SentencePieceBPE(pieces).encode("abc").pieces == ["▁", "abc"]
    pieces[5] = Piece("cc", -2.0)
    assert SentencePieceBPE(pieces).encode("abc").pieces == ["▁", "a", "bc"]
    equal = [*meta_pieces(), Piece("ab"), Piece("bc"), *map(Piece, "abc▁")]
    assert SentencePieceBPE(equal).encode("abc").pieces == ["▁", "ab", "c"]


def test_an_unused_piece_leads_on_but_is_cut_again():
    pieces = [*meta_pieces(), Piece("ab", 0.0, PieceType.UNUSED), Piece("abc", -1.0)]
    pieces += [Piece(letter, -9.0) for letter in "abc▁"]
    assert SentencePieceBPE(pieces).encode("abcab").pieces == ["▁", "abc", "a", "b"]


def test_unknown_characters_are_one_token_or_bytes():
    plain = tokenizer()
    encoded = plain.encode("a漢字b")
    assert encoded.pieces.count("<unk>") == 1
    assert encoded.spans[encoded.pieces.index("<unk>")] == (1, 7)
    assert plain.decode(encoded.ids) == "a ⁇ b"
    spelled = tokenizer(vocab_size=600, byte_fallback=True)
    encoded = spelled.encode("a漢b")
    at = encoded.pieces.index("<0xE6>")
    assert encoded.pieces[at : at + 3] == ["<0xE6>", "<0xBC>", "<0xA2>"]
    assert encoded.spans[at : at + 3] == [(1, 2), (2, 3), (3, 4)]
    assert spelled.decode(encoded.ids) == "a漢b"


def test_bytes_that_are_no_character_are_shown_as_such():
    ours = tokenizer(vocab_size=600, byte_fallback=True)
    token = {piece: token for token, piece in enumerate(ours.vocabulary)}
    ids = [token[piece] for piece in ("<0xE6>", "<0x41>", "<0xF0>", "<0x9F>")]
    assert ours.decode(ids) == "\ufffdA\ufffd\ufffd"
    assert ours.piece_bytes(token["<0xE6>"]) == b"\xe6"
    assert decode_bytes("é漢🙂".encode()) == "é漢🙂"


def test_special_tokens_are_parsed_only_when_asked_for():
    ours = tokenizer()
    encoded = ours.encode("a<s> b")
    assert encoded.ids.count(1) == 1 and encoded.spans[encoded.ids.index(1)] == (1, 4)
    assert encoded.ids == ours.encode_ids("a<s> b")
    ordinary = ours.encode_ids("a<s> b", specials=False)
    assert 1 not in ordinary
    assert ours.decode(encoded.ids) == "a b"


def test_the_stages_tell_what_became_of_the_text():
    stages = tokenizer().encode("The  ﬁn</s> b").stages
    assert [stage.name for stage in stages] == [
        *("normalizer", "pre-tokenizer", "model", "post-processor")
    ]
    assert stages[0].parts == ["▁The▁fin", "</s>", "▁b"]
    assert stages[1].parts == ["▁The", "▁fin", "</s>", "▁b"]
    assert stages[1].spans == [(0, 3), (3, 9), (9, 13), (14, 15)]
    assert stages[2].spans[-1] == (14, 15)


def test_the_model_tells_strings_and_the_post_processor_what_they_are_written_with():
    *_, model, last = tokenizer().encode("漢字").stages
    assert model.parts[-2:] == ["漢", "字"] and model.spans[-2:] == [(0, 3), (3, 6)]
    assert last.parts == tokenizer().encode("漢字").pieces
    assert last.spans[-1][1] == 6


@pytest.mark.parametrize("token", [-1, 300])
def test_an_id_that_does_not_exist_is_refused(token: int):
    with pytest.raises(ValueError, match="outside the vocabulary"):
        tokenizer().decode([token])
    with pytest.raises(ValueError, match="outside the vocabulary"):
        tokenizer().piece_bytes(token)


@pytest.mark.parametrize(
    "pieces",
    [
        [Piece("a")],
        [*meta_pieces(), Piece("a"), Piece("a")],
        [*meta_pieces(), Piece("x", 0.0, PieceType.UNKNOWN)],
    ],
)
def test_a_vocabulary_that_cannot_be_is_refused(pieces: list[Piece]):
    with pytest.raises(ValueError):
        SentencePieceBPE(pieces)
    with pytest.raises(ValueError, match="bytes are not in the vocabulary"):
        SentencePieceBPE([*meta_pieces(), Piece("a")], byte_fallback=True)


def test_dropout_goes_from_the_usual_pieces_to_characters():
    ours = tokenizer()
    generator = np.random.default_rng(0)
    text = "Once upon a time there was"
    assert ours.sample(text, 0.0, generator).ids == ours.encode(text).ids
    letters = ours.sample(text, 1.0, generator).pieces
    assert "".join(letters) == "▁" + text.replace(" ", "▁") and max(map(len, letters)) == 1
    some = {tuple(ours.sample(text, 0.3, generator).ids) for _ in range(20)}
    assert len(some) > 5
    assert all(ours.decode(ids) == text for ids in some)
    with pytest.raises(ValueError, match="from 0 to 1"):
        ours.sample(text, 1.1, generator)


def test_long_texts_without_a_space_take_time_by_their_length():
    ours = tokenizer()
    for unit in ("a", "^", "once"):
        text = unit * (50_000 // len(unit))
        assert ours.encode(text).ids == ours.encode_ids(text)


def test_words_are_cut_where_no_piece_reaches_across():
    text = "▁▁two▁words▁"
    assert word_pattern(["▁a", "b"]).findall(text) == ["▁", "▁two", "▁words", "▁"]
    assert word_pattern(["▁▁a"]).findall(text) == ["▁▁two", "▁words", "▁"]
    assert word_pattern(["a▁b"]).findall(text) == [text]


@given(st.text("ab▁c", max_size=30), st.data())
def test_every_way_to_merge_gives_the_same(text: str, data):
    """Word by word with ranks, and at once with scores."""
    spelled = data.draw(st.lists(st.text("ab▁c", min_size=2, max_size=4), unique=True, max_size=8))
    tied = data.draw(st.booleans())
    scores = [0.0 if tied else -float(rank) for rank in range(len(spelled))]
    pieces = meta_pieces() + [Piece(*piece) for piece in zip(spelled, scores)]
    pieces += [Piece(letter, -99.0 - ord(letter)) for letter in "ab▁"]  # "c" is unknown
    normalizer = SentencePieceNormalizer("identity", remove_extra_whitespaces=False)
    ours = SentencePieceBPE(pieces, normalizer)
    vocabulary = SentencePieceVocabulary(pieces)
    symbols = Symbols(vocabulary)
    joins = find_joins(vocabulary, symbols)
    normalized = normalizer.normalize(text)
    numbers = [symbols[letter] for letter in normalized]
    merged = split_unused(merge_by_score(numbers, [False] * len(numbers), joins), frozenset())
    parts = [symbols.spelled[number] for number in merged]
    known = [(part, vocabulary.ids.get(part, 0)) for part in parts]
    assert ours.encode_ids(text) == vocabulary.finish_ids(known) == ours.encode(text).ids


@given(st.text())
def test_spans_are_in_order_and_inside_the_text(text: str):
    encoded = BYTES.encode(text)
    places = [place for span in encoded.spans for place in span]
    assert places == sorted(places)
    assert all(0 <= place <= len(encoded.text.encode()) for place in places)
    assert encoded.ids == BYTES.encode_ids(text)


@given(st.text(st.characters()))
def test_a_lone_surrogate_counts_as_a_replacement_character(text: str):
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert BYTES.encode_ids(text) == BYTES.encode_ids(whole)
    assert BYTES.encode(text).text == whole


def test_half_a_pair_of_surrogates_is_kept_as_u_fffd():
    assert BYTES.decode(BYTES.encode("a\ud800b").ids) == "a\ufffdb"


@given(st.text(st.characters(codec="utf-8")))
def test_identity_with_bytes_keeps_every_text(text: str):
    kept = BYTES.decode(BYTES.encode_ids(text, specials=False))
    assert kept == text.replace("▁", " ")


BYTES = tokenizer(
    vocab_size=700,
    byte_fallback=True,
    normalizer=SentencePieceNormalizer("identity", remove_extra_whitespaces=False),
)


def test_parts_of_a_text_are_found_in_order():
    parts = list(split_at(one_of(["ab", "b"]), "xabby"))
    assert parts == [("x", False), ("ab", True), ("b", True), ("y", False)]


@pytest.mark.peers
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"byte_fallback": True},
        {"normalization_rule_name": "identity", "remove_extra_whitespaces": False},
        {"user_defined_symbols": ["the", "foo", "  ", "é"]},
        {"control_symbols": ["<x>"], "add_dummy_prefix": False},
        {"treat_whitespace_as_suffix": True},
    ],
    ids=str,
)
def test_ids_places_and_texts_are_those_of_sentencepiece(settings: dict):
    model = train_reference(STORIES.split("\n"), 700, **settings)
    reference = processor(model)
    ours = from_model(parse_model(model, "the model"), "the model")
    for text in [*any_texts(400, seed=3), *STORIES.split("\n")[:50], STORIES[:5000]]:
        expected = reference.encode(text, out_type="immutable_proto")
        ids = [piece.id for piece in expected.pieces]
        encoded = ours.encode(text, specials=False)
        assert encoded.ids == ids == ours.encode_ids(text, specials=False)
        assert ours.decode(ids) == reference.decode(ids)
        places = [len(text[:end].encode()) for end in range(len(text) + 1)] if ids else []
        for piece, span in zip(expected.pieces, encoded.spans):
            if not reference.is_byte(piece.id):  # ours are finer
                assert span == (places[piece.begin], places[piece.end])
