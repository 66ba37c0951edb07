"""The color of a piece: the same bytes have the same color in every picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from zlib import crc32

from PySide6.QtGui import QColor

from explorer import theme

SLOTS = 16


@dataclass(frozen=True)
class TokenInk:
    """fill   behind the piece
    edge   its border, which distinguishes tokens of similar hue
    """

    fill: QColor
    edge: QColor


def slot(data: bytes) -> int:
    """Returns the index of these bytes' color among SLOTS, the same on every machine."""
    return crc32(data) % SLOTS


def inks() -> tuple[TokenInk, ...]:
    """Returns the SLOTS colors of the current theme."""
    palette = theme.current().palette
    return _inks(palette.tokens, palette.token_edges)


def ink(data: bytes) -> TokenInk:
    return inks()[slot(data)]


@lru_cache(maxsize=8)
def _inks(fills: tuple[str, ...], edges: tuple[str, ...]) -> tuple[TokenInk, ...]:
    return tuple(
        TokenInk(QColor(fill), QColor(edges[place % len(edges)]))
        for place, fill in enumerate(fills)
    )
