"""The matrices of a model, multiplied by many tokens as torch does it, by few tokens faster.

Among many tokens a weight that was read from memory is used many times; for one token, once. So a
text that is written token by token takes as long as reading the weights does, and torch's product
of a matrix with one vector in fp32 reads them at about half of what a CPU's memory gives.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LARGE = 1 << 17  # weights: with fewer torch's own product is as fast
MANY = 512  # rows for each token: with fewer, too


class Linear(nn.Linear):
    """x W^T + b, with parameters as `nn.Linear` has them."""

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in) -> (..., out)."""
        if _are_few_tokens(x, self.weight):
            product = of_few_tokens(x, self.weight)
            return product if self.bias is None else product + self.bias
        return F.linear(x, self.weight, self.bias)


def _are_few_tokens(x: Tensor, weight: Tensor) -> bool:
    """Whether torch would take long for it: in fp32 on a CPU, while nothing is learned."""
    if torch.is_grad_enabled() or x.device.type != "cpu" or x.dtype is not torch.float32:
        return False
    tokens = x.numel() // x.size(-1)
    return weight.numel() >= LARGE and weight.size(0) >= MANY * tokens > 0


def of_few_tokens(x: Tensor, weight: Tensor) -> Tensor:
    """x W^T, x (..., in) -> (..., out): as a batch of two products, for which torch takes its fast
    kernel. Their strides matter: with tokens in rows, or copied into columns, it takes another one.
    """
    out = weight.size(0)
    half = (out + 1) // 2
    halves = weight.unfold(0, half, out - half).mT  # (2, half, in), with a row in common if odd
    columns = x.reshape(-1, x.size(-1)).mT.expand(2, -1, -1)  # (2, in, tokens)
    upper, lower = torch.bmm(halves, columns)  # (half, tokens) each
    product = torch.cat((upper, lower[2 * half - out :]))  # (out, tokens)
    return product.mT.contiguous().view(*x.shape[:-1], out)
