"""What a change of a matrix is made of: its directions, and how much of it lies along each.

Any matrix is a sum of directions (singular value decomposition, SVD): it reads along one of the
right ones, multiplies by a singular value and writes along the left one of the same number. The
product of LoRA's B and A has r of them at most, and they are found without writing it out: with
B = Q_B R_B and A^T = Q_A R_A it is Q_B (s R_B R_A^T) Q_A^T, and the SVD of the r x r matrix in the
middle gives all of them, exactly.

Letters in shapes: in, out: width of what a matrix reads and makes; r: rank, K: how many directions.

Sources: thin QR and SVD of a product: Golub and Van Loan 2013, "Matrix Computations", sections 5.2
and 8.6; the strongest directions alone: Halko, Martinsson and Tropp 2011, "Finding structure with
randomness", algorithm 4.4; effective rank: Roy and Vetterli 2007, "The effective rank: a measure of
effective dimensionality"; overlap: LoRA (Hu et al. 2021), section 7.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

NEARLY_ALL = 0.99  # the share of a change that counts as nearly all of it
# Of `strongest_directions`: how many more than are wanted, and how often W is multiplied.
SPARE, ROUNDS = 8, 12


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The directions of a matrix, the strongest first.

    left    (out, K)  where each writes; the columns are of length 1 and orthogonal
    values  (K,)      how strongly: the singular values, >= 0
    right   (in, K)   what each reads
    """

    left: np.ndarray
    values: np.ndarray
    right: np.ndarray

    @property
    def norm(self) -> float:
        """|dW|, the root of the sum of its squared numbers (Frobenius)."""
        return float(np.sqrt((self.values**2).sum()))

    @property
    def shares(self) -> np.ndarray:
        """(K,): how much of the squared norm lies along each; of a change of 0, none does."""
        return energy_shares(self.values) if self.values.any() else np.zeros_like(self.values)

    def directions_for(self, share: float = NEARLY_ALL) -> int:
        """How many directions together hold that share of the squared norm: 0 to K."""
        if not self.values.any():
            return 0
        held = np.cumsum(self.shares)
        return min(int(np.searchsorted(held, share)) + 1, len(held))

    @property
    def effective_rank(self) -> float:
        """0 of a change of 0; else 1, all along one direction, to K, equally along all of them."""
        there = self.values[self.values > 0]
        return float(entropy_rank(there)) if there.size else 0.0


@torch.no_grad()
def low_rank_spectrum(A: Tensor, B: Tensor, s: float = 1.0) -> Spectrum:
    """The spectrum of s B A, with A (r, in) and B (out, r), in float64: exact, and for a matrix
    4096 wide more than a thousand times faster than the SVD of the product.

    Raises ValueError where a number is NaN or infinite: then nothing has directions.
    """
    made = decompose_product(A.detach().double(), B.detach().double(), s)
    return Spectrum(*(one.cpu().numpy() for one in (made.left, made.values, made.right)))


class Decomposition(NamedTuple):
    """All that `decompose_product` makes on its way, under the names that it has there."""

    Q_B: Tensor
    R_B: Tensor
    Q_A: Tensor
    R_A: Tensor
    middle: Tensor
    U: Tensor
    values: Tensor
    Vh: Tensor
    left: Tensor
    right: Tensor


def decompose_product(A: Tensor, B: Tensor, s: float) -> Decomposition:
    """The SVD of s B A, line by line: A (r, in), B (out, r). Raises ValueError for NaN."""
    _check_finite(A, B)
    Q_B, R_B = torch.linalg.qr(B)  # (out, r), (r, r)  # step: qr_b
    Q_A, R_A = torch.linalg.qr(A.mT)  # (in, r), (r, r)  # step: qr_a
    middle = s * (R_B @ R_A.mT)  # (r, r)  # step: middle
    U, values, Vh = torch.linalg.svd(middle, full_matrices=False)  # step: svd
    left = Q_B @ U  # (out, r)  # step: left
    right = Q_A @ Vh.mT  # (in, r)  # step: right
    return Decomposition(Q_B, R_B, Q_A, R_A, middle, U, values, Vh, left, right)


@torch.no_grad()
def dense_spectrum(matrix: Tensor) -> Spectrum:
    """The spectrum of any matrix (out, in), such as W, or what full fine-tuning changed: the SVD
    itself, which takes seconds for a wide matrix.

    Raises ValueError as `low_rank_spectrum`.
    """
    _check_finite(matrix)
    wide = matrix.detach().to(torch.promote_types(matrix.dtype, torch.float32))
    left, values, right = torch.linalg.svd(wide, full_matrices=False)
    return Spectrum(left.cpu().numpy(), values.cpu().numpy(), right.mT.cpu().numpy())


@torch.no_grad()
def strongest_directions(matrix: Tensor, count: int) -> Tensor:
    """(in, count): what W (out, in) reads most strongly, the strongest first, without an SVD of all
    of it, which takes minutes for a wide matrix.

    Random directions turn towards the strongest ones whenever W is multiplied by them, in this
    order and back (subspace iteration). A few more than are wanted make them exact enough.
    """
    _check_finite(matrix)
    wide = matrix.detach().to(torch.promote_types(matrix.dtype, torch.float32))
    generator = torch.Generator().manual_seed(0)
    found = torch.randn(wide.size(1), min(count + SPARE, *wide.shape), generator=generator)
    found = found.to(wide)
    for _ in range(ROUNDS):
        found, _ = torch.linalg.qr(wide.mT @ (wide @ found))  # (in, count + SPARE)
    _, _, Vh = torch.linalg.svd(wide @ found, full_matrices=False)
    return (found @ Vh.mT)[:, :count]


def _check_finite(*matrices: Tensor) -> None:
    if not all(matrix.isfinite().all() for matrix in matrices):
        raise ValueError(
            "a matrix with NaN or infinity has no directions; take an earlier checkpoint"
        )


def energy_shares(values: np.ndarray) -> np.ndarray:
    """How much of the squared norm lies along each direction: values (K,) -> (K,), in sum 1."""
    squares = values * values
    shares = squares / squares.sum()  # step: shares
    return shares


def entropy_rank(values: np.ndarray) -> np.ndarray:
    """Roy and Vetterli's effective rank: e to the entropy of the values, all above 0."""
    p = values / values.sum()  # (K,)  # step: proportions
    entropy = 0 - (p * np.log(p)).sum()  # step: entropy
    rank = np.exp(entropy)  # step: rank
    return rank


def product_norm(A: Tensor, B: Tensor, s: float) -> float:
    """|s B A| (Frobenius), from two r x r matrices: the SVD is not needed for it."""
    A, B = A.detach().double(), B.detach().double()
    of_A, of_B = A @ A.mT, B.mT @ B  # (r, r)
    square = (of_A * of_B).sum().clamp_min(0)  # rounding may leave it below 0
    return float(s * square.sqrt())


def cosines(left: np.ndarray, base: np.ndarray) -> np.ndarray:
    """The cosine of each direction with each of another matrix: (n, K) and (n, L) -> (K, L).

    Near 0 everywhere, a change reads, or writes, what the matrix itself hardly uses. The sign means
    nothing: a direction and its opposite are the same.
    """
    return left.T @ base  # (K, L)


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How much the top i directions of one adapter share with the top j of another: (n, K) and
    (n, L) -> (K, L), 0 nothing, 1 the smaller subspace lies in the larger one. phi(A, B, i, j) in
    LoRA's section 7.2.
    """
    squares = cosines(first, second) ** 2
    together = squares.cumsum(0).cumsum(1)  # (K, L): of the top i and j, both from 1
    i, j = np.indices(together.shape) + 1
    smaller = np.minimum(i, j)
    return together / smaller  # (K, L)


def chance_overlap(first: int, second: int, width: int) -> float:
    """The mean `overlap` of so many random directions with so many others, in a space of that
    width: of a random one, that share of its squared length lies in the larger subspace.
    """
    return max(first, second) / width
