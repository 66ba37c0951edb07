"""What the KV cache holds, by layer. Plain numbers, no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.transformer.cache import LayerUse

NARROWEST = 32  # tokens


@dataclass(frozen=True)
class CacheScene:
    """What each layer holds after so many tokens were read."""

    tokens: int
    layers: tuple[LayerUse, ...]

    @property
    def room(self) -> int:
        """Tokens that there is memory for."""
        return max(layer.room for layer in self.layers)

    @property
    def width(self) -> int:
        """Tokens that the picture is wide: it doubles where they have no room."""
        return max(NARROWEST, 1 << (self.tokens - 1).bit_length())

    @property
    def bytes(self) -> int:
        return sum(layer.bytes for layer in self.layers)

    @property
    def bytes_held(self) -> int:
        """Those of the tokens that are kept; the others are spare room."""
        return round(sum(layer.bytes * layer.kept / layer.room for layer in self.layers))

    @property
    def bytes_per_token(self) -> int:
        return round(sum(layer.bytes / layer.room for layer in self.layers))

    @property
    def has_unseen(self) -> bool:
        """Whether tokens lie outside the window of their layer."""
        return any(layer.seen < min(layer.kept, self.tokens - 1) for layer in self.layers)
