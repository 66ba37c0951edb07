"""A piece of a vocabulary as people read it, and the bytes that it stands for, which give it its
color: the same piece looks the same in every picture that spells pieces. Knows no Qt.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache

from core.tokenization.byte_level import to_bytes
from core.tokenization.sentencepiece.normalizer import SPACE

CONTINUES = "##"  # WordPiece's sign for a piece that begins inside a word
_BYTE = re.compile("<0x[0-9A-F]{2}>")  # SentencePiece's pieces for single bytes
_GLYPHS = str.maketrans({" ": "\u2423", "\n": "\u21b5", "\t": "\u21e5", "\r": "\u240d"})


@lru_cache(maxsize=65536)
def bytes_of(kind: str, piece: str) -> bytes:
    """What a piece stands for in a text."""
    if kind == "bpe":
        with suppress(ValueError):  # a special token
            return to_bytes(piece)
    if kind == "wordpiece":
        return piece.removeprefix(CONTINUES).encode("utf-8", "replace")
    if _BYTE.fullmatch(piece):
        return bytes([int(piece[3:5], 16)])
    return piece.replace(SPACE, " ").encode("utf-8", "replace")


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
    continues = kind == "wordpiece" and piece.startswith(CONTINUES)
    return (CONTINUES if continues else "") + text.translate(_GLYPHS)
