"""Linear layers, norms and activations, which torch computes in one call, line by line.

The model uses torch's own, which are faster; tests verify that both are equal. Letters in shapes:
T tokens, C width of the residual stream, N rows of a weight matrix.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class LinearSteps(NamedTuple):
    """(T, N) each; `output` is None without a bias."""

    products: Tensor
    output: Tensor | None


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> LinearSteps:
    """Takes the dot products of rows of x (T, C) with rows of weight (N, C); adds bias (N)."""
    products = x @ weight.mT  # (T, N)  # step: product
    if bias is None:
        return LinearSteps(products, None)
    output = products + bias  # (T, N)  # step: bias
    return LinearSteps(products, output)


class LayerNormed(NamedTuple):
    """mean and variance (T, 1), the others (T, C); `shifted` is None without a bias."""

    mean: Tensor
    centered: Tensor
    variance: Tensor
    normed: Tensor
    scaled: Tensor
    shifted: Tensor | None


def layer_norm(x: Tensor, weight: Tensor, bias: Tensor | None, eps: float) -> LayerNormed:
    """Normalizes each row of x (T, C) to mean 0 and variance 1, then scales and shifts it.

    Ba et al. 2016, section 3.
    """
    mean = torch.mean(x, dim=-1, keepdim=True)  # (T, 1)  # step: mean
    centered = x - mean  # (T, C)  # step: center
    variance = torch.mean(centered * centered, dim=-1, keepdim=True)  # step: variance
    normed = centered / torch.sqrt(variance + eps)  # step: norm
    scaled = normed * weight  # step: scale
    if bias is None:
        return LayerNormed(mean, centered, variance, normed, scaled, None)
    shifted = scaled + bias  # step: shift
    return LayerNormed(mean, centered, variance, normed, scaled, shifted)


class RMSNormed(NamedTuple):
    """square (T, 1), the others (T, C)."""

    square: Tensor
    normed: Tensor
    scaled: Tensor


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> RMSNormed:
    """Normalizes each row of x (T, C) to a mean square of 1, then scales it.

    Zhang & Sennrich 2019, equation 4.
    """
    square = torch.mean(x * x, dim=-1, keepdim=True)  # (T, 1)  # step: square
    normed = x / torch.sqrt(square + eps)  # (T, C)  # step: norm
    scaled = normed * weight  # step: scale
    return RMSNormed(square, normed, scaled)


class Gelu(NamedTuple):
    """root is a number, the others have the shape of the input."""

    root: float
    inner: Tensor
    hidden: Tensor


def gelu_tanh(x: Tensor) -> Gelu:
    """Approximates GELU with tanh: x times the share of it that passes.

    Hendrycks & Gimpel 2016, section 2.
    """
    root = math.sqrt(2 / math.pi)  # so that tanh is as steep at 0 as the true GELU's erf
    inner = root * (x + 0.044715 * x**3)  # step: inner
    hidden = 0.5 * x * (1 + torch.tanh(inner))  # step: gelu
    return Gelu(root, inner, hidden)


def silu(x: Tensor) -> Tensor:
    """Multiplies x by its sigmoid (Hendrycks & Gimpel 2016, section 4; also called swish)."""
    gate = x / (1 + torch.exp(-x))  # step: silu
    return gate
