"""The functions of the engine, for tensors: exp, tanh, softmax, layer_norm, cross_entropy, ...

Elementwise functions keep the shape. inf and nan are valid values and raise nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.autograd.functions import GELU, Abs, Cos, Exp, Log, Mask, ReLU, Sigmoid, Sin, Sqrt, Tanh
from core.autograd.layers import BinaryCrossEntropy, CrossEntropy, Embedding, Normalize, Softmax
from core.autograd.operation import Array
from core.autograd.shapes import Concatenate
from core.autograd.tensor import Tensor, Value, apply, constant


def exp(x: Value) -> Tensor:
    """Returns e ** x of every element."""
    return apply(Exp(), constant(x))


def log(x: Value) -> Tensor:
    """Returns the natural logarithm of every element: -inf for 0, nan for negative numbers."""
    return apply(Log(), constant(x))


def sqrt(x: Value) -> Tensor:
    """Returns the square root of every element; nan for negative numbers."""
    return apply(Sqrt(), constant(x))


def sin(x: Value) -> Tensor:
    """Returns the sine of every element, in radians."""
    return apply(Sin(), constant(x))


def cos(x: Value) -> Tensor:
    """Returns the cosine of every element, in radians."""
    return apply(Cos(), constant(x))


def absolute(x: Value) -> Tensor:
    """Returns |x| of every element."""
    return apply(Abs(), constant(x))


def tanh(x: Value) -> Tensor:
    """Returns the hyperbolic tangent of every element: -1 to 1."""
    return apply(Tanh(), constant(x))


def sigmoid(x: Value) -> Tensor:
    """Returns 1 / (1 + e ** -x) of every element: 0 to 1."""
    return apply(Sigmoid(), constant(x))


def relu(x: Value) -> Tensor:
    """Returns max(0, x) of every element."""
    return apply(ReLU(), constant(x))


def gelu(x: Value, approximate: bool = True) -> Tensor:
    """Returns the GELU of every element: GPT-2's approximation, or the exact one with erf."""
    return apply(GELU(approximate), constant(x))


def masked(x: Value, hidden: Any, value: float = -np.inf) -> Tensor:
    """Returns x (..., *S) with `value` wherever `hidden` (S) is True.

    Raises ValueError if the mask does not broadcast to the shape of x.
    """
    return apply(Mask(np.asarray(hidden, bool), value), constant(x))


def concatenate(parts: Sequence[Value], axis: int = 0) -> Tensor:
    """Returns the tensors joined along `axis`; their other sizes must be equal."""
    if not parts:
        raise ValueError("there is nothing to concatenate; give at least one tensor")
    return apply(Concatenate(axis), *(constant(part) for part in parts))


def softmax(x: Value, axis: int = -1) -> Tensor:
    """Returns positive numbers in the shape of x that sum to 1 along `axis`.

    Raises ValueError if x has no elements or no such axis.
    """
    return apply(Softmax(axis), constant(x))


def layer_norm(x: Value, gain: Value, bias: Value | None = None, eps: float = 1e-5) -> Tensor:
    """Returns x (..., C) with mean 0 and variance 1 in each row, times gain (C), plus bias (C)."""
    scaled = apply(Normalize(-1, eps), constant(x)) * gain
    return scaled if bias is None else scaled + bias


def batch_norm(x: Value, gain: Value, bias: Value, eps: float = 1e-5) -> Tensor:
    """Returns x (N, C) with mean 0 and variance 1 in each column, times gain (C), plus bias (C)."""
    return apply(Normalize(0, eps), constant(x)) * gain + bias


def fixed_norm(
    x: Value, mean: Array, variance: Array, gain: Value, bias: Value, eps: float = 1e-5
) -> Tensor:
    """Returns the batch norm of x (N, C) by a known mean (C) and variance (C), instead of those of
    the batch, times gain (C), plus bias (C).
    """
    return (constant(x) - mean) * (1 / np.sqrt(variance + eps)) * gain + bias


def embedding(table: Value, ids: Any) -> Tensor:
    """Returns rows of table (V, C): ids (...) -> (..., C)."""
    return apply(Embedding(_integers(ids)), constant(table))


def cross_entropy(scores: Value, targets: Any) -> Tensor:
    """Returns the mean of -log softmax(scores)[target], in nats: scores (N, V), targets (N)."""
    return apply(CrossEntropy(_integers(targets)), constant(scores))


def binary_cross_entropy(scores: Value, targets: Any) -> Tensor:
    """Returns the mean of -log(probability of the right class), in nats, one number.

    scores (N,), targets (N,) of 0 and 1. sigmoid(score) is the probability of class 1.
    """
    z = constant(scores)
    return apply(BinaryCrossEntropy(np.asarray(targets, dtype=z.data.dtype)), z)


def _integers(values: Any) -> Array:
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise ValueError(f"indices are whole numbers, and these are {array.dtype}")
    return array.astype(np.int64)


def total(x: Value) -> Tensor:
    """Returns the sum of all elements: one number."""
    return constant(x).sum()


def mean(x: Value) -> Tensor:
    """Returns the mean of all elements: one number."""
    return constant(x).mean()


def largest(x: Value) -> Tensor:
    """Returns the largest of all elements: one number."""
    return constant(x).max()


def transposed(x: Value) -> Tensor:
    """Returns the tensor with its axes in reverse order: (n, m) -> (m, n)."""
    return constant(x).T


# Functions of one tensor that an expression may call, by name.
FUNCTIONS: dict[str, Callable[[Value], Tensor]] = {
    "exp": exp,
    "log": log,
    "sqrt": sqrt,
    "sin": sin,
    "cos": cos,
    "abs": absolute,
    "tanh": tanh,
    "sigmoid": sigmoid,
    "relu": relu,
    "gelu": gelu,
    "softmax": softmax,
    "sum": total,
    "mean": mean,
    "max": largest,
    "transpose": transposed,
}
