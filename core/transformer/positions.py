"""How a token knows where it stands: rotary positions, which turn queries and keys.

Learned positions are a table that `GPT` adds to the embedding; they need no code of their own.

Letters in shapes: T tokens, D dimensions a head. Source: RoFormer (Su et al. 2021), section 3.2.2;
which two dimensions make a pair is as in LLaMA's weights on Hugging Face: i and i + D / 2.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Rotation(NamedTuple):
    """Cosine and sine of the angle of each token and each pair of dimensions, (T, D / 2) each."""

    cos: Tensor
    sin: Tensor


def rotation_of(
    n_tokens: int,
    head_size: int,
    base: float,
    device: torch.device | None = None,
    dtype: torch.dtype = torch.float32,
) -> Rotation:
    """The angles of tokens 0 to T - 1: pair i turns by t / base^(2 i / D) radians at token t.

    The first pair turns by one radian a token and tells neighbors apart; the last hardly turns
    within a whole text.
    """
    pairs = torch.arange(0, head_size, 2, device=device).to(dtype)  # (D / 2): 0, 2, 4, ...
    frequency = 1.0 / base ** (pairs / head_size)  # (D / 2), radians a token
    position = torch.arange(n_tokens, device=device).to(dtype)  # (T)
    angle = position[:, None] * frequency[None, :]  # (T, D / 2)
    return Rotation(angle.cos(), angle.sin())


def rotate(x: Tensor, by: Rotation) -> Tensor:
    """Each pair of dimensions turned by its token's angle: x (..., T, D) -> the same.

    A query's product with a key then depends on how far apart they stand, not on where: turning
    both by the same angle changes nothing.
    """
    first, second = x.chunk(2, dim=-1)  # (..., T, D / 2) each
    turned_first = first * by.cos - second * by.sin
    turned_second = second * by.cos + first * by.sin
    return torch.cat((turned_first, turned_second), dim=-1).type_as(x)  # (..., T, D)
