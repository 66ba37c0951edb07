"""Full precision where 16 bits are not enough: norms, softmax and loss, which add up many numbers.

Mixed precision computes matrix products in bf16 or fp16. The operations between them are computed
in fp32 here, in any context: under autocast, a CPU would compute norms and softmax with 16 bits.
Fused attention uses fp32 for its softmax anyway.
"""

from __future__ import annotations

import torch
from torch import Tensor


def full_precision(x: Tensor) -> Tensor:
    """Returns x in fp32 if it has fewer bits, otherwise x itself, also in fp64."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
