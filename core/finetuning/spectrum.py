"""The spectrum of a matrix's change: its directions, and how much of it lies along each.

Any matrix is a sum of directions (singular value decomposition, SVD): for each, it projects its
input onto a right singular vector, multiplies by a singular value and writes along the left
singular vector. The product of LoRA's B and A has at most r of them, and they are found without
computing the product: with B = Q_B R_B and A^T = Q_A R_A it is Q_B (s R_B R_A^T) Q_A^T, and the SVD
of the r x r matrix in the middle gives all of them, exactly.

Letters in shapes: in, out: input and output width of a matrix; r: rank, K: number of directions.

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

NEARLY_ALL = 0.99  # share of a change that counts as nearly all of it
# Of `strongest_directions`: additional directions, and the number of multiplications by W.
SPARE, ROUNDS = 8, 12


@dataclass(frozen=True, eq=False)
class Spectrum:
    """The directions of a matrix, the strongest first.

    left    (out, K)  output directions; the columns have length 1 and are orthogonal
    values  (K,)      their strengths: the singular values, >= 0
    right   (in, K)   input directions
    """

    left: np.ndarray
    values: np.ndarray
    right: np.ndarray

    @property
    def norm(self) -> float:
        """|dW|, the Frobenius norm: root of the sum of squares."""
        return float(np.sqrt((self.values**2).sum()))

    @property
    def shares(self) -> np.ndarray:
        """(K,): share of the squared norm along each direction; zeros for a change of 0."""
        return energy_shares(self.values) if self.values.any() else np.zeros_like(self.values)

    def directions_for(self, share: float = NEARLY_ALL) -> int:
        """Returns how many directions together hold that share of the squared norm: 0 to K."""
        if not self.values.any():
            return 0
        held = np.cumsum(self.shares)
        return min(int(np.searchsorted(held, share)) + 1, len(held))

    @property
    def effective_rank(self) -> float:
        """From 1, all along one direction, to K, equally along all; 0 for a change of 0."""
        there = self.values[self.values > 0]
        return float(entropy_rank(there)) if there.size else 0.0


@torch.no_grad()
def low_rank_spectrum(A: Tensor, B: Tensor, s: float = 1.0) -> Spectrum:
    """Returns the spectrum of s B A, with A (r, in) and B (out, r), in float64: exact, and for a
    matrix 4096 wide more than a thousand times faster than the SVD of the product.

    Raises ValueError if a number is NaN or infinite.
    """
    made = decompose_product(A.detach().double(), B.detach().double(), s)
    return Spectrum(*(one.cpu().numpy() for one in (made.left, made.values, made.right)))


class Decomposition(NamedTuple):
    """All results of `decompose_product`, named as in its lines."""

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
    """Computes the SVD of s B A, line by line: A (r, in), B (out, r). Raises ValueError for NaN."""
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
    """Returns the spectrum of any matrix (out, in), such as W, or the change by full fine-tuning:
    the full SVD, which takes seconds for a wide matrix.

    Raises ValueError as `low_rank_spectrum`.
    """
    _check_finite(matrix)
    wide = matrix.detach().to(torch.promote_types(matrix.dtype, torch.float32))
    left, values, right = torch.linalg.svd(wide, full_matrices=False)
    return Spectrum(left.cpu().numpy(), values.cpu().numpy(), right.mT.cpu().numpy())


@torch.no_grad()
def strongest_directions(matrix: Tensor, count: int) -> Tensor:
    """Returns (in, count): the strongest input directions of W (out, in), strongest first, without
    a full SVD, which takes minutes for a wide matrix.

    Random directions turn towards the strongest ones whenever they are multiplied by W and then by
    its transpose (subspace iteration). A few additional ones make the result accurate enough.
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
    """Returns the share of the squared norm along each direction: values (K,) -> (K,), sum 1."""
    squares = values * values
    shares = squares / squares.sum()  # step: shares
    return shares


def entropy_rank(values: np.ndarray) -> np.ndarray:
    """Returns Roy and Vetterli's effective rank: e to the entropy of the values, all above 0."""
    p = values / values.sum()  # (K,)  # step: proportions
    entropy = 0 - (p * np.log(p)).sum()  # step: entropy
    rank = np.exp(entropy)  # step: rank
    return rank


def product_norm(A: Tensor, B: Tensor, s: float) -> float:
    """Returns |s B A| (Frobenius) from two r x r matrices, without an SVD."""
    A, B = A.detach().double(), B.detach().double()
    of_A, of_B = A @ A.mT, B.mT @ B  # (r, r)
    square = (of_A * of_B).sum().clamp_min(0)  # rounding may make it negative
    return float(s * square.sqrt())


def cosines(left: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Returns the cosine of each direction with each of another matrix: (n, K), (n, L) -> (K, L).

    If all are near 0, a change reads, or writes, directions that the matrix itself hardly uses. The
    sign has no meaning: a direction and its opposite are the same.
    """
    return left.T @ base  # (K, L)


def overlap(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns how much the top i directions of one adapter share with the top j of another: (n, K)
    and (n, L) -> (K, L), from 0, nothing, to 1, the smaller subspace lies in the larger one. phi(A,
    B, i, j) in LoRA's section 7.2.
    """
    squares = cosines(first, second) ** 2
    together = squares.cumsum(0).cumsum(1)  # (K, L): of the top i and j, both from 1
    i, j = np.indices(together.shape) + 1
    smaller = np.minimum(i, j)
    return together / smaller  # (K, L)


def chance_overlap(first: int, second: int, width: int) -> float:
    """Returns the mean `overlap` of `first` random directions with `second` others, in a space of
    the given width: the larger subspace holds that share of a random direction's squared length.
    """
    return max(first, second) / width
