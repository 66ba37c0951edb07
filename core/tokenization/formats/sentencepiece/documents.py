"""SentencePiece's tokenizers as tokenizer.json, the file of the Hugging Face tokenizers library.

That library lacks SentencePiece's rules for spaces, but has stages from which they can be composed:
spaces are rewritten by patterns. It cannot express pieces that are never cut.

One difference remains: the two apply the same table of character rules ("Precompiled") differently.

                       SentencePiece                   the Hugging Face library
rules are applied      at every position of the text   to a letter with its marks (a grapheme)
which rule             the longest                     the shortest, if the letter has at most
                                                       five bytes: the rest of it is lost
longer letters         also the longest                character by character
"ﬁ" with an acute      "fi" with the acute             "fi"
half-width "ｶ", "ﾞ"    "ガ"                            "カ" and a separate mark
two Hangul letters     one syllable                    two letters

A SentencePiece model, and a tokenizer.json written by this package, are opened with SentencePiece's
rules; every other tokenizer.json with those of the library, for which it was made. Texts in
composed form, which is nearly all texts, have the same result.
"""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.files import GET_AGAIN, quoted
from core.tokenization.formats.sentencepiece.charsmap import CharsMap, table_of
from core.tokenization.formats.spelling import stages_in
from core.tokenization.formats.tokenizer_json import Part, bpe_model, split_at, whole_document
from core.tokenization.sentencepiece.normalizer import SPACE, SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import PieceType
from core.tokenization.sentencepiece.score_merging import tied_pieces
from core.tokenization.sentencepiece.vocabulary import SentencePieceVocabulary

AS_MODEL = 'save it as a SentencePiece model, with a name that ends in ".model"'
NEVER = -1000.0  # the score of a byte's piece, below the sum of the characters that spell it
MANY = 1024  # leading spaces, at most, that the decoder removes


def scored_document(
    pieces: SentencePieceVocabulary,
    normalizer: SentencePieceNormalizer,
    pre_tokenizer: Part | None,
    model: Part,
) -> dict[str, Any]:
    """Returns a model's whole document, with special tokens, normalizer and decoder.

    Raises ValueError, with a remedy, if the format cannot express what the tokenizer does.
    """
    if pieces.user_defined:
        raise ValueError(
            f"tokenizer.json cannot say that {quoted(next(iter(pieces.user_defined)))} is never "
            f"cut and begins no new text: {AS_MODEL}"
        )
    return whole_document(
        pieces.special_tokens,
        model,
        normalizer=normalizer_document(normalizer),
        pre_tokenizer=pre_tokenizer,
        decoder=decoder_document(normalizer),
    )


def bpe_document(
    pieces: SentencePieceVocabulary,
    normalizer: SentencePieceNormalizer,
    joins: Mapping[tuple[int, int], tuple[int, int]],
    word_pattern: str,
) -> dict[str, Any]:
    """Returns the document of a SentencePiece BPE, whose `joins` map pairs of ids to (rank, id).

    The Hugging Face tokenizers library has no scores for BPE, but every split of every piece can
    become a merge, in the order of scores. Raises ValueError, with a remedy, for a vocabulary that
    needs more than that (pieces that are split again, equal scores).
    """
    if pieces.unused or tied_pieces(joins) or any(max(pair) >= len(pieces) for pair in joins):
        raise ValueError(
            "tokenizer.json cannot say which of two equally good pieces is joined, how pieces are "
            f"cut again, or that a piece holds an unknown character: {AS_MODEL}"
        )
    ordered = sorted(joins.items(), key=lambda item: (item[1][0], item[0]))
    spelled = pieces.spelled
    model = bpe_model(
        {piece: token for token, piece in enumerate(spelled)},
        [(spelled[left], spelled[right]) for (left, right), _ in ordered],
        unknown=spelled[pieces.unknown],
        byte_fallback=pieces.byte_fallback,
    )
    cuts_are_clean = pieces.byte_fallback or SPACE in pieces.ids
    cut = split_at(word_pattern) if cuts_are_clean else None
    return scored_document(pieces, normalizer, cut, model)


def unigram_document(
    pieces: SentencePieceVocabulary, normalizer: SentencePieceNormalizer, scores: np.ndarray
) -> dict[str, Any]:
    """Returns the document of a Unigram tokenizer; scores (V).

    The library has Unigram models, so the pieces and their scores are written unchanged. Two things
    differ there. It adds in 64 bits where SentencePiece adds in 32, so of two ways to cut a text
    that are equally likely to seven digits, it may choose the other one. And it finds the piece of
    a byte in a text that spells it, "<0x0A>"; a low score prevents that, unless one of these six
    characters is unknown.

    Raises ValueError, with a remedy, if the format cannot express what the tokenizer does.
    """
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
            for piece, score in zip(pieces.pieces, scores)
        ],
        "byte_fallback": pieces.byte_fallback,
    }
    return scored_document(pieces, normalizer, None, model)


def normalizer_document(normalizer: SentencePieceNormalizer) -> Part:
    """Returns the stages: rules for characters, then for spaces.

    Raises ValueError, with a remedy, if the format cannot express the rules for spaces.
    """
    if normalizer.whitespace_as_suffix or not normalizer.escape_whitespaces:
        raise ValueError(f"tokenizer.json cannot put a space behind the text: {AS_MODEL}")
    stages: list[Part] = []
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


def decoder_document(normalizer: SentencePieceNormalizer) -> Part:
    """Returns the decoder: "▁" to spaces, bytes to characters, without the space in front."""
    stages = [_replace({"String": SPACE}, " "), {"type": "ByteFallback"}, {"type": "Fuse"}]
    if normalizer.add_dummy_prefix or normalizer.remove_extra_whitespaces:
        number = MANY if normalizer.remove_extra_whitespaces else 1
        stages.append({"type": "Strip", "content": " ", "start": number, "stop": 0})
    return {"type": "Sequence", "decoders": stages}


def _replace(pattern: dict[str, str], content: str) -> Part:
    return {"type": "Replace", "pattern": pattern, "content": content}


def has_charsmap(document: Mapping[str, Any]) -> bool:
    """True if a tokenizer.json normalizes by a table of character rules."""
    stages = stages_in(document.get("normalizer"))
    return any(stage.get("type") == "Precompiled" for stage in stages)


def read_normalizer(stages: object, name: str) -> SentencePieceNormalizer | None:
    """Inverts normalizer_document; returns None for other stages. `name` is the file."""
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
            except ValueError:  # raised for characters beyond ASCII, too
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
