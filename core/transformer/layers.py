"""The other parts of a block: the MLP, and the block that puts all together.

Letters in shapes: B sequences, T tokens, C width of the residual stream.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from core.transformer.attention import Attention
from core.transformer.cache import LayerCache
from core.transformer.config import ModelConfig
from core.transformer.cross_attention import CrossAttention, Memory
from core.transformer.look import Look, layer_sites
from core.transformer.norms import norm_of
from core.transformer.positions import Rotation


class MLP(nn.Module):
    """Two linear layers with a bend between them, for each token alone.

    AIAYN section 3.3; GELU: GPT-1 section 4.1. "swiglu" has a third, `c_gate`, which says how much
    of each hidden number passes (Shazeer 2020, equation 6).
    """

    def __init__(self, config: ModelConfig, layer: int, stack: str = "decoder") -> None:
        super().__init__()
        self.activation = config.mlp
        self.sites = layer_sites(stack, layer)
        self.c_fc = nn.Linear(config.n_embd, config.inner_width, bias=config.bias)
        if config.mlp == "swiglu":
            self.c_gate = nn.Linear(config.n_embd, config.inner_width, bias=config.bias)
        self.c_proj = nn.Linear(config.inner_width, config.n_embd, bias=config.bias)

    def forward(self, x: Tensor, look: Look | None = None) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        hidden = self.c_fc(x)  # (B, T, n_inner)
        if self.activation == "swiglu":
            hidden = F.silu(self.c_gate(x)) * hidden
        elif self.activation == "relu":
            hidden = F.relu(hidden)
        else:
            approximate = "tanh" if self.activation == "gelu_tanh" else "none"
            hidden = F.gelu(hidden, approximate=approximate)
        if look is None:
            return self.c_proj(hidden)
        hidden = look.at(self.sites["mlp_hidden"], hidden)
        return look.at(self.sites["mlp_output"], self.c_proj(hidden))


class Block(nn.Module):
    """One layer: attention reads from other tokens, the MLP thinks about each alone.

    Both add what they found to the residual stream. The decoder of an encoder-decoder has a third
    part between them, cross-attention, which reads the source (AIAYN section 3.1).
    """

    def __init__(
        self, config: ModelConfig, layer: int, stack: str = "decoder", reads_source: bool = False
    ) -> None:
        super().__init__()
        self.norm_first = config.norm_placement == "pre"
        self.sites = layer_sites(stack, layer)
        self.ln_1 = norm_of(config)
        self.attn = Attention(config, layer, stack)
        if reads_source:
            self.ln_cross = norm_of(config)
            self.cross = CrossAttention(config, layer)
        self.ln_2 = norm_of(config)
        self.mlp = MLP(config, layer, stack)
        self.drop = nn.Dropout(config.dropout)

    def forward(
        self,
        x: Tensor,
        rotation: Rotation | None = None,
        look: Look | None = None,
        cache: LayerCache | None = None,
        readable: Tensor | None = None,
        memory: Memory | None = None,
    ) -> Tensor:
        """x (B, T, C) -> (B, T, C). An encoder's block is told which tokens are `readable`, and no
        padding; a block that reads a source, what the encoder made of it.
        """
        if look is not None:
            x = look.at(self.sites["residual_in"], x)
        if self.norm_first:  # GPT-2 section 2.3
            x = x + self.drop(self.attn(self.ln_1(x), rotation, look, cache, readable))
        else:  # AIAYN section 3.1, GPT-1
            x = self.ln_1(x + self.drop(self.attn(x, rotation, look, cache, readable)))
        if memory is not None and self.norm_first:
            x = x + self.drop(self.cross(self.ln_cross(x), memory, look, cache))
        elif memory is not None:
            x = self.ln_cross(x + self.drop(self.cross(x, memory, look, cache)))
        if look is not None:
            x = look.at(self.sites["residual_mid"], x)
        if self.norm_first:
            x = x + self.drop(self.mlp(self.ln_2(x), look))
        else:
            x = self.ln_2(x + self.drop(self.mlp(x, look)))
        if look is not None:
            x = look.at(self.sites["residual_out"], x)
        return x
