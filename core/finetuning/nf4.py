"""NF4: a matrix in 4 bits a number, each rounded to the nearest of 16 levels.

Trained weights are roughly normally distributed. The levels are quantiles of a normal distribution,
so that each represents about as many weights; 0 is one of them. Every block of 64 weights is
divided by its largest magnitude, the absmax, and so fits between -1 and 1. The absmax is stored
with the codes, itself in 8 bits (double quantization): in groups of 256, its distance from the mean
of all is rounded to an 8-bit float. Together: 4 + 8/64 + 32/(64 x 256) = 4.127 bits a weight.

Letters in shapes: N blocks of 64 weights; M groups of 256 blocks.

Source: QLoRA (Dettmers et al. 2023), sections 2 and 3 and appendix E.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

BLOCK = 64  # weights that share an absmax
GROUP = 256  # absmaxes that share a unit
LEVELS = 16
# The outermost quantile, since that of 1 is infinite: as far from 1 as the mean of 1/32 and 1/30,
# half a share of 16 levels and of 15; to 7 digits, like the published levels.
OUTERMOST = 0.9677083
EIGHT_BITS = torch.float8_e4m3fn
LARGEST_EIGHT_BIT = 448.0  # largest number of that type


@functools.cache
def code_book() -> Tensor:
    """Returns (16,) the levels, from -1 to 1, in fp32.

    Seven quantiles of a normal distribution below 0, 0 itself, and eight above.
    """
    quantile = NormalDist().inv_cdf
    below = torch.linspace(OUTERMOST, 0.5, LEVELS // 2, device="cpu")[:-1]  # the last would be 0
    above = torch.linspace(OUTERMOST, 0.5, LEVELS // 2 + 1, device="cpu")[:-1]
    negative = [-quantile(share) for share in below.tolist()]
    positive = [quantile(share) for share in above.tolist()]
    levels = torch.tensor(sorted([*negative, 0.0, *positive]), device="cpu")
    return levels / levels.max()


@functools.cache
def borders() -> Tensor:
    """Returns (15,) midpoints between levels: numbers up to the first belong to level 0, etc."""
    levels = code_book()
    return (levels[1:] + levels[:-1]) / 2


@functools.cache
def _pairs(device: torch.device) -> Tensor:
    """Returns (256, 2): the two levels that each byte encodes."""
    byte = torch.arange(256, device="cpu")
    return code_book()[torch.stack([byte >> 4, byte & 15], 1)].to(device)


@functools.cache
def _eight_bit_floats(device: torch.device) -> Tensor:
    """Returns (256,): each byte decoded as an 8-bit float; not all devices support the type."""
    return torch.arange(256, dtype=torch.uint8, device="cpu").view(EIGHT_BITS).float().to(device)


class Blocks(NamedTuple):
    """The results of `quantize_blocks`, named as in its lines."""

    absmax: Tensor
    scaled: Tensor
    codes: Tensor


def quantize_blocks(blocks: Tensor) -> Blocks:
    """Finds each weight's nearest level: blocks (N, 64) -> absmax (N, 1), scaled, codes (N, 64).

    A block of zeros stays zero.
    """
    sizes = abs(blocks)  # without signs
    absmax = torch.amax(sizes, dim=1, keepdim=True)  # step: absmax
    divisor = absmax.masked_fill(absmax == 0, 1.0)
    scaled = blocks / divisor  # (N, 64), -1 to 1  # step: normalize
    between = borders().to(scaled.device)
    codes = torch.bucketize(scaled, between, out_int32=True)  # step: nearest
    return Blocks(absmax, scaled, codes)


class Groups(NamedTuple):
    """The results of `quantize_absmax`, named as in its lines."""

    distance: Tensor
    largest: Tensor
    unit: Tensor
    shrunk: Tensor
    rounded: Tensor


def quantize_absmax(absmax: Tensor, mean: Tensor) -> Groups:
    """Quantizes a second time: absmax (M, 256), mean () of all -> unit (M, 1), rounded (M, 256)."""
    distance = absmax - mean  # (M, 256)  # step: distance
    sizes = abs(distance)
    largest = torch.amax(sizes, dim=1, keepdim=True)  # step: largest
    most = LARGEST_EIGHT_BIT
    unit = largest / most  # (M, 1)  # step: unit
    divisor = unit.masked_fill(unit == 0, 1.0)  # 1 if all distances are 0
    shrunk = distance / divisor  # (M, 256), -448 to 448  # step: shrink
    rounded = shrunk.to(EIGHT_BITS).float()  # step: round
    return Groups(distance, largest, unit, shrunk, rounded)


def restore_absmax(rounded: Tensor, unit: Tensor, mean: Tensor) -> Tensor:
    """Restores the absmax of each block: rounded (M, 256), unit (M, 1), mean () -> (M, 256)."""
    absmax = mean + unit * rounded  # (M, 256)  # step: restore_absmax
    return absmax


def restore_blocks(levels: Tensor, absmax: Tensor) -> Tensor:
    """Restores the weights: levels (N, 64) and absmax (N, 1) -> (N, 64)."""
    weights = levels * absmax  # (N, 64)  # step: restore
    return weights


def rounding_errors(blocks: Tensor, weights: Tensor) -> Tensor:
    """Returns the rounding error of each weight: blocks, restored weights (N, 64) -> (N, 64)."""
    errors = weights - blocks  # (N, 64)  # step: errors
    return errors


@dataclass(frozen=True, slots=True, eq=False)
class NF4:
    """A matrix in 4 bits a number.

    shape   of the matrix
    packed  (32 N,) bytes, two codes each, the first in the upper half
    absmax  (N,) bytes, 8-bit floats
    unit    (M, 1) their factor
    mean    ()     their offset
    """

    shape: tuple[int, ...]
    packed: Tensor
    absmax: Tensor
    unit: Tensor
    mean: Tensor

    @property
    def nbytes(self) -> int:
        """Total bytes of the matrix."""
        return sum(one.nbytes for one in (self.packed, self.absmax, self.unit, self.mean))


def nf4_bytes(numel: int) -> int:
    """Returns the bytes of a matrix of `numel` numbers in NF4."""
    blocks = -(-numel // BLOCK)
    groups = -(-blocks // GROUP)
    return blocks * BLOCK // 2 + blocks + 4 * groups + 4


@torch.no_grad()
def quantize(weight: Tensor) -> NF4:
    """Returns the matrix in NF4.

    Raises ValueError if a number is NaN or infinite: it would spoil its whole block.
    """
    blocks = to_blocks(weight.detach().float())
    if not blocks.isfinite().all():
        raise ValueError(
            "a matrix with NaN or infinity cannot be quantized; take an earlier checkpoint"
        )
    absmax, _, codes = quantize_blocks(blocks)
    packed = codes[:, 0::2] << 4 | codes[:, 1::2]  # (N, 32)
    mean, groups = group_absmax(absmax)
    made = quantize_absmax(groups.cpu(), mean.cpu())
    rounded = made.rounded.to(EIGHT_BITS).view(torch.uint8).flatten()[: len(absmax)]
    return NF4(
        shape=tuple(weight.shape),
        packed=packed.to(torch.uint8).flatten(),
        absmax=rounded.to(weight.device),
        unit=made.unit.to(weight.device),
        mean=mean,
    )


def to_blocks(weight: Tensor) -> Tensor:
    """Splits a matrix, row by row, into blocks of 64, the last padded with zeros: (N, 64)."""
    flat = weight.flatten()
    return F.pad(flat, (0, -len(flat) % BLOCK)).view(-1, BLOCK)


def group_absmax(absmax: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the mean () of absmax (N, 1), and it in groups (M, 256), padded with the mean."""
    mean = absmax.mean()
    flat = absmax.flatten()
    filling = mean.expand(-len(flat) % GROUP)
    return mean, torch.cat([flat, filling]).view(-1, GROUP)


@torch.no_grad()
def dequantize(matrix: NF4) -> Tensor:
    """Returns the matrix that the codes represent, in fp32."""
    device = matrix.packed.device
    levels = F.embedding(matrix.packed.int(), _pairs(device)).view(-1, BLOCK)  # (N, 64)
    rounded = F.embedding(matrix.absmax.int(), _eight_bit_floats(device)[:, None]).flatten()
    groups = F.pad(rounded, (0, -len(rounded) % GROUP)).view(-1, GROUP)  # (M, 256)
    absmax = restore_absmax(groups, matrix.unit, matrix.mean).view(-1, 1)[: len(rounded)]
    weights = restore_blocks(levels, absmax)
    return weights.flatten()[: math.prod(matrix.shape)].view(matrix.shape)
