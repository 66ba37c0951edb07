"""A piece of a vocabulary as people read it, and the bytes that it stands for, which give it its
color: the same piece looks the same in every picture. No Qt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

from core.tokenization.formats import spelling
from core.tokenization.telling import readable_text, shown


@lru_cache(maxsize=65536)
def bytes_of(kind: str, piece: str) -> bytes:
    """The bytes that a piece stands for in a text."""
    return spelling.bytes_of(kind, piece)


@lru_cache(maxsize=65536)
def text_of(kind: str, piece: str) -> str:
    """A piece with its space visible; bytes that are no text as "<C3 A9>"."""
    return shown(piece, bytes_of(kind, piece))


@lru_cache
def reader(kind: str) -> Callable[[str], str]:
    """text_of for the pieces of one kind: the same object each time."""
    return partial(text_of, kind)


@dataclass(frozen=True)
class SymbolFace:
    """How a symbol is shown: its text, or its bytes where they are no whole characters."""

    text: str
    data: bytes


def face_of(kind: str, piece: str) -> SymbolFace:
    """How a piece of a vocabulary of this kind is shown."""
    return SymbolFace(text_of(kind, piece), bytes_of(kind, piece))


def is_text(data: bytes) -> bool:
    """Whether a piece of these bytes is written as text; else it is drawn as cells of bytes."""
    return not data or readable_text(data) is not None
