"""Reductions: sum, mean and maximum, over all elements or along axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.autograd.operation import Array, Operation

Axis = int | tuple[int, ...] | None


@dataclass(frozen=True)
class Reduction(Operation):
    """An operation that reduces `axis` (None: all axes); `keepdims` keeps each with size 1."""

    axis: Axis = None
    keepdims: bool = False

    def check(self, *inputs: Array) -> None:
        check_axes(self.symbol, self.axis, inputs[0])

    def axes(self, a: Array) -> tuple[int, ...]:
        """Returns the axes of `a` that are reduced."""
        axes = range(a.ndim) if self.axis is None else np.atleast_1d(self.axis)
        return tuple(int(axis) for axis in axes)

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        if index is None:
            return {"axis": self.axes(*inputs), "keepdims": self.keepdims}
        assert upstream is not None
        return {"spread": self.spread(upstream, *inputs)}

    def spread(self, reduced: Array, a: Array) -> Array:
        """Returns the value of each group, repeated for all its elements, in the shape of a."""
        if not self.keepdims and self.axis is not None:
            reduced = np.expand_dims(reduced, self.axis)
        return np.broadcast_to(reduced, a.shape)


def check_axes(symbol: str, axis: Axis, array: Array) -> None:
    """Raises ValueError if an axis is out of range or named twice."""
    axes = [] if axis is None else [int(one) for one in np.atleast_1d(axis)]
    there = f"its axes are 0 to {array.ndim - 1}" if array.ndim else "one number has no axes"
    if any(not -array.ndim <= one < array.ndim for one in axes):
        raise ValueError(
            f"{symbol} along axis {axis} of shape {array.shape}: there is none; {there}"
        )
    if len({one % array.ndim for one in axes}) < len(axes):
        raise ValueError(f"{symbol} along axis {axis} names an axis twice; name each once")


@dataclass(frozen=True)
class Sum(Reduction):
    """The sum along axes (None: of all numbers)."""

    symbol = "sum"

    def forward(self, a: Array) -> Array:
        axis, keepdims = self.axes(a), self.keepdims
        out = a.sum(axis, keepdims=keepdims)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        spread = self.spread(upstream, a)
        contribution = spread * 1.0  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = \sum_i {{{a}}}_i"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot 1"


@dataclass(frozen=True)
class Mean(Reduction):
    """The mean along axes (None: of all numbers)."""

    symbol = "mean"

    def check(self, *inputs: Array) -> None:
        super().check(*inputs)
        if inputs[0].size == 0:
            raise ValueError(f"shape {inputs[0].shape} has no elements, and so no mean; give some")

    def forward(self, a: Array) -> Array:
        axis, keepdims = self.axes(a), self.keepdims
        out = a.mean(axis, keepdims=keepdims)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        spread, n = self.spread(upstream, a), self.count(out, a)
        contribution = spread / n  # step: grad_a
        return contribution

    def count(self, out: Array, a: Array) -> int:
        """Returns the number of elements that share a mean."""
        return a.size // max(1, np.size(out))

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        found = super().reads(index, upstream, out, *inputs)
        return found if index is None else found | {"n": self.count(out, *inputs)}

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = \frac{{1}}{{n}} \sum_i {{{a}}}_i"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot \frac{{1}}{{n}}"


@dataclass(frozen=True)
class Max(Reduction):
    """The maximum along axes. Only the largest element gets the gradient; ties share it equally.

    If one is NaN, so is the maximum; it equals none of them, and every element's gradient is NaN,
    as that of torch.amax.
    """

    symbol = "max"
    element = "i"

    def check(self, *inputs: Array) -> None:
        super().check(*inputs)
        if inputs[0].size == 0:
            raise ValueError(
                f"shape {inputs[0].shape} has no elements, and so no largest; give some"
            )

    def forward(self, a: Array) -> Array:
        axis, keepdims = self.axes(a), self.keepdims
        out = a.max(axis, keepdims=keepdims)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        passed, count = self.passed(upstream, out, a), self.count(out, a)
        contribution = passed / count  # step: grad_a
        return contribution

    def largest(self, out: Array, a: Array) -> Array:
        """Returns the mask of the largest elements: none if the largest is NaN."""
        return a == self.spread(out, a)

    def passed(self, upstream: Array, out: Array, a: Array) -> Array:
        """Returns the upstream gradient at the largest elements, else 0."""
        return np.where(self.largest(out, a), self.spread(upstream, a), 0.0)

    def count(self, out: Array, a: Array) -> Array:
        """Returns the number of elements that tie for each group's maximum, in the shape of a."""
        return self.spread(self.largest(out, a).sum(self.axis, keepdims=self.keepdims), a)

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        if index is None:
            return super().reads(index, upstream, out, *inputs)
        assert upstream is not None
        return {"passed": self.passed(upstream, out, *inputs), "count": self.count(out, *inputs)}

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = \max_i {{{a}}}_i"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        largest = rf"[{{{a}}}_i = {out}]"
        return rf"{upstream} \cdot \frac{{{largest}}}{{\sum_j {largest.replace('_i', '_j')}}}"
