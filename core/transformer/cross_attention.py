"""Cross-attention: how a token of the target reads the source.

Letters in shapes: B pairs, Ts tokens of the source, Tt of the target, C width of the residual
stream, H heads, G key and value heads, D dimensions a head. Source: AIAYN section 3.2.3.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from core.transformer.attention import Heads
from core.transformer.cache import LayerCache
from core.transformer.config import ModelConfig
from core.transformer.linear import Linear
from core.transformer.look import Look, cross_sites


class Memory(NamedTuple):
    """The encoder's output for a source, which every block of the decoder reads.

    vectors   (B, Ts, C): the output
    is_token  (B, 1, 1, Ts): False for padding
    """

    vectors: Tensor
    is_token: Tensor


class CrossAttention(Heads):
    """Queries from the target, keys and values from the memory; all of the source is visible.

    They are never rotated, even with rotary positions: there is no distance between a position in
    the target and one in the source.
    """

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__(config, cross_sites(layer))
        self.causal, self.window = False, None
        width = config.n_head * config.head_width
        read = 2 * config.kv_heads * config.head_width
        self.c_q = Linear(config.n_embd, width, bias=config.has_qkv_bias)
        self.c_kv = Linear(config.n_embd, read, bias=config.has_qkv_bias)
        self.c_proj = Linear(width, config.n_embd, bias=config.has_o_bias)

    def queries(self, x: Tensor) -> Tensor:
        """Computes the query of each target token: x (B, Tt, C) -> (B, H, Tt, D)."""
        q = self.c_q(x).unflatten(-1, (self.n_head, self.head_width))  # (B, Tt, H, D)
        return q.transpose(1, 2)

    def keys_and_values(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Computes the key and value of each source token: (B, Ts, C) -> two (B, G, Ts, D)."""
        G = self.n_kv_head
        heads = self.c_kv(vectors).unflatten(-1, (2 * G, self.head_width))  # (B, Ts, 2 G, D)
        k, v = heads.transpose(1, 2).split((G, G), dim=1)
        return k, v

    def forward(
        self,
        x: Tensor,
        memory: Memory,
        look: Look | None = None,
        cache: LayerCache | None = None,
    ) -> Tensor:
        """Lets target tokens read the source: x (B, Tt, C) -> (B, Tt, C).

        A cache stores the source's keys and values, which are the same for every target token.
        """
        q = self.queries(x)  # step: queries
        if cache is not None and cache.source is not None:
            k, v = cache.source
        else:
            vectors = memory.vectors
            k, v = self.keys_and_values(vectors)  # step: keys_and_values
            if cache is not None:
                cache.source = k, v
        if look is not None:
            q = look.at(self.sites["queries"], q)
            k = look.at(self.sites["keys"], k)
            v = look.at(self.sites["values"], v)
        return self.attend_heads(q, k, v, look, memory.is_token)
