"""Token positions: sinusoids, and rotary positions, which rotate queries and keys.

Learned positions are a table that `GPT` adds to the embedding; they need no code of their own.

Letters in shapes: T tokens, C width of the residual stream, D dimensions a head. Sources: Attention
Is All You Need (Vaswani et al. 2017), section 3.5; RoFormer (Su et al. 2021), section 3.2.2, with
pairs of dimensions as in LLaMA's weights on Hugging Face: i and i + D / 2.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from core.transformer.config import RopeScaling


def sinusoids(n_tokens: int, width: int, device: torch.device | None = None) -> Tensor:
    """Returns (T, C) fp32: the vectors to add at each position. Sines and cosines alternate, so
    that one step further is the same rotation everywhere; wavelengths are 2 pi to 10,000 * 2 pi.
    """
    pair = torch.arange(0, width, 2, device=device).float()  # (C / 2): 0, 2, 4, ...
    frequency = 1.0 / 10_000.0 ** (pair / width)  # radians a token
    position = torch.arange(n_tokens, device=device).float()
    angle = position[:, None] * frequency[None, :]  # (T, C / 2)
    table = torch.stack((angle.sin(), angle.cos()), dim=-1)  # (T, C / 2, 2)
    return table.flatten(1)[:, :width]  # (T, C)


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
    scaling: RopeScaling | None = None,
    first: int = 0,
) -> Rotation:
    """Returns angles of tokens `first` to T - 1: t / base^(2 i / D) radians for pair i at token t.

    The first pair rotates by one radian a token and distinguishes neighbors; the last hardly
    rotates within a whole text.
    """
    pairs = torch.arange(0, head_size, 2, device=device).to(dtype)  # (D / 2): 0, 2, 4, ...
    frequency = 1.0 / base ** (pairs / head_size)  # (D / 2), radians a token
    if scaling is not None:
        frequency = stretched(frequency, scaling)
    position = torch.arange(first, n_tokens, device=device).to(dtype)  # (T)
    angle = position[:, None] * frequency[None, :]  # (T, D / 2)
    return Rotation(angle.cos(), angle.sin())


def stretched(frequency: Tensor, scaling: RopeScaling) -> Tensor:
    """Returns frequencies (D / 2), radians a token, for a context `factor` times as long as before.

    Pairs that rotate often distinguish neighbors and are unchanged; those that hardly rotated
    within the old context are slowed down, so that the new one has no angle that the model has
    never seen (Llama 3.1: Grattafiori et al. 2024, section 3.4.2).
    """
    turns = frequency * scaling.original_block_size / (2 * math.pi)  # in the old context
    span = scaling.high_freq_factor - scaling.low_freq_factor
    kept = ((turns - scaling.low_freq_factor) / span).clamp(0, 1)  # 0: slowed down, 1: unchanged
    return kept * frequency + (1 - kept) * frequency / scaling.factor


def rotate(x: Tensor, by: Rotation) -> Tensor:
    """Rotates each pair of dimensions by its token's angle: x (..., T, D) -> the same shape.

    The product of a query and a key then depends on the distance between their tokens alone:
    rotating both by the same angle changes nothing.
    """
    first, second = x.chunk(2, dim=-1)  # (..., T, D / 2) each
    cos, sin = by
    turned_first = first * cos - second * sin  # step: rotate
    turned_second = second * cos + first * sin
    return torch.cat((turned_first, turned_second), dim=-1).type_as(x)  # (..., T, D)
