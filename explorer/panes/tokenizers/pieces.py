"""Readable text of a vocabulary's piece, and its bytes, which determine its color: a piece looks
the same in all pictures. No Qt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

from core.tokenization.formats import spelling
from core.tokenization.telling import readable_text, shown


@lru_cache(maxsize=65536)
def bytes_of(kind: str, piece: str) -> bytes:
    """Returns the bytes of text that a piece stands for."""
    return spelling.bytes_of(kind, piece)


@lru_cache(maxsize=65536)
def text_of(kind: str, piece: str) -> str:
    """Returns a piece with visible spaces, or as "<C3 A9>" if its bytes are not text."""
    return shown(piece, bytes_of(kind, piece))


@lru_cache
def reader(kind: str) -> Callable[[str], str]:
    """Returns text_of for one kind, the same object at each call."""
    return partial(text_of, kind)


@dataclass(frozen=True)
class SymbolFace:
    """The appearance of a symbol: its text, or its bytes if they are not whole characters."""

    text: str
    data: bytes


def face_of(kind: str, piece: str) -> SymbolFace:
    """Returns the appearance of a piece in a vocabulary of this kind."""
    return SymbolFace(text_of(kind, piece), bytes_of(kind, piece))


def is_text(data: bytes) -> bool:
    """Returns True if these bytes are drawn as text, False if as cells of bytes."""
    return not data or readable_text(data) is not None
