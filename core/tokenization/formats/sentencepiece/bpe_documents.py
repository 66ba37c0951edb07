"""A SentencePiece BPE as tokenizer.json, and from it.

The Hugging Face tokenizers library has no scores for BPE, but every cut of every piece can become a
merge, in the order of scores. A vocabulary that needs more than that (pieces that are cut again,
scores that are equal) is refused.
"""

from collections.abc import Mapping
from typing import Any

from core.tokenization.formats.sentencepiece.documents import (
    AS_MODEL,
    read_normalizer,
    scored_document,
)
from core.tokenization.formats.tokenizer_json import bpe_model, split_at
from core.tokenization.sentencepiece.normalizer import SPACE
from core.tokenization.sentencepiece.pieces import BYTE_PIECES, Piece, PieceType
from core.tokenization.sentencepiece.score_merging import tied_pieces
from core.tokenization.sentencepiece.tokenizer import SentencePieceBPE


def bpe_document(tokenizer: SentencePieceBPE) -> dict[str, Any]:
    """What tokenizer.json says about a SentencePiece BPE.

    Raises ValueError where the format cannot say what the tokenizer does.
    """
    pieces = tokenizer.pieces
    if (
        tokenizer.pieces.unused
        or tied_pieces(tokenizer.joins)
        or any(max(pair) >= len(pieces) for pair in tokenizer.joins)
    ):
        raise ValueError(
            "tokenizer.json cannot say which of two equally good pieces is joined, how pieces are "
            f"cut again, or that a piece holds an unknown character: {AS_MODEL}"
        )
    ordered = sorted(tokenizer.joins.items(), key=lambda item: (item[1][0], item[0]))
    spelled = pieces.spelled
    model = bpe_model(
        {piece: token for token, piece in enumerate(spelled)},
        [(spelled[left], spelled[right]) for (left, right), _ in ordered],
        unknown=spelled[pieces.unknown],
        byte_fallback=pieces.byte_fallback,
    )
    cuts_are_clean = pieces.byte_fallback or SPACE in pieces.ids
    cut = split_at(tokenizer.word_pattern) if cuts_are_clean else None
    return scored_document(pieces, tokenizer.normalizer, cut, model)


def read_sentencepiece_bpe(document: Mapping[str, Any], name: str) -> SentencePieceBPE | None:
    """The tokenizer of a tokenizer.json that says exactly what this class does; else None.

    The scores that the file lacks follow from the ids: pieces stand in the order of their scores.
    That this is so is tested by writing the document again.
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
        again = bpe_document(tokenizer)
    except ValueError:
        return None
    return tokenizer if _says_the_same(document, again) else None


def _says_the_same(document: Mapping[str, Any], again: Mapping[str, Any]) -> bool:
    """Whether a document is what we would write, but for forms that make no difference."""
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
