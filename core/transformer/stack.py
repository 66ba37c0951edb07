"""A stack of blocks: it takes tokens, and returns for each a vector that depends on the others.

GPT is one with an output head on top; the encoder and the decoder of 2017 are one each.

Letters in shapes: B sequences, T tokens, C width of the residual stream.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from core.transformer.cache import KeyValueCache
from core.transformer.config import ModelConfig
from core.transformer.cross_attention import Memory
from core.transformer.layers import Block
from core.transformer.look import Look, Site
from core.transformer.norms import norm_of
from core.transformer.positions import Rotation, rotation_of, sinusoids


def table(rows: int, width: int) -> nn.Embedding:
    """Returns an embedding without numbers: `initialize` draws them, or a file contains them."""
    return nn.Embedding.from_pretrained(torch.empty(rows, width), freeze=False)


class Stack(nn.Module):
    """Embedding and blocks of `config`, without numbers.

    stack         "decoder", where no token sees a later one, or "encoder"
    reads_source  whether its blocks have cross-attention
    """

    def __init__(
        self, config: ModelConfig, stack: str = "decoder", reads_source: bool = False
    ) -> None:
        super().__init__()
        self.config = config
        self.embedding = Site(stack, None, "embedding")
        self.checkpoints_activations = False  # during training
        self.wte = table(config.vocab_size, config.n_embd)
        if config.positions == "learned":
            self.wpe = table(config.block_size, config.n_embd)
        self.drop = nn.Dropout(config.dropout)
        layers = range(config.n_layer)
        self.h = nn.ModuleList(Block(config, layer, stack, reads_source) for layer in layers)
        # A post-norm block ends with a norm of its own; a pre-norm stack needs one at the end.
        self.ln_f = norm_of(config) if config.norm_placement == "pre" else nn.Identity()

    @property
    def blocks(self) -> list[Block]:
        """The blocks of `h`, in order, even if each is wrapped (checkpointed, compiled)."""
        return [cast(Block, block) for block in self.h]

    def run(
        self,
        ids: Tensor,
        look: Look | None = None,
        cache: KeyValueCache | None = None,
        is_token: Tensor | None = None,
        memory: Memory | None = None,
    ) -> Tensor:
        """Runs tokens through all blocks and the final norm: ids (B, T) int64 -> (B, T, C).

        With a cache, `ids` holds only the new tokens, which are added to the cache, and the result
        is for the last token only, (B, C). `Block` explains `is_token` and `memory`. Raises the
        errors of `embed`.
        """
        first = 0 if cache is None else cache.length
        x = self.embed(ids, first)  # step: embed
        if look is not None:
            x = look.at(self.embedding, x)
        rotation = self.rotation(x, first)
        caches = [None] * len(self.h) if cache is None else cache.layers
        for block, kept in zip(self.blocks, caches, strict=True):
            if self.checkpoints_activations and self.training:
                # Keep only the block's input; the backward pass recomputes the rest (Chen et al.
                # 2016, "Training Deep Nets with Sublinear Memory Cost", section 4).
                given = (x, rotation, look, None, is_token, memory)
                x = checkpoint(block, *given, use_reentrant=False)
            else:
                x = block(x, rotation, look, kept, is_token, memory)  # step: block
        if cache is not None:
            cache.length += ids.size(1)
            x = x[:, -1]  # (B, C): on (B, 1, C) the head takes 30 times as long in bf16
        normed = self.ln_f(x)  # step: norm
        return normed

    def embed(self, ids: Tensor, first: int = 0) -> Tensor:
        """Looks up the vector of each token and, unless positions are rotary, adds the vector of
        its position. `first` is the position of the first token.

        ids (B, T) -> (B, T, C). Raises ValueError when T is 0 or the last token does not fit into
        block_size.
        """
        if ids.size(1) == 0:
            raise ValueError("there are no tokens; give the model at least one")
        T = first + ids.size(1)
        if self.config.block_size < T:
            raise ValueError(
                f"{T} tokens do not fit: this model reads at most block_size = "
                f"{self.config.block_size}; keep the last {self.config.block_size}"
            )
        x = self.wte(ids)  # (B, T, C)  # step: token
        if self.config.embedding_scale:  # Vaswani et al. 2017, section 3.4
            root = math.sqrt(self.config.n_embd)
            scaled = x * root  # step: scale
            x = scaled
        if self.config.positions == "rope":
            return self.drop(x)
        position = self.position_rows(first, T, ids.device).to(x.dtype)  # (T, C)
        placed = x + position  # (B, T, C)  # step: position
        return self.drop(placed)

    def position_rows(self, first: int, last: int, device: torch.device) -> Tensor:
        """Returns position vectors `first` to `last` - 1, (T, C): learned ones, or sinusoids."""
        if self.config.positions == "learned":
            return self.wpe(torch.arange(first, last, device=device))
        return sinusoids(last, self.config.n_embd, device)[first:]

    def rotation(self, x: Tensor, first: int = 0) -> Rotation | None:
        """Returns the angles for queries and keys of x (B, T, C); None without rotary positions."""
        if self.config.positions != "rope":
            return None
        # Angles reach thousands of radians and need at least fp32, whatever the dtype of x.
        dtype = torch.promote_types(x.dtype, torch.float32)
        config, last = self.config, first + x.size(1)
        return rotation_of(
            last, config.head_width, config.rope_base, x.device, dtype, config.rope_scaling, first
        )
