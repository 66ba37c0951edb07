"""A linear layer whose matrix is stored in 4 bits a number, and never learns.

The full matrix is computed for each product and then discarded. Backward also needs it, for the
layers before it, and computes it a second time: in between only the codes are stored, so that at
any time only one matrix of the model exists in full. A LoRA update or the bias can learn.

Source: QLoRA (Dettmers et al. 2023), section 3, equation (5).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from core.finetuning.nf4 import NF4, dequantize, quantize
from core.finetuning.numerical_safety import without_rounding


class QuantizedLinear(nn.Module):
    """x W^T + b with W (out, in) in NF4; b is that of the original layer, and may learn."""

    packed: Tensor
    absmax: Tensor
    unit: Tensor
    mean: Tensor
    bias: nn.Parameter | None

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        self.out_features, self.in_features = linear.weight.shape
        matrix = quantize(linear.weight)
        self.register_buffer("packed", matrix.packed)
        self.register_buffer("absmax", matrix.absmax)
        self.register_buffer("unit", matrix.unit)
        self.register_buffer("mean", matrix.mean)
        self.register_parameter("bias", linear.bias)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> QuantizedLinear:
        """Moves all its tensors; `model.half()` rounds only the bias, since the codes are valid
        only with their exact units.
        """
        codes, exact = (self.unit, self.mean), without_rounding(fn)

        def change(tensor: Tensor) -> Tensor:
            return (exact if any(tensor is one for one in codes) else fn)(tensor)

        super()._apply(change, recurse)
        return self

    @property
    def matrix(self) -> NF4:
        """W in NF4."""
        shape = (self.out_features, self.in_features)
        return NF4(shape, self.packed, self.absmax, self.unit, self.mean)

    @property
    def weight(self) -> Tensor:
        """W (out, in) in fp32, computed on each access: changing it has no effect."""
        return dequantize(self.matrix)

    def forward(self, x: Tensor) -> Tensor:
        """Returns x W^T + b: x (..., in) -> (..., out), in x's dtype or that of mixed precision."""
        kind = x.device.type
        if torch.is_autocast_enabled(kind):
            x = x.to(torch.get_autocast_dtype(kind))
        product = _Product.apply(x, self.matrix)
        return product if self.bias is None else product + self.bias.to(product.dtype)


class _Product(torch.autograd.Function):
    """x W^T of a matrix in NF4."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, matrix: NF4) -> Tensor:
        ctx.matrix = matrix
        return F.linear(x, dequantize(matrix).to(x.dtype))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient @ dequantize(ctx.matrix).to(gradient.dtype), None
