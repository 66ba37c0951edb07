"""SentencePiece's tokenizers as tokenizer.json, the file of the Hugging Face tokenizers library.

That library has no scores for BPE and no rules for spaces of this kind, but parts from which both
can be put together: every cut of every piece becomes a merge, in the order of scores, and spaces
are rewritten by patterns. A vocabulary that needs more than that (pieces that are never cut, or cut
again; scores that are equal) is refused.

One thing there is beyond our reach: the library applies a table of character rules to what it
takes for one letter, and only where that has at most five bytes. So a letter that is put together
from long parts (half-width katakana with its voicing mark, the parts of a Hangul syllable) is
spelled otherwise than by SentencePiece. Texts in composed form, as nearly all are, come out alike.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.files import GET_AGAIN, write_atomically
from core.tokenization.formats.sentencepiece.charsmap import CharsMap
from core.tokenization.formats.sentencepiece.files import table_of
from core.tokenization.sentencepiece.normalizer import SPACE, SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import BYTE_PIECES, Piece, PieceType
from core.tokenization.sentencepiece.score_merging import tied_pieces
from core.tokenization.sentencepiece.tokenizer import SentencePieceBPE
from core.tokenization.sentencepiece.vocabulary import SentencePieceVocabulary

AS_MODEL = 'save it as a SentencePiece model, with a name that ends in ".model"'
MANY = 1024  # spaces in front of a text, all of which go
PLAIN = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


def write_sentencepiece_bpe(path: str | Path, tokenizer: SentencePieceBPE) -> None:
    """Writes a SentencePiece BPE.

    Raises ValueError where the format cannot say what the tokenizer does.
    """
    document = bpe_document(tokenizer)
    write_atomically(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def bpe_document(tokenizer: SentencePieceBPE) -> dict[str, Any]:
    """What tokenizer.json says about a SentencePiece BPE."""
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
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": pieces.spelled[pieces.unknown],
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": pieces.byte_fallback,
        "ignore_merges": False,
        "vocab": {piece: token for token, piece in enumerate(pieces.spelled)},
        "merges": [[pieces.spelled[left], pieces.spelled[right]] for (left, right), _ in ordered],
    }
    cut = {
        "type": "Split",
        "pattern": {"Regex": tokenizer.word_pattern},
        "behavior": "Isolated",
        "invert": False,
    }
    return whole_document(
        pieces,
        tokenizer.normalizer,
        cut if pieces.byte_fallback or SPACE in pieces.ids else None,
        model,
    )


def whole_document(
    pieces: SentencePieceVocabulary,
    normalizer: SentencePieceNormalizer,
    pre_tokenizer: dict[str, Any] | None,
    model: dict[str, Any],
) -> dict[str, Any]:
    """The document round a model: special tokens, normalizer and decoder."""
    if pieces.user_defined:
        raise ValueError(
            f"tokenizer.json cannot say that {next(iter(pieces.user_defined))!r} is never cut and "
            f"begins no new text: {AS_MODEL}"
        )
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": token, "content": text, **PLAIN, "special": True}
            for text, token in sorted(pieces.special_tokens.items(), key=lambda item: item[1])
        ],
        "normalizer": normalizer_document(normalizer),
        "pre_tokenizer": pre_tokenizer,
        "post_processor": None,
        "decoder": decoder_document(normalizer),
        "model": model,
    }


def normalizer_document(normalizer: SentencePieceNormalizer) -> dict[str, Any]:
    """The rules for characters, then those for spaces."""
    if normalizer.whitespace_as_suffix or not normalizer.escape_whitespaces:
        raise ValueError(f"tokenizer.json cannot put a space behind the text: {AS_MODEL}")
    stages: list[dict[str, Any]] = []
    table = table_of(normalizer)
    if table:
        encoded = base64.b64encode(table).decode()
        stages.append({"type": "Precompiled", "precompiled_charsmap": encoded})
    if normalizer.remove_extra_whitespaces:
        stages.append(_replace({"Regex": r"\A +"}, ""))
        stages.append(_replace({"Regex": " {2,}"}, " "))
    if normalizer.add_dummy_prefix:
        stages.append({"type": "Prepend", "prepend": SPACE})
    stages.append(_replace({"String": " "}, SPACE))
    if normalizer.remove_extra_whitespaces:
        stages.append(_replace({"Regex": SPACE + r"+\z"}, ""))
    return {"type": "Sequence", "normalizers": stages}


def decoder_document(normalizer: SentencePieceNormalizer) -> dict[str, Any]:
    """Bytes to characters, "▁" to spaces, and the space in front away."""
    stages = [_replace({"String": SPACE}, " "), {"type": "ByteFallback"}, {"type": "Fuse"}]
    if normalizer.add_dummy_prefix or normalizer.remove_extra_whitespaces:
        number = MANY if normalizer.remove_extra_whitespaces else 1
        stages.append({"type": "Strip", "content": " ", "start": number, "stop": 0})
    return {"type": "Sequence", "decoders": stages}


def _replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


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


def read_normalizer(stages: object, name: str) -> SentencePieceNormalizer | None:
    """The normalizer that normalizer_document describes so; None for every other."""
    if not isinstance(stages, dict) or not isinstance(stages.get("normalizers"), list):
        return None
    table = b""
    kinds: list[str] = []
    for stage in stages["normalizers"]:
        if not isinstance(stage, dict):
            return None
        kinds.append(str(stage.get("type")))
        if stage.get("type") == "Precompiled":
            try:
                table = base64.b64decode(str(stage.get("precompiled_charsmap")), validate=True)
            except binascii.Error:
                raise ValueError(
                    f"{name}: its table of character rules is damaged: {GET_AGAIN}"
                ) from None
    normalizer = SentencePieceNormalizer(
        CharsMap(table, f"{name}: the table of character rules") if table else "identity",
        name="precompiled" if table else "identity",
        add_dummy_prefix="Prepend" in kinds,
        remove_extra_whitespaces=kinds.count("Replace") > 1,
    )
    return normalizer if normalizer_document(normalizer) == stages else None
