"""The matrices of a model: for many tokens as torch multiplies, for one token faster.

Among many tokens a weight that was read from memory is used many times; for one token, once. So a
text that is written token by token takes as long as reading the weights does, and torch's product
of a matrix with one vector in fp32 reads them at about half of what a CPU's memory gives.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LARGE = 1 << 17  # weights: with fewer torch's own product is as fast


class Linear(nn.Linear):
    """x W^T + b, with parameters as `nn.Linear` has them."""

    def forward(self, x: Tensor) -> Tensor:
        """x (..., in) -> (..., out)."""
        if _reads_slowly(x, self.weight):
            product = of_one_token(x, self.weight)
            return product if self.bias is None else product + self.bias
        return F.linear(x, self.weight, self.bias)


def _reads_slowly(x: Tensor, weight: Tensor) -> bool:
    """Whether torch would take long for it: one token in fp32 on a CPU, nothing to be learned."""
    is_one = x.numel() == x.size(-1) and weight.numel() >= LARGE and weight.size(0) > 1
    on_cpu = x.device.type == "cpu" and x.dtype is torch.float32
    return is_one and on_cpu and not torch.is_grad_enabled()


def of_one_token(x: Tensor, weight: Tensor) -> Tensor:
    """x W^T, x (..., in) -> (..., out): as a batch of two products, for which torch takes its fast
    kernel. Their strides matter: with x as a row, or copied into a column, it takes another one.
    """
    out = weight.size(0)
    half = (out + 1) // 2
    halves = weight.unfold(0, half, out - half).mT  # (2, half, in), with a row in common if odd
    column = x.reshape(1, -1).mT.expand(2, -1, -1)  # (2, in, 1)
    upper, lower = torch.bmm(halves, column)  # (half, 1) each
    product = torch.cat((upper, lower[2 * half - out :]))  # (out, 1)
    return product.view(*x.shape[:-1], out)
