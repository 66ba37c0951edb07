"""The other parts of a block: the MLP, and the block that combines all parts.

Letters in shapes: B sequences, T tokens, C width of the residual stream.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from core.transformer.attention import Attention
from core.transformer.cache import LayerCache
from core.transformer.config import ModelConfig
from core.transformer.cross_attention import CrossAttention, Memory
from core.transformer.linear import Linear
from core.transformer.look import Look, layer_sites
from core.transformer.norms import norm_of
from core.transformer.positions import Rotation


class MLP(nn.Module):
    """A small network that processes each token by itself: two linear layers, and a nonlinear
    activation between them.

    AIAYN section 3.3; GELU: GPT-1 section 4.1. "swiglu" has a third layer, `c_gate`, which decides
    how much of each hidden number passes (Shazeer 2020, equation 6).
    """

    def __init__(self, config: ModelConfig, layer: int, stack: str = "decoder") -> None:
        super().__init__()
        self.activation = config.mlp
        self.sites = layer_sites(stack, layer)
        self.c_fc = Linear(config.n_embd, config.inner_width, bias=config.bias)
        if config.mlp == "swiglu":
            self.c_gate = Linear(config.n_embd, config.inner_width, bias=config.bias)
        self.c_proj = Linear(config.inner_width, config.n_embd, bias=config.bias)

    def forward(self, x: Tensor, look: Look | None = None) -> Tensor:
        """Processes each token by itself: x (B, T, C) -> (B, T, C)."""
        up = self.c_fc(x)  # (B, T, n_inner)  # step: c_fc
        if self.activation == "swiglu":
            gate = F.silu(self.c_gate(x))  # step: gate
            hidden = gate * up  # step: swiglu
        elif self.activation == "relu":
            hidden = F.relu(up)  # step: relu
        else:
            approximate = "tanh" if self.activation == "gelu_tanh" else "none"
            hidden = F.gelu(up, approximate=approximate)  # step: gelu
        if look is not None:
            hidden = look.at(self.sites["mlp_hidden"], hidden)
        output = self.c_proj(hidden)  # (B, T, C)  # step: c_proj
        return output if look is None else look.at(self.sites["mlp_output"], output)


class Block(nn.Module):
    """One layer: attention reads from other tokens, then the MLP processes each one by itself.

    Both add their output to the residual stream. The decoder of an encoder-decoder has a third
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
        is_token: Tensor | None = None,
        memory: Memory | None = None,
    ) -> Tensor:
        """Adds what attention and the MLP write to the residual stream: x (B, T, C) -> (B, T, C).

        `is_token` is False for padding, in an encoder; `memory` is the encoder's output, for a
        block that reads a source.
        """
        if look is not None:
            x = look.at(self.sites["residual_in"], x)
        others = (rotation, look, cache, is_token)
        if self.norm_first:  # GPT-2 section 2.3
            normed = self.ln_1(x)  # step: ln_1
            attention_output = self.drop(self.attn(normed, *others))  # step: attention
            residual_mid = x + attention_output  # step: add_attention
        else:  # Vaswani et al. 2017, section 3.1; GPT-1
            attention_output = self.drop(self.attn(x, *others))  # step: post.attention
            residual_sum = x + attention_output  # step: post.add_attention
            residual_mid = self.ln_1(residual_sum)  # step: post.ln_1
        if memory is not None:
            source = (memory, look, cache)
            if self.norm_first:
                normed = self.ln_cross(residual_mid)  # step: ln_cross
                cross_output = self.drop(self.cross(normed, *source))  # step: cross
                residual_cross = residual_mid + cross_output  # step: add_cross
                residual_mid = residual_cross
            else:
                cross_output = self.drop(self.cross(residual_mid, *source))  # step: post.cross
                residual_sum = residual_mid + cross_output  # step: post.add_cross
                residual_mid = self.ln_cross(residual_sum)  # step: post.ln_cross
        if look is not None:
            residual_mid = look.at(self.sites["residual_mid"], residual_mid)
        if self.norm_first:
            normed = self.ln_2(residual_mid)  # step: ln_2
            mlp_output = self.drop(self.mlp(normed, look))  # step: mlp
            residual_out = residual_mid + mlp_output  # step: add_mlp
        else:
            mlp_output = self.drop(self.mlp(residual_mid, look))  # step: post.mlp
            residual_sum = residual_mid + mlp_output  # step: post.add_mlp
            residual_out = self.ln_2(residual_sum)  # step: post.ln_2
        if look is not None:
            residual_out = look.at(self.sites["residual_out"], residual_out)
        return residual_out
