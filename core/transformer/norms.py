"""Norms: the same size for every token's vector, which keeps the values in a deep stack bounded.

Letters in shapes: B sequences, T tokens, C width of the residual stream.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from core.transformer.config import ModelConfig
from core.transformer.precision import full_precision


class LayerNorm(nn.Module):
    """Normalizes each token's vector to mean 0 and variance 1, then scales and shifts it.

    Ba et al. 2016, section 3.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.eps = config.norm_eps
        self.weight = nn.Parameter(torch.ones(config.n_embd))
        self.bias = nn.Parameter(torch.zeros(config.n_embd)) if config.bias else None

    def forward(self, x: Tensor) -> Tensor:
        """x (B, T, C) -> (B, T, C), computed in fp32 at least."""
        weight = full_precision(self.weight)
        bias = None if self.bias is None else full_precision(self.bias)
        normed = F.layer_norm(full_precision(x), weight.shape, weight, bias, self.eps)
        return normed.to(x.dtype)


class RMSNorm(nn.Module):
    """Normalizes each token's vector to a mean square of 1, then scales it; no mean, no bias.

    Zhang & Sennrich 2019, equation 4.
    """

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """x (..., width) -> the same, computed in fp32 at least."""
        weight = full_precision(self.weight)
        normed = F.rms_norm(full_precision(x), weight.shape, weight, self.eps)
        return normed.to(x.dtype)


def norm_of(config: ModelConfig) -> LayerNorm | RMSNorm:
    """Returns the norm that the config names."""
    if config.norm == "rms_norm":
        return RMSNorm(config.n_embd, config.norm_eps)
    return LayerNorm(config)
