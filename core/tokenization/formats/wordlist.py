"""vocab.txt: WordPiece's format, one piece a line; the number of the line is the id.

The file does not say how text is prepared. Capital letters among its pieces show that it was
trained on text as it is ("cased"); else text is made lower case and loses its accents, as BERT
base uncased has it.
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
    """Opens a vocab.txt. Raises ValueError for one without "[UNK]" or with a piece twice."""
    return tokenizer_from_document(wordlist_document(read_lines(path), str(path)), str(path))


def wordlist_document(pieces: Sequence[str], name: str) -> dict[str, Any]:
    """The tokenizer.json that says the same as BERT's code about these pieces."""
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
