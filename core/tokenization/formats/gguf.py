"""The tokenizer inside a GGUF model file, which llama.cpp stores under "tokenizer.ggml".

model   "gpt2"  byte-level BPE: tokens, merges, and `pre`, the name of the word pattern
        "bert"  WordPiece: a piece that starts a word has "▁" in front, none has "##"
        "llama" SentencePiece BPE: tokens with scores
        "t5"    Unigram: tokens with scores, and the normalizer's table
token_type   the purpose of each token, by SentencePiece's numbers
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from core.files import GET_AGAIN, quoted
from core.gguf import open_gguf
from core.tokenization.byte_level import BYTE_OF_CHARACTER
from core.tokenization.formats.documents import tokenizer_from_document
from core.tokenization.formats.limits import check_pieces
from core.tokenization.formats.merges import parse_merges
from core.tokenization.formats.reading import MAX_PIECES
from core.tokenization.formats.sentencepiece.files import from_model
from core.tokenization.formats.sentencepiece.model import (
    NormalizerSettings,
    SentencePieceModel,
    TrainerSettings,
)
from core.tokenization.formats.tokenizer_json import byte_level_document, template
from core.tokenization.formats.wordlist import wordlist_document
from core.tokenization.sentencepiece.normalizer import SPACE
from core.tokenization.sentencepiece.pieces import Piece, PieceType
from core.tokenization.tokenizer import Tokenizer
from core.tokenization.wordpiece.tokenizer import PREFIX

KEY = "tokenizer.ggml."
ELSEWHERE = "open the tokenizer.json of the model it was made from instead"

# llama.cpp's names of word patterns -> ours.
PRE = {
    **dict.fromkeys(("gpt-2", "phi-2", "mpt", "olmo", "roberta-bpe", "jina-es", "jina-de"), "gpt2"),
    **dict.fromkeys(("smollm", "starcoder", "refact", "command-r", "codeshell"), "smollm2"),
    **dict.fromkeys(("llama-bpe", "llama3", "llama-v3", "falcon3", "dbrx", "smaug-bpe"), "llama3"),
    **dict.fromkeys(("qwen2", "stablelm2", "deepseek-r1-qwen", "megrez"), "qwen"),
    **dict.fromkeys(("gpt-4o", "llama4"), "o200k"),
    "tekken": "tekken",
}
TAKES_WHOLE_WORDS = ("llama-bpe", "llama3", "llama-v3", "falcon3")


def read_gguf_tokenizer(path: Path) -> Tokenizer:
    """Opens the tokenizer of a GGUF file; the model's weights are not read.

    Raises ValueError, with a remedy, for a file without a tokenizer, or with one of another kind.
    """
    metadata = open_gguf(path).metadata
    kind = metadata.get(f"{KEY}model")
    pieces = metadata.get(f"{KEY}tokens")
    if not isinstance(kind, str) or not isinstance(pieces, list) or not pieces:
        raise ValueError(f"{path} is a GGUF file without a tokenizer: {ELSEWHERE}")
    if len(pieces) > MAX_PIECES or not all(isinstance(piece, str) for piece in pieces):
        raise ValueError(f"{path} has a damaged vocabulary: {GET_AGAIN}")
    check_pieces(pieces, str(path))
    readers = {
        "gpt2": _byte_level,
        "bert": _wordpiece,
        "llama": _sentencepiece_bpe,
        "t5": _unigram,
    }
    if kind not in readers:
        raise ValueError(f"{path} holds a tokenizer of the kind {quoted(kind)}: {ELSEWHERE}")
    return readers[kind](metadata, pieces, str(path))


def _types(metadata: Mapping[str, Any], size: int, name: str) -> list[int]:
    """Returns the type of each token; all are normal if the file has no types."""
    types = metadata.get(f"{KEY}token_type")
    if types is None:
        return [PieceType.NORMAL] * size
    if not _whole_numbers(types):
        raise ValueError(f"{name} says wrongly what its tokens are for: {GET_AGAIN}")
    if len(types) != size:
        raise ValueError(f"{name} has {size} tokens, but {len(types)} types: {GET_AGAIN}")
    return [int(kind) for kind in types]


def _whole_numbers(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "iu"


def _byte_level(metadata: Mapping[str, Any], pieces: list[str], name: str) -> Tokenizer:
    pre = metadata.get(f"{KEY}pre", "gpt-2")
    if not isinstance(pre, str) or pre not in PRE:
        raise ValueError(
            f"{name} cuts words in a way that is not known ({quoted(pre)}): {ELSEWHERE}"
        )
    lines = metadata.get(f"{KEY}merges")
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise ValueError(f"{name} has no list of merges: {GET_AGAIN}")
    ids = {piece: token for token, piece in enumerate(pieces)}
    if len(ids) < len(pieces):
        raise ValueError(f"{name} holds a piece twice: {GET_AGAIN}")
    kinds = _types(metadata, len(pieces), name)
    ordinary = (PieceType.NORMAL, PieceType.UNUSED)
    specials = {
        piece: token
        for piece, token in ids.items()
        if kinds[token] not in ordinary or not BYTE_OF_CHARACTER.keys() >= set(piece)
    }
    document = byte_level_document(
        ids,
        parse_merges(lines, name),
        specials,
        PRE[pre],
        ignore_merges=pre in TAKES_WHOLE_WORDS,
    )
    begin = metadata.get(f"{KEY}bos_token_id")
    begins = metadata.get(f"{KEY}add_bos_token") is True
    if begins and isinstance(begin, int) and 0 <= begin < len(pieces):
        document["post_processor"] = template([pieces[begin]], [], ids)
    return tokenizer_from_document(document, name)


def _wordpiece(metadata: Mapping[str, Any], pieces: list[str], name: str) -> Tokenizer:
    """Builds BERT's tokenizer: llama.cpp has changed "the", "##ing" into "▁the", "ing"."""
    kinds = _types(metadata, len(pieces), name)
    spelled = []
    for piece, kind in zip(pieces, kinds, strict=True):
        if piece.startswith(SPACE):
            spelled.append(piece.removeprefix(SPACE))
        elif kind == PieceType.NORMAL and not (piece.startswith("[") and piece.endswith("]")):
            spelled.append(PREFIX + piece)
        else:
            spelled.append(piece)
    return tokenizer_from_document(wordlist_document(spelled, name), name)


def _sentencepiece_bpe(metadata: Mapping[str, Any], pieces: list[str], name: str) -> Tokenizer:
    """Builds Llama's tokenizer: no character rules, by default a space before the text."""
    settings = NormalizerSettings(
        "identity",
        add_dummy_prefix=metadata.get(f"{KEY}add_space_prefix", True) is True,
        remove_extra_whitespaces=metadata.get(f"{KEY}remove_extra_whitespaces") is True,
    )
    return _scored(metadata, pieces, "bpe", settings, name)


def _unigram(metadata: Mapping[str, Any], pieces: list[str], name: str) -> Tokenizer:
    """Builds T5's tokenizer, with the normalizer's table from the file."""
    table = metadata.get(f"{KEY}precompiled_charsmap")
    if table is not None and not _whole_numbers(table):
        raise ValueError(f"{name}: its table of character rules is damaged: {GET_AGAIN}")
    settings = NormalizerSettings(
        "precompiled" if table is not None else "identity",
        b"" if table is None else table.astype(np.uint8).tobytes(),
        add_dummy_prefix=metadata.get(f"{KEY}add_space_prefix", True) is True,
        remove_extra_whitespaces=metadata.get(f"{KEY}remove_extra_whitespaces", True) is True,
    )
    return _scored(metadata, pieces, "unigram", settings, name)


def _scored(
    metadata: Mapping[str, Any],
    pieces: list[str],
    model_type: str,
    settings: NormalizerSettings,
    name: str,
) -> Tokenizer:
    """Builds a SentencePiece tokenizer from pieces with scores."""
    scores = metadata.get(f"{KEY}scores")
    kinds = _types(metadata, len(pieces), name)
    if not isinstance(scores, np.ndarray) or len(scores) != len(pieces):
        raise ValueError(f"{name} does not have a score for every piece: {GET_AGAIN}")
    if not all(kind in list(PieceType) for kind in kinds):
        raise ValueError(f"{name} has pieces of an unknown type: {GET_AGAIN}")
    scored = [
        Piece(piece, float(score), PieceType(kind))
        for piece, score, kind in zip(pieces, scores, kinds, strict=True)
    ]
    trainer = TrainerSettings(model_type, byte_fallback=PieceType.BYTE in kinds)
    return from_model(SentencePieceModel(scored, trainer, settings), name)
