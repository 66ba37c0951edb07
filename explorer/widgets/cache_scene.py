"""The contents of the KV cache by layer. Plain numbers, no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.transformer.cache import LayerUse

NARROWEST = 32  # tokens


@dataclass(frozen=True)
class CacheScene:
    """The contents of each layer after `tokens` tokens."""

    tokens: int
    layers: tuple[LayerUse, ...]

    @property
    def room(self) -> int:
        """The number of tokens for which memory is allocated."""
        return max(layer.room for layer in self.layers)

    @property
    def width(self) -> int:
        """The width of the picture in tokens; it doubles when they no longer fit."""
        return max(NARROWEST, 1 << (self.tokens - 1).bit_length())

    @property
    def bytes(self) -> int:
        return sum(layer.bytes for layer in self.layers)

    @property
    def bytes_held(self) -> int:
        """The bytes of cached tokens; the rest is spare room."""
        return round(sum(layer.bytes * layer.kept / layer.room for layer in self.layers))

    @property
    def bytes_per_token(self) -> int:
        return round(sum(layer.bytes / layer.room for layer in self.layers))

    @property
    def has_unseen(self) -> bool:
        """True if tokens lie outside the window of their layer."""
        return any(layer.seen < min(layer.kept, self.tokens - 1) for layer in self.layers)
