"""Operations of a transformer beyond arithmetic: softmax, normalization, embedding, cross-entropy.

Each could be composed of the other operations, and tests do so. As one operation it has a
derivative in closed form, which all frameworks compute. Letters in shapes: N rows, V classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.autograd.operation import Array, Operation, latex_element
from core.autograd.reductions import Axis, check_axes


def softmax(a: Array, axis: int = -1) -> Array:
    """Returns exp(a) / sum exp(a). Subtracting the largest a cancels out and avoids overflow."""
    exp = np.exp(a - a.max(axis, keepdims=True))
    weights: Array = exp / exp.sum(axis, keepdims=True)
    return weights


@dataclass(frozen=True)
class Softmax(Operation):
    """Positive numbers that sum to 1 along `axis`. Each output depends on every input along it."""

    symbol = "softmax"
    element = "i"
    axis: int = -1

    def check(self, *inputs: Array) -> None:
        check_axes(self.symbol, self.axis if inputs[0].ndim else None, inputs[0])
        if inputs[0].size == 0:
            raise ValueError(
                f"shape {inputs[0].shape} has no elements to give weights to; give some"
            )

    def forward(self, a: Array) -> Array:
        axis = self.axis
        out = softmax(a, axis)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        mean = self.mean(upstream, out)
        contribution = out * (upstream - mean)  # step: grad_a
        return contribution

    def mean(self, upstream: Array, out: Array) -> Array:
        """Returns the mean of upstream along the axis, weighted by out."""
        weighted: Array = (upstream * out).sum(self.axis, keepdims=True)
        return weighted

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        if index is None:
            return {"axis": self.axis}
        assert upstream is not None
        return {"mean": self.mean(upstream, out)}

    def latex(self, out: str, a: str) -> str:
        return rf"{{{out}}}_i = \frac{{e^{{{{{a}}}_i}}}}{{\sum_j e^{{{{{a}}}_j}}}}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        mean = rf"\sum_j {{{out}}}_j {latex_element(upstream, 'j')}"
        return rf"{{{out}}}_i \Bigl( {latex_element(upstream, 'i')} - {mean} \Bigr)"


@dataclass(frozen=True)
class Normalize(Operation):
    """Mean 0 and variance 1 over `axis`: the core of layer norm (axis -1) and batch norm (axis 0).

    Layer Normalization (Ba et al. 2016), section 3; Batch Normalization (Ioffe & Szegedy 2015),
    algorithm 1. `bessel` divides the variance by n - 1 instead of n.
    """

    symbol = "normalize"
    axis: Axis = -1
    eps: float = 1e-5
    bessel: bool = False

    def check(self, *inputs: Array) -> None:
        ndim, axes = inputs[0].ndim, () if self.axis is None else np.atleast_1d(self.axis)
        if any(not -ndim <= axis < ndim for axis in axes):
            raise ValueError(f"shape {inputs[0].shape} has no axis {self.axis} to normalize along")
        if self._count(inputs[0]) <= self.bessel:
            raise ValueError(
                f"shape {inputs[0].shape} has too few elements along axis {self.axis} to normalize"
            )

    def forward(self, a: Array) -> Array:
        centered, scale = self.centered(a), self.scale(a)
        out = centered * scale  # step: forward
        return out

    def centered(self, a: Array) -> Array:
        """Returns the inputs minus their mean."""
        return a - a.mean(self.axis, keepdims=True)

    def scale(self, a: Array) -> Array:
        """Returns 1 / standard deviation; `eps` keeps it finite for equal inputs."""
        variance = a.var(self.axis, ddof=int(self.bessel), keepdims=True)
        return 1 / np.sqrt(variance + self.eps)

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        scale, shift, stretch = self.scale(a), self.shift(upstream), self.stretch(upstream, out)
        contribution = scale * (upstream - shift - out * stretch)  # step: grad_a
        return contribution

    def shift(self, upstream: Array) -> Array:
        """Returns the mean to subtract, since shifting all inputs changes no output."""
        return np.asarray(upstream.mean(self.axis, keepdims=True))

    def stretch(self, upstream: Array, out: Array) -> Array:
        """Returns the factor of out to subtract, since scaling all inputs changes no output."""
        n = self._count(out) - self.bessel
        return np.asarray((upstream * out).sum(self.axis, keepdims=True) / n)

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        (a,) = inputs
        if index is None:
            return {"centered": self.centered(a), "scale": self.scale(a)}
        assert upstream is not None
        return {
            "scale": self.scale(a),
            "shift": self.shift(upstream),
            "stretch": self.stretch(upstream, out),
        }

    def _count(self, a: Array) -> int:
        """Returns the number of elements that share a mean."""
        axes = range(a.ndim) if self.axis is None else np.atleast_1d(self.axis)
        return int(np.prod([a.shape[axis] for axis in axes]))

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = \frac{{{a} - \mu}}{{\sqrt{{\sigma^2 + \epsilon}}}}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        mean = rf"\overline{{{upstream}}}"
        stretch = rf"\overline{{{upstream} \, {out}}}"
        return rf"\frac{{{upstream} - {mean} - {out} \; {stretch}}}{{\sqrt{{\sigma^2 + \epsilon}}}}"


@dataclass(frozen=True, eq=False)
class Embedding(Operation):
    """Row ids[i] of a table (V, C) for each i: (..., C). A row used twice gets both gradients."""

    symbol = "embedding"
    element = "r"
    ids: Array

    def check(self, *inputs: Array) -> None:
        if inputs[0].ndim < 1:
            raise ValueError("an embedding takes rows of a table (V, C), and this is one number")
        rows = inputs[0].shape[0]
        if self.ids.size and not 0 <= self.ids.min() <= self.ids.max() < rows:
            raise ValueError(
                f"{_range_of('id', self.ids)}; a table of {rows} rows has 0 to {rows - 1}"
            )

    def forward(self, a: Array) -> Array:
        ids = self.ids
        out = a[ids]  # (V, C) -> (..., C)  # step: forward
        return out

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        return {"ids": self.ids}

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        contribution = np.zeros_like(a)
        ids = self.ids
        np.add.at(contribution, ids, upstream)  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        return rf"{{{out}}}_i = {{{a}}}_{{\mathrm{{id}}_i}}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"\sum_{{i:\, \mathrm{{id}}_i = r}} {latex_element(upstream, 'i')}"


@dataclass(frozen=True, eq=False)
class CrossEntropy(Operation):
    """The mean over N rows of -log softmax(a)[target], in nats: a (N, V), targets (N,)."""

    symbol = "cross_entropy"
    targets: Array

    def check(self, *inputs: Array) -> None:
        a = inputs[0]
        if a.ndim != 2 or self.targets.shape != a.shape[:1] or a.shape[0] == 0:
            raise ValueError(
                f"cross-entropy needs scores (N, V) and N targets; these are {a.shape} and "
                f"{self.targets.shape}"
            )
        if not 0 <= self.targets.min() <= self.targets.max() < a.shape[1]:
            raise ValueError(
                f"{_range_of('target', self.targets)}, and the classes from 0 to {a.shape[1] - 1}"
            )

    def forward(self, a: Array) -> Array:
        log_sum, right = self.log_sum(a), self.right(a)
        out = (log_sum - right).mean()  # step: forward
        return out

    def log_sum(self, a: Array) -> Array:
        """Returns (N) the logarithm of each row's sum of exp(a)."""
        largest = a.max(-1, keepdims=True)
        return np.asarray(largest[:, 0] + np.log(np.exp(a - largest).sum(-1)))

    def right(self, a: Array) -> Array:
        """Returns (N) the score of each target."""
        return np.asarray(a[np.arange(len(a)), self.targets])

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        n, wanted = len(a), self.wanted(a)
        contribution = upstream * (softmax(a) - wanted) / n  # step: grad_a
        return contribution

    def wanted(self, a: Array) -> Array:
        """Returns (N, V) 1 for each target, else 0."""
        wanted = np.zeros_like(a)
        wanted[np.arange(len(a)), self.targets] = 1.0
        return wanted

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        (a,) = inputs
        if index is None:
            return {"log_sum": self.log_sum(a), "right": self.right(a)}
        return {"n": len(a), "wanted": self.wanted(a)}

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = \frac{{1}}{{N}} \sum_i -\log \operatorname{{softmax}}({{{a}}}_i)_{{y_i}}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        inner = rf"\operatorname{{softmax}}({a}) - \mathrm{{onehot}}(y)"
        return rf"{upstream} \cdot \frac{{1}}{{N}} \left({inner}\right)"


@dataclass(frozen=True, eq=False)
class BinaryCrossEntropy(Operation):
    """The mean over N scores of -log(probability of the right class), in nats.

    a (N,) scores, sigmoid(a) being the probability of class 1; targets (N,) of 0 and 1. The forward
    pass is written so that exp does not overflow.
    """

    symbol = "binary_cross_entropy"
    targets: Array

    def check(self, *inputs: Array) -> None:
        if self.targets.ndim != 1 or inputs[0].shape != self.targets.shape:
            raise ValueError(
                f"binary cross-entropy needs scores (N,) and N targets; these are "
                f"{inputs[0].shape} and {self.targets.shape}"
            )

    def forward(self, a: Array) -> Array:
        y, rest = self.targets, self.rest(a)
        out = (np.maximum(a, 0) - a * y + rest).mean()  # step: forward
        return out

    def rest(self, a: Array) -> Array:
        """Returns log(1 + e^-|a|)."""
        return np.log1p(np.exp(-np.abs(a)))

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        y, n, p = self.targets, len(a), self.probability(a)
        contribution = upstream * (p - y) / n  # step: grad_a
        return contribution

    def probability(self, a: Array) -> Array:
        """Returns the probability of class 1, sigmoid(a)."""
        return np.asarray(1 / (1 + np.exp(-a)))

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        (a,) = inputs
        if index is None:
            return {"y": self.targets, "rest": self.rest(a)}
        return {"y": self.targets, "n": len(a), "p": self.probability(a)}

    def latex(self, out: str, a: str) -> str:
        inner = rf"\max({a}, 0) - {a} \, y + \log(1 + e^{{-|{a}|}})"
        return rf"{out} = \operatorname{{mean}} \Big( {inner} \Big)"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot \frac{{1}}{{N}} \Big( \sigma({a}) - y \Big)"


def _range_of(name: str, numbers: Array) -> str:
    """Returns "ids run from 2 to 5", or "an id is 5" for a single value."""
    low, high = numbers.min(), numbers.max()
    article = "an" if name[0] in "aeio" else "a"
    return f"{article} {name} is {low}" if low == high else f"{name}s run from {low} to {high}"
