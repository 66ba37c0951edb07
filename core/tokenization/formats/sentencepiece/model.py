"""SentencePiece's model file: pieces with scores, and the settings of the normalizer.

The file is one Protocol Buffers message. We read the fields that encoding and decoding depend on,
and write those that the sentencepiece library needs to give the same results.

Source: the message ModelProto in sentencepiece_model.proto, SentencePiece 0.2.1.
"""

import math
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.files import GET_AGAIN, MEGABYTE, quoted, read_bytes, write_atomically
from core.tokenization.formats.limits import check_pieces
from core.tokenization.formats.sentencepiece.charsmap import table_of
from core.tokenization.formats.sentencepiece.protobuf import Message
from core.tokenization.formats.sentencepiece.protobuf import field as encoded
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import BEGIN, END, Piece, PieceType
from core.tokenization.sentencepiece.vocabulary import UNKNOWN_SURFACE, SentencePieceVocabulary

MAX_FILE = 64 * MEGABYTE  # the largest known model, of 262,144 pieces, has 7
MAX_PIECES = 1 << 20
MODEL_TYPES = {1: "unigram", 2: "bpe", 3: "word", 4: "char"}
TYPES = {kind.value: kind for kind in PieceType}

# Field numbers: of the model, of a piece, of the trainer's and of the normalizer's settings.
PIECES, TRAINER, NORMALIZER, DENORMALIZER = 1, 2, 3, 5
TEXT, SCORE, TYPE = 1, 2, 3
MODEL_TYPE, VOCAB_SIZE, SPACE_AS_SUFFIX, BYTE_FALLBACK = 3, 4, 24, 35
CONTROL_SYMBOLS, USER_SYMBOLS = 30, 31
UNKNOWN_ID, BEGIN_ID, END_ID, PAD_ID, SURFACE = 40, 41, 42, 43, 44
UNKNOWN_PIECE = 45
NAME, CHARSMAP, DUMMY_PREFIX, REMOVE_SPACES, ESCAPE_SPACES = 1, 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class NormalizerSettings:
    """The settings of the normalizer.

    name      of the rules, such as "nmt_nfkc"
    charsmap  the rules' table; empty for identity
    The other fields are those of SentencePieceNormalizer.
    """

    name: str = ""
    charsmap: bytes = b""
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    escape_whitespaces: bool = True


@dataclass(frozen=True, slots=True)
class TrainerSettings:
    """The training settings that matter later.

    model_type            "unigram", "bpe", "word" or "char"
    byte_fallback         a character without a piece becomes its bytes
    whitespace_as_suffix  "▁" is at the end of a word
    unknown_surface       the text that an unknown token is decoded to
    """

    model_type: str = "unigram"
    byte_fallback: bool = False
    whitespace_as_suffix: bool = False
    unknown_surface: str = UNKNOWN_SURFACE


@dataclass(frozen=True, slots=True)
class SentencePieceModel:
    """The content of a model file."""

    pieces: list[Piece]
    trainer: TrainerSettings = field(default_factory=TrainerSettings)
    normalizer: NormalizerSettings = field(default_factory=NormalizerSettings)


def to_model(
    model_type: str, pieces: SentencePieceVocabulary, normalizer: SentencePieceNormalizer
) -> SentencePieceModel:
    """Returns a tokenizer as the content of a model file; model_type is "bpe" or "unigram"."""
    trainer = TrainerSettings(
        model_type, pieces.byte_fallback, normalizer.whitespace_as_suffix, pieces.unknown_surface
    )
    settings = NormalizerSettings(
        normalizer.name,
        table_of(normalizer),
        normalizer.add_dummy_prefix,
        normalizer.remove_extra_whitespaces,
        normalizer.escape_whitespaces,
    )
    return SentencePieceModel(pieces.pieces, trainer, settings)


def read_model(path: str | Path) -> SentencePieceModel:
    """Reads a model file.

    Raises ValueError for a file that is empty, too large, damaged, or not a SentencePiece model.
    """
    return parse_model(read_bytes(path, MAX_FILE), str(path))


def parse_model(data: bytes, name: str) -> SentencePieceModel:
    """Reads a model from its bytes; `name` is the file, for messages. Raises as read_model."""
    pieces: list[Piece] = []
    trainer, normalizer = TrainerSettings(), NormalizerSettings()
    message = Message(data, name)
    for number, wire, value in message.fields():
        if number not in (PIECES, TRAINER, NORMALIZER, DENORMALIZER):
            continue
        part = message.data(number, wire, value)
        if number == PIECES:
            if len(pieces) == MAX_PIECES:
                raise ValueError(f"{name} has more than {MAX_PIECES:,} pieces: choose another file")
            pieces.append(_piece(part, f"{name}: piece {len(pieces)}"))
        elif number == TRAINER:
            trainer = _trainer(part, f"{name}: trainer_spec")
        elif number == NORMALIZER:
            normalizer = _normalizer(part, f"{name}: normalizer_spec")
        elif _normalizer(part, f"{name}: denormalizer_spec").charsmap:
            raise ValueError(
                f"{name} rewrites a text after decoding, which LLM Explorer cannot do: choose "
                "another model"
            )
    check_pieces([piece.text for piece in pieces], name)
    if not pieces:
        raise ValueError(f"{name} holds no pieces, so it is no SentencePiece model: {GET_AGAIN}")
    return SentencePieceModel(pieces, trainer, normalizer)


def _piece(data: bytes, name: str) -> Piece:
    message = Message(data, name)
    text, score, kind = "", 0.0, PieceType.NORMAL
    for number, wire, value in message.fields():
        if number == TEXT:
            text = message.text(number, wire, value)
        elif number == SCORE:
            score = message.real(number, wire, value)
        elif number == TYPE:
            code = message.integer(number, wire, value)
            if code not in TYPES:
                raise ValueError(f"{name} is of the unknown type {code}: {GET_AGAIN}")
            kind = TYPES[code]
    if not text:
        raise ValueError(f"{name} has no spelling: {GET_AGAIN}")
    if math.isnan(score):
        raise ValueError(f"{name} ({quoted(text)}) has a score that is no number: {GET_AGAIN}")
    return Piece(text, score, kind)


def _trainer(data: bytes, name: str) -> TrainerSettings:
    message = Message(data, name)
    settings = TrainerSettings()
    for number, wire, value in message.fields():
        if number == MODEL_TYPE:
            code = message.integer(number, wire, value)
            if code not in MODEL_TYPES:
                raise ValueError(f"{name} names the unknown model type {code}: {GET_AGAIN}")
            settings = replace(settings, model_type=MODEL_TYPES[code])
        elif number == BYTE_FALLBACK:
            settings = replace(settings, byte_fallback=message.integer(number, wire, value) != 0)
        elif number == SPACE_AS_SUFFIX:
            as_suffix = message.integer(number, wire, value) != 0
            settings = replace(settings, whitespace_as_suffix=as_suffix)
        elif number == SURFACE:
            settings = replace(settings, unknown_surface=message.text(number, wire, value))
    return settings


def _normalizer(data: bytes, name: str) -> NormalizerSettings:
    message = Message(data, name)
    settings = NormalizerSettings()
    for number, wire, value in message.fields():
        if number == NAME:
            settings = replace(settings, name=message.text(number, wire, value))
        elif number == CHARSMAP:
            settings = replace(settings, charsmap=message.data(number, wire, value))
        elif number == DUMMY_PREFIX:
            on = message.integer(number, wire, value) != 0
            settings = replace(settings, add_dummy_prefix=on)
        elif number == REMOVE_SPACES:
            on = message.integer(number, wire, value) != 0
            settings = replace(settings, remove_extra_whitespaces=on)
        elif number == ESCAPE_SPACES:
            on = message.integer(number, wire, value) != 0
            settings = replace(settings, escape_whitespaces=on)
    return settings


def write_model(path: str | Path, model: SentencePieceModel) -> None:
    """Writes a model file, atomically, that the sentencepiece library can open."""
    write_atomically(path, model_bytes(model))


def model_bytes(model: SentencePieceModel) -> bytes:
    """Returns the bytes of the model file."""
    parts: list[bytes] = []
    for piece in model.pieces:
        body = encoded(TEXT, piece.text) + encoded(SCORE, float(piece.score))
        if piece.type != PieceType.NORMAL:
            body += encoded(TYPE, int(piece.type))
        parts.append(encoded(PIECES, body))
    parts.append(encoded(TRAINER, _trainer_bytes(model)))
    normalizer = model.normalizer
    parts.append(
        encoded(
            NORMALIZER,
            encoded(NAME, normalizer.name)
            + encoded(CHARSMAP, normalizer.charsmap)
            + encoded(DUMMY_PREFIX, normalizer.add_dummy_prefix)
            + encoded(REMOVE_SPACES, normalizer.remove_extra_whitespaces)
            + encoded(ESCAPE_SPACES, normalizer.escape_whitespaces),
        )
    )
    return b"".join(parts)


def _trainer_bytes(model: SentencePieceModel) -> bytes:
    """Returns the trainer's settings, with the names and ids of the special pieces."""
    trainer = model.trainer
    ids = {piece.text: token for token, piece in enumerate(model.pieces)}
    unknown = next((piece.text for piece in model.pieces if piece.type == PieceType.UNKNOWN), None)
    if unknown is None:
        raise ValueError("a model needs a piece for what is unknown: add one to its pieces")
    code = next(code for code, name in MODEL_TYPES.items() if name == trainer.model_type)
    parts = [encoded(MODEL_TYPE, code), encoded(VOCAB_SIZE, len(model.pieces))]
    if trainer.whitespace_as_suffix:
        parts.append(encoded(SPACE_AS_SUFFIX, True))
    for piece in model.pieces:
        if piece.type == PieceType.CONTROL and piece.text not in (BEGIN, END):
            parts.append(encoded(CONTROL_SYMBOLS, piece.text))
        elif piece.type == PieceType.USER_DEFINED:
            parts.append(encoded(USER_SYMBOLS, piece.text))
    if trainer.byte_fallback:
        parts.append(encoded(BYTE_FALLBACK, True))
    parts.append(encoded(UNKNOWN_ID, ids[unknown]))
    parts.append(encoded(BEGIN_ID, ids.get(BEGIN, -1)))
    parts.append(encoded(END_ID, ids.get(END, -1)))
    parts.append(encoded(PAD_ID, ids.get("<pad>", -1)))
    parts.append(encoded(SURFACE, trainer.unknown_surface))
    parts.append(encoded(UNKNOWN_PIECE, unknown))
    return b"".join(parts)
