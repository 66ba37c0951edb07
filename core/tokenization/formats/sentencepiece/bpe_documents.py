"""Reads a SentencePiece BPE from a tokenizer.json that our class matches exactly."""

from collections.abc import Mapping
from typing import Any

from core.tokenization.formats.sentencepiece.documents import read_normalizer
from core.tokenization.sentencepiece.pieces import BYTE_PIECES, Piece, PieceType
from core.tokenization.sentencepiece.tokenizer import SentencePieceBPE


def read_sentencepiece_bpe(document: Mapping[str, Any], name: str) -> SentencePieceBPE | None:
    """Returns the tokenizer of a tokenizer.json if this class matches it exactly, else None.

    The file has no scores; they follow from the ids, if pieces are in the order of their scores.
    This is checked by writing the document again and comparing the two.
    """
    model = document["model"]
    vocab, merges = model.get("vocab"), model.get("merges")
    settings = read_normalizer(document.get("normalizer"), name)
    if model.get("type") != "BPE" or settings is None or not isinstance(vocab, dict):
        return None
    special = {
        token.get("content"): token.get("id") for token in document.get("added_tokens") or ()
    }
    by_id = {token: piece for piece, token in vocab.items() if type(token) is int}
    if set(by_id) != set(range(len(vocab))) or not isinstance(merges, list):
        return None
    pieces: list[Piece] = []
    rank = 0
    for token in range(len(by_id)):
        piece = by_id[token]
        kind = PieceType.NORMAL
        if piece == model.get("unk_token"):
            kind = PieceType.UNKNOWN
        elif piece in special:
            kind = PieceType.CONTROL
        elif piece in BYTE_PIECES and model.get("byte_fallback"):
            kind = PieceType.BYTE
        pieces.append(Piece(piece, float(-rank) if kind == PieceType.NORMAL else 0.0, kind))
        rank += kind == PieceType.NORMAL
    try:
        tokenizer = SentencePieceBPE(
            pieces, settings, byte_fallback=model.get("byte_fallback") is True
        )
        again = tokenizer.document()
    except ValueError:
        return None
    return tokenizer if _says_the_same(document, again) else None


def _says_the_same(document: Mapping[str, Any], again: Mapping[str, Any]) -> bool:
    """True if two documents are equal, apart from notations that make no difference."""
    for key in ("normalizer", "added_tokens", "decoder", "post_processor"):
        if document.get(key) != again[key]:
            return False
    if document.get("pre_tokenizer") not in (None, again["pre_tokenizer"]):
        return False
    model = dict.fromkeys(again["model"]) | dict(document["model"])
    model["ignore_merges"] = bool(model["ignore_merges"])
    model["merges"] = [
        merge.split(" ") if isinstance(merge, str) else merge for merge in model["merges"] or ()
    ]
    return model == again["model"]
