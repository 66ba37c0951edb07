"""A piece of a vocabulary as people read it, and the bytes that it stands for, which give it its
color: the same piece looks the same in every picture that spells pieces. Knows no Qt.
"""

from __future__ import annotations

from functools import lru_cache

from core.tokenization.formats.spelling import Spelling
from core.tokenization.sentencepiece.normalizer import SPACE
from core.tokenization.wordpiece.tokenizer import PREFIX

_SPELLINGS = {"bpe": Spelling(byte_level=True), "wordpiece": Spelling(prefix=PREFIX)}
_OTHERS = Spelling(space=SPACE, byte_pieces=True)
_GLYPHS = str.maketrans({" ": "\u2423", "\n": "\u21b5", "\t": "\u21e5", "\r": "\u240d"})


@lru_cache(maxsize=65536)
def bytes_of(kind: str, piece: str) -> bytes:
    """What a piece stands for in a text."""
    return _SPELLINGS.get(kind, _OTHERS).to_bytes(piece)


@lru_cache(maxsize=65536)
def text_of(kind: str, piece: str) -> str:
    """A piece with its space visible; bytes that are no text as hexadecimal pairs."""
    data = bytes_of(kind, piece)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return " ".join(f"{byte:02X}" for byte in data)
    if not all(character.isprintable() or character in "\n\t\r" for character in text):
        return " ".join(f"{byte:02X}" for byte in data)
    continues = kind == "wordpiece" and piece.startswith(PREFIX)
    return (PREFIX if continues else "") + text.translate(_GLYPHS)
