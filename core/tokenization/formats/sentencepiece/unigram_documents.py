"""Reads a Unigram tokenizer from a tokenizer.json that our class matches exactly."""

from collections.abc import Mapping
from typing import Any

from core.tokenization.formats.sentencepiece.documents import read_normalizer
from core.tokenization.sentencepiece.pieces import BYTE_PIECES, Piece, PieceType
from core.tokenization.unigram.tokenizer import Unigram

CHANGES_NOTHING = ("version", "truncation", "padding")
MOST = 1e30  # largest size of a score; log probabilities are far below


def read_unigram(document: Mapping[str, Any], name: str) -> Unigram | None:
    """Returns the tokenizer of a tokenizer.json if this class matches it exactly, else None.

    This is checked by writing the document again. `name` is the file, for messages.
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
        again = tokenizer.document()
    except ValueError:
        return None
    same = all(document.get(key) == again[key] for key in again if key not in CHANGES_NOTHING)
    return tokenizer if same else None
