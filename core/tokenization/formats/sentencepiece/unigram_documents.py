"""A Unigram tokenizer as the tokenizer.json of the Hugging Face library, and from it.

That library knows Unigram models, so the pieces and their scores are written as they are. Two
things differ there. It adds with 64 bits where SentencePiece adds with 32, so of two ways to cut
a text that are equally likely to seven digits it may take the other one. And it finds the piece of
a byte in a text that spells it, "<0x0A>"; a low score keeps it from that, unless one of these six
characters is unknown.
"""

from collections.abc import Mapping
from typing import Any

from core.files import quoted
from core.tokenization.formats.sentencepiece.documents import (
    AS_MODEL,
    read_normalizer,
    scored_document,
)
from core.tokenization.sentencepiece.pieces import BYTE_PIECES, Piece, PieceType
from core.tokenization.unigram.tokenizer import Unigram

CHANGES_NOTHING = ("version", "truncation", "padding")
MOST = 1e30  # of a score; logarithms of probabilities are far below
NEVER = -1000.0  # the score of a byte's piece, worse than that of all characters that spell it


def unigram_document(tokenizer: Unigram) -> dict[str, Any]:
    """What tokenizer.json says about a Unigram tokenizer.

    Raises ValueError where the format cannot say what the tokenizer does.
    """
    pieces = tokenizer.pieces
    if pieces.unused:
        raise ValueError(
            f"tokenizer.json cannot say that {quoted(next(iter(pieces.unused)))} is never used: "
            f"{AS_MODEL}"
        )
    model = {
        "type": "Unigram",
        "unk_id": pieces.unknown,
        "vocab": [
            [piece.text, NEVER if piece.type == PieceType.BYTE else float(score)]
            for piece, score in zip(pieces.pieces, tokenizer.scores)
        ],
        "byte_fallback": pieces.byte_fallback,
    }
    return scored_document(pieces, tokenizer.normalizer, None, model)


def read_unigram(document: Mapping[str, Any], name: str) -> Unigram | None:
    """The tokenizer of a tokenizer.json that says exactly what this class does; else None.

    That this is so is tested by writing the document again. `name` is the file, for messages.
    """
    model = document["model"]
    vocab = model.get("vocab")
    if model.get("type") != "Unigram" or not isinstance(vocab, list):
        return None
    normalizer = read_normalizer(document.get("normalizer"), name)
    if normalizer is None:
        return None
    special = {token.get("content") for token in document.get("added_tokens") or ()}
    byte_fallback = model.get("byte_fallback") is True
    pieces: list[Piece] = []
    for token, entry in enumerate(vocab):
        if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], str):
            return None
        if not isinstance(entry[1], int | float) or not abs(entry[1]) <= MOST:
            return None
        text, score, kind = entry[0], float(entry[1]), PieceType.NORMAL
        if token == model.get("unk_id"):
            kind = PieceType.UNKNOWN
        elif text in special:
            kind = PieceType.CONTROL
        elif byte_fallback and text in BYTE_PIECES:
            kind, score = PieceType.BYTE, 0.0
        pieces.append(Piece(text, score, kind))
    try:
        tokenizer = Unigram(pieces, normalizer, byte_fallback=byte_fallback)
        again = unigram_document(tokenizer)
    except ValueError:
        return None
    same = all(document.get(key) == again[key] for key in again if key not in CHANGES_NOTHING)
    return tokenizer if same else None
