"""The other parts of a block: the norm, the MLP, and the block that puts them together.

Letters in shapes: B sequences, T tokens, C width of the residual stream.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.transformer.attention import Attention
from core.transformer.config import ModelConfig


class LayerNorm(nn.Module):
    """Each token's vector to mean 0 and variance 1, then scaled and shifted.

    Ba et al. 2016, section 3.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.eps = config.norm_eps
        self.weight = nn.Parameter(torch.ones(config.n_embd))
        self.bias = nn.Parameter(torch.zeros(config.n_embd)) if config.bias else None

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


class MLP(nn.Module):
    """Two linear layers with a bend between them, for each token alone.

    AIAYN section 3.3; GELU: GPT-1 section 4.1.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.activation = config.mlp
        self.c_fc = nn.Linear(config.n_embd, config.inner_width, bias=config.bias)
        self.c_proj = nn.Linear(config.inner_width, config.n_embd, bias=config.bias)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        hidden = self.c_fc(x)  # (B, T, n_inner)
        if self.activation == "relu":
            hidden = F.relu(hidden)
        else:
            approximate = "tanh" if self.activation == "gelu_tanh" else "none"
            hidden = F.gelu(hidden, approximate=approximate)
        return self.c_proj(hidden)


class Block(nn.Module):
    """One layer: attention reads from other tokens, the MLP thinks about each alone.

    Both add what they found to the residual stream.
    """

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.norm_first = config.norm_placement == "pre"
        self.ln_1 = LayerNorm(config)
        self.attn = Attention(config, config.window_of(layer))
        self.ln_2 = LayerNorm(config)
        self.mlp = MLP(config)
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C)."""
        if self.norm_first:  # GPT-2 section 2.3
            x = x + self.drop(self.attn(self.ln_1(x)))
            x = x + self.drop(self.mlp(self.ln_2(x)))
        else:  # AIAYN section 3.1, GPT-1
            x = self.ln_1(x + self.drop(self.attn(x)))
            x = self.ln_2(x + self.drop(self.mlp(x)))
        return x
