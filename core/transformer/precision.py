"""Where 16 bits are not enough: norms, softmax and loss, which add up many numbers.

Mixed precision computes matrix products in bf16 or fp16. What stands between them is computed in
fp32 here, whatever the context is: under autocast a CPU would leave norms and softmax in 16 bits.
Fused attention does its softmax in fp32 by itself.
"""

from __future__ import annotations

import torch
from torch import Tensor


def full_precision(x: Tensor) -> Tensor:
    """x in fp32 where it has fewer bits; else x itself, fp64 too."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
