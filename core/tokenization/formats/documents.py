"""Opens a tokenizer.json with the class of ours that matches it exactly, or else the library."""

from collections.abc import Callable, Mapping
from typing import Any

from core.files import GET_AGAIN, quoted
from core.tokenization.formats.limits import check_pieces
from core.tokenization.tokenizer import Tokenizer

# Builds a tokenizer, or returns None if the file describes something that its class cannot do.
Builder = Callable[[Mapping[str, Any], str], Tokenizer | None]


def tokenizer_from_document(document: Any, name: str, raw: bytes | None = None) -> Tokenizer:
    """Returns the tokenizer of a parsed tokenizer.json; `name` is the file, for messages, and
    `raw` its bytes if it was read from one.

    Raises ValueError, with a remedy, for a damaged document.
    """
    check_document(document, name)
    for build in _builders(document["model"].get("type")):
        tokenizer = build(document, name)
        if tokenizer is not None:
            return tokenizer
    from core.tokenization.formats.library import LibraryTokenizer

    return LibraryTokenizer(document, name, raw)


def _builders(kind: str | None) -> tuple[Builder, ...]:
    """Returns the builders for a model of this kind; imports them only when needed."""
    if kind == "WordPiece":
        from core.tokenization.formats.own_wordpiece import read_wordpiece

        return (read_wordpiece,)
    if kind == "WordLevel":
        from core.tokenization.formats.own_documents import read_characters

        return (read_characters,)
    if kind == "Unigram":
        from core.tokenization.formats.sentencepiece.unigram_documents import read_unigram

        return (read_unigram,)
    from core.tokenization.formats.own_documents import read_byte_level_bpe
    from core.tokenization.formats.sentencepiece.bpe_documents import read_sentencepiece_bpe

    return read_byte_level_bpe, read_sentencepiece_bpe


def _first_texts(entries: list[Any]) -> list[str]:
    """Returns the pieces of a Unigram's vocabulary, whose entries are [piece, score]."""
    lists = (entry for entry in entries if isinstance(entry, list) and entry)
    return [entry[0] for entry in lists if isinstance(entry[0], str)]


def check_document(document: Any, name: str) -> None:
    """Raises ValueError, with a remedy, if the parts that all kinds share are damaged."""
    model = document.get("model") if isinstance(document, dict) else None
    if not isinstance(model, dict):
        raise ValueError(
            f"{name} is JSON, but describes no tokenizer: choose a tokenizer.json, the file that "
            "lies beside a model's weights"
        )
    kind = model.get("type")
    if kind is None and "merges" not in model:
        raise ValueError(f"{name} does not say what kind of tokenizer it holds: {GET_AGAIN}")
    if kind not in (None, "BPE", "WordPiece", "Unigram", "WordLevel"):
        raise ValueError(
            f"{name} holds a tokenizer of the kind {quoted(kind)}, which is not known: choose a "
            "BPE, WordPiece, Unigram or WordLevel tokenizer"
        )
    vocab = model.get("vocab")
    if not isinstance(vocab, dict | list):
        raise ValueError(f"{name} has no vocabulary: {GET_AGAIN}")
    check_pieces(vocab if isinstance(vocab, dict) else _first_texts(vocab), name)
    added = document.get("added_tokens")
    if added is not None and not isinstance(added, list):
        raise ValueError(f"{name} describes its added tokens wrongly: {GET_AGAIN}")
    for token in added or ():
        if not isinstance(token, dict) or not isinstance(token.get("content"), str):
            raise ValueError(f"{name} describes an added token wrongly: {GET_AGAIN}")
        if not token["content"]:
            raise ValueError(f"{name} has an added token without a text: {GET_AGAIN}")
