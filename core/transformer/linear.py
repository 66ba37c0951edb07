"""A model's linear layers: torch's own product for many tokens, a faster one for few tokens.

With many tokens, a weight that was loaded from memory is used many times; with one token, once.
So generation, token by token, takes as long as loading the weights, and torch's product of a
matrix with one vector in fp32 loads them at about half the speed of a CPU's memory.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LARGE = 1 << 17  # weights: with fewer, torch's own product is as fast
MANY = 512  # rows per token: likewise


class Linear(nn.Linear):
    """x W^T + b, with parameters as `nn.Linear` has them."""

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in) -> (..., out)."""
        if _are_few_tokens(x, self.weight):
            product = of_few_tokens(x, self.weight)
            return product if self.bias is None else product + self.bias
        return F.linear(x, self.weight, self.bias)


def _are_few_tokens(x: Tensor, weight: Tensor) -> bool:
    """True if torch's own product would be slow: fp32 on a CPU, without gradients."""
    if torch.is_grad_enabled() or x.device.type != "cpu" or x.dtype is not torch.float32:
        return False
    tokens = x.numel() // x.size(-1)
    return weight.numel() >= LARGE and weight.size(0) >= MANY * tokens > 0


def of_few_tokens(x: Tensor, weight: Tensor) -> Tensor:
    """Computes x W^T, x (..., in) -> (..., out), as two batched products, for which torch has a
    fast kernel. Strides matter: with tokens in rows, or copied into columns, it uses another one.
    """
    out = weight.size(0)
    half = (out + 1) // 2
    halves = weight.unfold(0, half, out - half).mT  # (2, half, in), with a row in common if odd
    columns = x.reshape(-1, x.size(-1)).mT.expand(2, -1, -1)  # (2, in, tokens)
    upper, lower = torch.bmm(halves, columns)  # (half, tokens) each
    product = torch.cat((upper, lower[2 * half - out :]))  # (out, tokens)
    return product.mT.contiguous().view(*x.shape[:-1], out)
