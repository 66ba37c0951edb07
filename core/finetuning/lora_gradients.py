"""The chain rule through LoRA and DoRA, written out: the work of autograd in backward.

Letters in shapes: T tokens read, in and out: input and output width of a matrix, r: rank.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


def output_gradient(gradient: Tensor, first: int, last: int) -> Tensor:
    """Selects dL/d(output) of the rows that an adapter changes, out of all rows (T, all)."""
    grad_output = gradient[:, first:last]  # (T, out)  # step: output
    return grad_output


class LowRankGradients(NamedTuple):
    """Gradients of the loss for B A x (T, out), B (out, r), A x (T, r) and A (r, in)."""

    grad_expanded: Tensor
    grad_B: Tensor
    grad_reduced: Tensor
    grad_A: Tensor


def low_rank_gradients(
    grad_change: Tensor, x: Tensor, reduced: Tensor, B: Tensor, s: float
) -> LowRankGradients:
    """Applies the chain rule to s B A x, from its end: grad_change (T, out) is dL/d(s B A x), x is
    (T, in), and reduced (T, r) is A x.

    Each matrix's gradient is a sum over all tokens. While B is 0, so is the gradient of A: B learns
    first.
    """
    grad_expanded = s * grad_change  # (T, out)  # step: expanded
    grad_B = grad_expanded.mT @ reduced  # (out, r)  # step: B
    grad_reduced = grad_expanded @ B  # (T, r)  # step: reduced
    grad_A = grad_reduced.mT @ x  # (r, in)  # step: A
    return LowRankGradients(grad_expanded, grad_B, grad_reduced, grad_A)


class DoRAGradients(NamedTuple):
    """Gradients of the loss for s B A x (T, out) and for the lengths m (out,)."""

    grad_added: Tensor
    grad_m: Tensor


def dora_gradients(
    grad_output: Tensor, combined: Tensor, gain: Tensor, length: Tensor, scale: float
) -> DoRAGradients:
    """Applies the chain rule to DoRA's change at a scale: grad_output (T, out), combined (T, out)
    is W x + s B A x, gain and length (out,), gain = m / length, where length is a constant.
    """
    grad_added = scale * gain * grad_output  # (T, out)  # step: added
    grad_m = (scale * grad_output * combined / length).sum(0)  # step: m
    return DoRAGradients(grad_added, grad_m)
