"""vocab.txt: WordPiece's format, one piece per line; the line number, from 0, is the id.

The file does not say how text is prepared. Capital letters among its pieces show that it was
trained on unchanged text ("cased"); otherwise text is made lower case and its accents are removed,
as in BERT base uncased.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.files import GET_AGAIN, quoted
from core.tokenization.formats.documents import tokenizer_from_document
from core.tokenization.formats.reading import read_lines
from core.tokenization.formats.tokenizer_json import wordpiece_document
from core.tokenization.tokenizer import Tokenizer
from core.tokenization.wordpiece.bert_text import BertText
from core.tokenization.wordpiece.tokenizer import BERT_TOKENS, LONGEST_WORD, UNKNOWN


def read_wordlist(path: Path) -> Tokenizer:
    """Opens a vocab.txt. Raises ValueError if it has no "[UNK]" or repeats a piece."""
    return tokenizer_from_document(wordlist_document(read_lines(path), str(path)), str(path))


def wordlist_document(pieces: Sequence[str], name: str) -> dict[str, Any]:
    """Returns the tokenizer.json that treats these pieces as BERT's code does."""
    ids = {piece: token for token, piece in enumerate(pieces)}
    if len(ids) < len(pieces):
        twice = next(piece for token, piece in enumerate(pieces) if ids[piece] != token)
        raise ValueError(f"{name} holds the piece {quoted(twice)} twice: {GET_AGAIN}")
    if UNKNOWN not in ids:
        raise ValueError(
            f"{name} is text, but no vocabulary: it has no line [UNK]; choose a tokenizer's file"
        )
    specials = {text: ids[text] for text in BERT_TOKENS if text in ids}
    plain = [piece for piece in pieces if not (piece.startswith("[") and piece.endswith("]"))]
    cased = any(piece != piece.lower() for piece in plain)
    framed = "[CLS]" in ids and "[SEP]" in ids
    return wordpiece_document(
        ids,
        specials,
        BertText(lowercase=not cased),
        unknown=UNKNOWN,
        longest_word=LONGEST_WORD,
        before=["[CLS]"] if framed else (),
        after=["[SEP]"] if framed else (),
    )
