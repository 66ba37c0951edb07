"""The KV cache: keys and values of earlier tokens, stored so that no token is read twice.

Letters in shapes: B sequences, T tokens (Tq new ones, Tk all in the cache), G key and value heads,
D dimensions a head. Source: Shazeer 2019, "Fast Transformer Decoding", section 2.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from core.transformer.config import ModelConfig

BLOCK = 256  # tokens: memory is allocated for this many at once


class LayerUse(NamedTuple):
    """The use of a layer's cache: `kept`, tokens in the cache; `seen`, how many of them the next
    token can see; `room`, the number of tokens that fit; `bytes`, the size of this memory.
    """

    kept: int
    seen: int
    room: int
    bytes: int


class LayerCache:
    """Keys and values of one layer, (B, G, Tk, D) each, the newest tokens last.

    A layer with a window keeps the tokens that its next query can see, and discards the rest. A
    layer with cross-attention also keeps those of its source, as `source`: two (B, G, Ts, D).
    """

    def __init__(self, window: int | None = None) -> None:
        self.window = window
        self._keys: Tensor | None = None  # (B, G, room, D), of which `kept` tokens are filled
        self._values: Tensor | None = None
        self.source: tuple[Tensor, Tensor] | None = None
        self.kept = 0

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Appends new tokens' keys and values (B, G, Tq, D); returns those that the new tokens may
        see, including their own, (B, G, Tk, D): views, which the next call may change.
        """
        new = k.size(2)
        if self.window is not None:
            self._let_go(self.window - 1)
        keys, values = self._with_room(k, new)
        first, self.kept = self.kept, self.kept + new
        keys[:, :, first : self.kept] = k
        values[:, :, first : self.kept] = v
        seen = self.kept if self.window is None else min(self.kept, self.window - 1 + new)
        shown = slice(self.kept - seen, self.kept)
        return keys[:, :, shown], values[:, :, shown]

    def _let_go(self, most: int) -> None:
        """Discards all but the last `most` tokens, once the others fill a block."""
        over = self.kept - most
        if over < BLOCK or self._keys is None or self._values is None:
            return
        self._keys = self._keys[:, :, over:].clone()
        self._values = self._values[:, :, over:].clone()
        self.kept = most

    def _with_room(self, like: Tensor, new: int) -> tuple[Tensor, Tensor]:
        """Returns both tensors, with room for `new` more tokens."""
        B, G, _, D = like.shape
        room = 0 if self._keys is None else self._keys.size(2)
        if self._keys is None or self._values is None or room < self.kept + new:
            room = -(-(self.kept + new) // BLOCK) * BLOCK
            keys, values = (torch.empty(B, G, room, D, dtype=like.dtype, device=like.device)
                            for _ in range(2))  # fmt: skip
            if self._keys is not None and self._values is not None:
                keys[:, :, : self.kept] = self._keys[:, :, : self.kept]
                values[:, :, : self.kept] = self._values[:, :, : self.kept]
            self._keys, self._values = keys, values
        return self._keys, self._values

    def take(self, sequences: Tensor) -> None:
        """Selects sequences, (B,) int64: each may be taken more than once."""
        if self._keys is not None and self._values is not None:
            self._keys = self._keys[sequences.to(self._keys.device)]
            self._values = self._values[sequences.to(self._values.device)]
        if self.source is not None:
            k, v = self.source
            self.source = k[sequences.to(k.device)], v[sequences.to(v.device)]

    def can_cut(self, last: int, before: int) -> bool:
        """True if the next query still finds all it can see, once the last `last` tokens are
        discarded and `before` are left.
        """
        needed = before if self.window is None else min(before, self.window - 1)
        return self.kept - last >= needed

    @property
    def use(self) -> LayerUse:
        """The present use of the cache."""
        room = 0 if self._keys is None else self._keys.size(2)
        seen = self.kept if self.window is None else min(self.kept, self.window - 1)
        return LayerUse(self.kept, seen, room, self.bytes)

    @property
    def bytes(self) -> int:
        """Size in bytes, including spare room."""
        held = (self._keys, self._values, *(self.source or ()))
        return sum(one.nbytes for one in held if one is not None)


class KeyValueCache:
    """A model's memory of the text so far: an argument of `GPT.forward`, or
    `EncoderDecoder.decode`, together with the next tokens.

    length  number of tokens read; the position of the next one
    layers  one cache per layer
    """

    def __init__(self, config: ModelConfig) -> None:
        self.length = 0
        self.layers = [LayerCache(config.window_of(layer)) for layer in range(config.n_layer)]

    def cut(self, length: int) -> bool:
        """Discards all but the first `length` tokens. Returns False, and discards nothing, if a
        layer with a window has lost tokens that the next query sees. Raises ValueError if there are
        fewer tokens.
        """
        if not 0 <= length <= self.length:
            raise ValueError(f"the cache holds {self.length} tokens, and cannot be cut to {length}")
        last = self.length - length
        if not all(layer.can_cut(last, length) for layer in self.layers):
            return False
        for layer in self.layers:
            layer.kept -= last
        self.length = length
        return True

    def take(self, sequences: Sequence[int]) -> None:
        """Selects sequences: each may be taken more than once, or not at all."""
        wanted = torch.tensor(list(sequences))
        for layer in self.layers:
            layer.take(wanted)

    @property
    def bytes(self) -> int:
        """Size in bytes of all layers, including spare room."""
        return sum(layer.bytes for layer in self.layers)


def bytes_per_token(config: ModelConfig, item: int = 4) -> int:
    """Returns the growth of a cache in bytes per token: 2 L G D numbers of `item` bytes."""
    numbers = 2 * config.n_layer * config.kv_heads * config.head_width
    return numbers * item
