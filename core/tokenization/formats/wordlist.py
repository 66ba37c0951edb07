"""vocab.txt: WordPiece's format, one piece a line; the number of the line is the id.

The file does not say how text is prepared. Capital letters among its pieces show that it was
trained on text as it is ("cased"); else text is made lower case and loses its accents, as BERT
base uncased has it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.files import GET_AGAIN
from core.tokenization.formats.documents import tokenizer_from_document
from core.tokenization.formats.reading import read_lines
from core.tokenization.tokenizer import Tokenizer

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
LONGEST_WORD = 100  # characters; a longer word is unknown


def read_wordlist(path: Path) -> Tokenizer:
    """Opens a vocab.txt. Raises ValueError for one without "[UNK]" or with a piece twice."""
    return tokenizer_from_document(wordpiece_document(read_lines(path), str(path)), str(path))


def wordpiece_document(pieces: Sequence[str], name: str) -> dict[str, Any]:
    """The tokenizer.json that says the same as BERT's code about these pieces."""
    ids = {piece: token for token, piece in enumerate(pieces)}
    if len(ids) < len(pieces):
        twice = next(piece for token, piece in enumerate(pieces) if ids[piece] != token)
        raise ValueError(f"{name} holds the piece {twice!r} twice: {GET_AGAIN}")
    if "[UNK]" not in ids:
        raise ValueError(
            f"{name} is text, but no vocabulary: it has no line [UNK]; choose a tokenizer's file"
        )
    specials = {text: ids[text] for text in SPECIALS if text in ids}
    plain = [piece for piece in pieces if not (piece.startswith("[") and piece.endswith("]"))]
    cased = any(piece != piece.lower() for piece in plain)
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    frame = None
    if "[CLS]" in ids and "[SEP]" in ids:
        frame = {
            "type": "BertProcessing",
            "sep": ["[SEP]", ids["[SEP]"]],
            "cls": ["[CLS]", ids["[CLS]"]],
        }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": token, "content": text, **flags, "special": True}
            for text, token in sorted(specials.items(), key=lambda item: item[1])
        ],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": not cased,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": frame,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": LONGEST_WORD,
            "vocab": ids,
        },
    }
