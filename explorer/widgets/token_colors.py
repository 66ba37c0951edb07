"""The color of a piece: the same bytes have the same color everywhere, in every picture."""

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
    edge   its border, which tells tokens apart where hues look alike
    """

    fill: QColor
    edge: QColor


def slot(data: bytes) -> int:
    """Which of the SLOTS colors these bytes have: the same on every machine, in every session."""
    return crc32(data) % SLOTS


def inks() -> tuple[TokenInk, ...]:
    """The SLOTS colors of the theme in force."""
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
