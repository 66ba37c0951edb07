"""Losses: the error of outputs as one number. Letters in shapes: N examples, K outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.autograd import functional as F
from core.autograd.tensor import Tensor, constant


def mean_squared_error(out: Tensor, targets: Any) -> Tensor:
    """Returns the mean of (out - target)^2: out (N, 1), targets (N)."""
    z, y = _column(out), _numbers(targets, out)
    loss = ((z - y) ** 2).mean()  # step: squared_error
    return loss


def hinge(out: Tensor, targets: Any) -> Tensor:
    """Returns the mean of max(0, 1 - y * out), with y = 1 for class 1 and -1 for class 0.

    out (N, 1), targets (N) of 0 and 1. The loss of a point is 0 only if its class is right by a
    margin of 1 or more (Cortes & Vapnik 1995).
    """
    z, sides = _column(out), 2 * _numbers(targets, out) - 1
    loss = F.relu(1 - sides * z).mean()  # step: hinge
    return loss


def binary_cross_entropy(out: Tensor, targets: Any) -> Tensor:
    """Returns the mean of -log(probability of the right class), in nats.

    out (N, 1), targets (N) of 0 and 1; sigmoid(out) is the probability of class 1.
    """
    z, y = _column(out), _numbers(targets, out)
    loss = F.binary_cross_entropy(z, y)  # step: binary_cross_entropy
    return loss


def cross_entropy(out: Tensor, targets: Any) -> Tensor:
    """Returns the mean of -log softmax(out)[target]: out (N, K), targets (N) of 0 to K - 1."""
    classes = np.asarray(targets).astype(np.int64)
    loss = F.cross_entropy(out, classes)  # step: cross_entropy
    return loss


LOSSES = {
    "cross-entropy": cross_entropy,
    "binary cross-entropy": binary_cross_entropy,
    "hinge": hinge,
    "mean squared error": mean_squared_error,
}


def penalty(weights: list[Tensor], kind: str, strength: float) -> Tensor:
    """Returns the cost of large weights: strength * sum w^2 ("l2") or strength * sum |w| ("l1")."""
    if kind not in ("l1", "l2"):
        raise ValueError(f"penalty {kind!r} is unknown; use 'l1' or 'l2'")
    total = constant(0.0)
    for weight in weights:
        total = total + (weight * weight if kind == "l2" else F.absolute(weight)).sum()
    return total * strength


def _column(out: Tensor) -> Tensor:
    if out.ndim != 2 or out.shape[1] != 1:
        raise ValueError(f"this loss needs one output per example, (N, 1); these are {out.shape}")
    return out.reshape(-1)  # (N, 1) -> (N)


def _numbers(targets: Any, out: Tensor) -> np.ndarray:
    array = np.asarray(targets, dtype=out.data.dtype)
    if array.shape != out.shape[:1]:
        raise ValueError(f"{out.shape[0]} outputs need as many targets; these are {array.shape}")
    return array
