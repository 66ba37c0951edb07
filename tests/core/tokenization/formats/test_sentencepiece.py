"""SentencePiece's files: models read and written, tokenizer.json, and files that strangers made."""

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data import story_text
from core.tokenization import open_tokenizer
from core.tokenization.encoding_trace import trace_encoding
from core.tokenization.formats.library import LibraryTokenizer
from core.tokenization.formats.sentencepiece.bpe_documents import read_sentencepiece_bpe
from core.tokenization.formats.sentencepiece.files import from_model, open_model
from core.tokenization.formats.sentencepiece.model import (
    MAX_FILE,
    NormalizerSettings,
    SentencePieceModel,
    TrainerSettings,
    model_bytes,
    parse_model,
    read_model,
    write_model,
)
from core.tokenization.formats.sentencepiece.protobuf import Message, field, varint
from core.tokenization.sentencepiece import SentencePieceBPE
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import Piece, PieceType, meta_pieces
from core.tokenization.sentencepiece.training import sentencepiece_bpe_steps
from tests.core.tokenization.sentencepiece.reference import (
    any_texts,
    drain,
    processor,
    train_reference,
)

STORIES = story_text(2, 20_000)
KINDS = {
    "nmt_nfkc": {},
    "bytes": {"byte_fallback": True},
    "identity": {
        "normalizer": SentencePieceNormalizer("identity", remove_extra_whitespaces=False),
    },
    "identity, spaces joined": {
        "byte_fallback": True,
        "normalizer": SentencePieceNormalizer("identity"),
    },
    "no space in front": {"normalizer": SentencePieceNormalizer(add_dummy_prefix=False)},
    "special tokens": {"special_tokens": ["<pad>", "<|user|>"]},
}


def tokenizer(kind: str = "nmt_nfkc") -> SentencePieceBPE:
    settings = dict(KINDS[kind])
    byte_fallback = settings.get("byte_fallback", False)
    size = 600 if byte_fallback else 350
    pieces = drain(sentencepiece_bpe_steps([STORIES], size, **settings))[1]
    return SentencePieceBPE(pieces, settings.get("normalizer"), byte_fallback=byte_fallback)


def small_model(**changes) -> SentencePieceModel:
    pieces = [*meta_pieces(), Piece("▁a", -0.0), Piece("a", -1.5), Piece("▁", -2.0)]
    return SentencePieceModel(pieces, TrainerSettings("bpe"), **changes)


# -- models -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_model_comes_back_as_it_was(kind: str, tmp_path: Path):
    ours = tokenizer(kind)
    ours.save(tmp_path / "it.model")
    again = open_model(tmp_path / "it.model")
    assert isinstance(again, SentencePieceBPE)
    assert again.pieces.pieces == ours.pieces.pieces
    for text in any_texts(100, seed=5):
        assert again.encode_ids(text) == ours.encode_ids(text)
        assert again.normalizer.normalize(text) == ours.normalizer.normalize(text)
    again.save(tmp_path / "again.model")
    assert (tmp_path / "again.model").read_bytes() == (tmp_path / "it.model").read_bytes()


@pytest.mark.peers
@pytest.mark.parametrize("kind", KINDS)
def test_sentencepiece_opens_what_we_save_and_encodes_alike(kind: str, tmp_path: Path):
    ours = tokenizer(kind)
    ours.save(tmp_path / "it.model")
    reference = processor((tmp_path / "it.model").read_bytes())
    assert reference.get_piece_size() == ours.vocab_size
    assert reference.unk_id() == 0 and reference.bos_id() == 1 and reference.eos_id() == 2
    for text in [*any_texts(300, seed=6), STORIES]:
        ids = reference.encode(text)
        assert ours.encode_ids(text, specials=False) == ids
        assert ours.decode(ids) == reference.decode(ids)


@pytest.mark.peers
def test_a_model_of_the_library_is_read_whole():
    data = train_reference(
        STORIES.split("\n"),
        600,
        byte_fallback=True,
        control_symbols=["<x>"],
        user_defined_symbols=["foo"],
        unk_surface="?",
        treat_whitespace_as_suffix=True,
        remove_extra_whitespaces=False,
    )
    model = parse_model(data, "it")
    reference = processor(data)
    for token, piece in enumerate(model.pieces):
        assert piece.text == reference.id_to_piece(token)
        assert piece.score == reference.get_score(token)
        assert (piece.type == PieceType.CONTROL) == reference.is_control(token)
        assert (piece.type == PieceType.BYTE) == reference.is_byte(token)
        assert (piece.type == PieceType.UNKNOWN) == reference.is_unknown(token)
    assert model.trainer == TrainerSettings("bpe", True, True, "?")
    assert model.normalizer.name == "nmt_nfkc" and len(model.normalizer.charsmap) == 240_007
    assert not model.normalizer.remove_extra_whitespaces


settings_of_normalizers = st.builds(
    NormalizerSettings, st.text("abc"), st.binary(), st.booleans(), st.booleans(), st.booleans()
)
settings_of_trainers = st.builds(
    TrainerSettings, st.sampled_from(["bpe", "unigram", "word", "char"]), st.booleans(),
    st.booleans(), st.text(st.characters(codec="utf-8")),
)  # fmt: skip
some_pieces = st.lists(
    st.builds(
        Piece,
        st.text(st.characters(codec="utf-8"), min_size=1),
        st.floats(width=32, allow_nan=False),
        st.sampled_from([kind for kind in PieceType if kind != PieceType.UNKNOWN]),
    )
)


@given(some_pieces, settings_of_trainers, settings_of_normalizers)
def test_any_model_survives_being_written(
    pieces: list[Piece], trainer: TrainerSettings, normalizer: NormalizerSettings
):
    model = SentencePieceModel([*meta_pieces(), *pieces], trainer, normalizer)
    assert parse_model(model_bytes(model), "it") == model


@pytest.mark.parametrize("size", [1, 7, 100, 1000, -1])
def test_a_model_cut_short_is_refused_or_shorter(size: int, tmp_path: Path):
    path = tmp_path / "cut.model"
    tokenizer().save(path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="get the file again"):
        open_model(path)


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_with_a_remedy(data: bytes):
    try:
        from_model(parse_model(data, "it"), "it")
    except ValueError as error:
        assert "it" in str(error) and ("again" in str(error) or "choose" in str(error))


@given(st.integers(0, 10_000), st.integers(0, 255))
def test_one_changed_byte_is_read_or_refused(place: int, byte: int):
    data = bytearray(model_bytes(small_model()))
    data[place % len(data)] = byte
    try:
        from_model(parse_model(bytes(data), "it"), "it").encode("a b")
    except ValueError as error:
        assert "it" in str(error)


def piece(*fields: bytes) -> bytes:
    return field(1, b"".join(fields))


GOOD = piece(field(1, "<unk>"), field(3, 2)) + piece(field(1, "a"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "holds no pieces"),
        (b"\x08\x01", "writes field 1 as something other than bytes"),
        (b"\x0a\xff\xff\xff\xff\x7f", "asks for 34,359,738,367 bytes where 0 are left"),
        (b"\x0a" + b"\xff" * 11, "more than ten bytes"),
        (b"\x0a\x80", "breaks off inside a number"),
        (b"\x0b\x00", "unknown wire type 3"),
        (b"\x02\x00", "without a number"),
        (b"\x15\x00\x00", "breaks off inside a number"),
        (piece(field(1, 5)), "piece 0 writes field 1 as something other than bytes"),
        (piece(field(1, b"\xff\xfe")), "bytes that are no text"),
        (piece(field(1, "a"), field(2, "x")), "something other than a number"),
        (piece(field(1, "a"), field(3, 77)), "unknown type 77"),
        (piece(field(2, 1.0)), "no spelling"),
        (piece(field(1, "a"), field(2, float("nan"))), "a score that is no number"),
        (GOOD + field(2, field(3, 9)), "unknown model type 9"),
        (GOOD + field(2, field(3, 3)), "cuts a text into words"),
        (GOOD + field(2, field(3, 4)), "cuts a text into chars"),
        (GOOD + field(2, field(3, 2) + field(35, 1)), "256 of the 256 bytes are not"),
        (GOOD + GOOD, "holds a piece twice"),
        (piece(field(1, "a")), "0 pieces for what is unknown"),
        (GOOD + field(3, field(2, b"\x04\0\0\0ab")), "says a size"),
        (GOOD + field(5, field(2, b"abc")), "rewrites a text after decoding"),
    ],
)
def test_a_damaged_model_is_refused_with_what_is_wrong(data: bytes, message: str):
    with pytest.raises(ValueError, match=message):
        from_model(parse_model(data, "it"), "it")


def test_a_file_that_is_too_large_is_not_even_read(tmp_path: Path):
    path = tmp_path / "huge.model"
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(ValueError, match="choose another file"):
        read_model(path)


def test_unknown_fields_are_passed_over():
    strange = field(99, b"abc") + varint(98 << 3 | 1) + struct.pack("<q", 7) + field(97, 1.0)
    model = parse_model(GOOD + strange + field(2, strange + field(3, 2)), "it")
    assert [piece.text for piece in model.pieces] == ["<unk>", "a"]
    assert model.trainer.model_type == "bpe"


def test_a_model_that_cannot_be_written_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "it.model"
    write_model(path, small_model())
    before = path.read_bytes()
    with pytest.raises(ValueError, match="for what is unknown"):
        write_model(path, SentencePieceModel([Piece("a")]))
    assert path.read_bytes() == before


@given(st.integers(-(2**63), 2**64 - 1))
def test_integers_survive_the_wire(value: int):
    ((number, wire, back),) = Message(field(5, value), "it").fields()
    assert (number, wire, back) == (5, 0, value & (2**64 - 1))


# -- tokenizer.json ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_saved_tokenizer_json_comes_back_as_our_own_class(kind: str, tmp_path: Path):
    ours = tokenizer(kind)
    ours.save(tmp_path / "tokenizer.json")
    document = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    again = read_sentencepiece_bpe(document, "it")
    assert again is not None
    assert again.special_tokens == ours.special_tokens
    for text in [*any_texts(200, seed=7), STORIES]:
        assert again.encode_ids(text) == ours.encode_ids(text)
    assert again.document() == document


@pytest.mark.parametrize("kind", KINDS)
def test_the_tokenizers_library_opens_what_we_save_and_encodes_alike(kind: str, tmp_path: Path):
    from tokenizers import Tokenizer

    ours = tokenizer(kind)
    ours.save(tmp_path / "tokenizer.json")
    reference = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    exact = kind.startswith("identity")
    texts = [*STORIES.split("\n"), STORIES, "  two  spaces ", "a<s> b</s>c", "ﬁne Ａ é\t½ 漢字\n"]
    texts += any_texts(300, seed=8) if exact else []
    for text in texts:
        ids = ours.encode_ids(text)
        assert reference.encode(text).ids == ids
        if ours.unknown_id not in ids:
            assert reference.decode(ids, skip_special_tokens=True) == ours.decode(ids)


@pytest.mark.parametrize(
    ("text", "sentencepiece", "library"),
    [
        ("e\u0301", "é", "é"),
        ("ﬁ\u0301", "fi\u0301", "fi"),
        ("ﾊﾟ", "パ", "ハ\u309a"),
        ("\u1100\u1161", "가", "\u1100\u1161"),
        ("a\u0301\u0302", "á\u0302", "á"),
    ],
)
def test_a_table_of_character_rules_is_applied_as_the_one_who_wrote_the_file_does(
    text: str, sentencepiece: str, library: str, tmp_path: Path
):
    """What the module's table says of the two, and which of them each way of opening follows."""
    ours = tokenizer()
    ours.save(tmp_path / "tokenizer.json")
    ours.save(tmp_path / "it.model")
    for path in ("tokenizer.json", "it.model"):
        opened = open_tokenizer(tmp_path / path)
        assert isinstance(opened, SentencePieceBPE)
        assert opened.normalizer.normalize(text) == "▁" + sentencepiece
        told = [step.title for step in trace_encoding(opened, text)]
        known = path == "it.model"  # whose name stands in the file
        rules = "nmt_nfkc" if known else "file's own"
        assert any(rules in title for title in told)
    document = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    foreign = LibraryTokenizer(document, "foreign")
    normalized, *_ = foreign.encode(text).stages
    assert normalized.parts == ["▁" + library]
    (title, *_) = [step.title for step in trace_encoding(foreign, text)]
    assert "by the file's table as Hugging Face applies it" in title


@pytest.mark.peers
def test_our_way_with_a_table_is_sentencepieces():
    reference = processor(train_reference(STORIES.split("\n"), 350))
    ours = SentencePieceNormalizer()
    for text in ["ﬁ\u0301", "ﾊﾟ", "\u1100\u1161", "a\u0301\u0302", *any_texts(200, seed=9)]:
        if "\0" not in text and "▁" not in text:
            assert reference.normalize(text) == ours.normalize(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["model"]["merges"].reverse(),
        lambda document: document["model"].update(ignore_merges=True),
        lambda document: document["model"].update(dropout=0.1),
        lambda document: document["model"].update(type="WordPiece"),
        lambda document: document["model"].update(vocab={"a": 0}),
        lambda document: document["model"].update(merges=None),
        lambda document: document.update(normalizer=None),
        lambda document: document["normalizer"]["normalizers"].append({"type": "NFC"}),
        lambda document: document["normalizer"].update(normalizers=[1]),
        lambda document: document.update(post_processor={"type": "TemplateProcessing"}),
        lambda document: document.update(pre_tokenizer={"type": "Whitespace"}),
    ],
)
def test_a_document_that_asks_for_something_else_is_left_to_the_library(change):
    document = json.loads(json.dumps(tokenizer("identity").document()))
    assert read_sentencepiece_bpe(document, "it") is not None
    change(document)
    assert read_sentencepiece_bpe(document, "it") is None


@pytest.mark.parametrize(
    ("pieces", "settings"),
    [
        ([Piece("ab"), Piece("ba"), *map(Piece, "ab▁")], {}),
        ([Piece("ab", -1.0, PieceType.UNUSED), *map(Piece, "ab▁")], {}),
        ([Piece("ab", -1.0, PieceType.USER_DEFINED), *map(Piece, "ab▁")], {}),
        ([Piece("ab", -1.0), *map(Piece, "a▁")], {}),
        ([Piece("ab", -1.0), *map(Piece, "ab▁")], {"whitespace_as_suffix": True}),
    ],
)
def test_what_tokenizer_json_cannot_say_is_refused_with_the_other_format(
    pieces: list[Piece], settings: dict, tmp_path: Path
):
    ours = SentencePieceBPE([*meta_pieces(), *pieces], SentencePieceNormalizer(**settings))
    with pytest.raises(ValueError, match=r'ends in ".model"'):
        ours.save(tmp_path / "tokenizer.json")
    assert not list(tmp_path.iterdir())
    ours.save(tmp_path / "it.model")
    again = open_model(tmp_path / "it.model")
    assert again.encode("abba").ids == ours.encode("abba").ids
