"""Operations that only rearrange numbers: the gradient is rearranged in reverse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.autograd.operation import Array, Operation


@dataclass(frozen=True)
class Reshape(Operation):
    """The same elements in the same order; one size may be -1, which is then computed."""

    symbol = "reshape"
    shape: tuple[int, ...] = ()

    def check(self, *inputs: Array) -> None:
        known = int(np.prod([size for size in self.shape if size != -1]))
        size = inputs[0].size
        holes = self.shape.count(-1)
        fits = known == size if holes == 0 else holes == 1 and known > 0 and size % known == 0
        if not fits:
            raise ValueError(
                f"shape {inputs[0].shape} has {size} elements, which do not fill {self.shape}"
            )

    def forward(self, a: Array) -> Array:
        out = a.reshape(self.shape)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        contribution = upstream.reshape(a.shape)  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = \operatorname{{reshape}}({a})"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"\operatorname{{reshape}}({upstream})"


@dataclass(frozen=True)
class Transpose(Operation):
    """Axes in another order; `axes` has, for each new axis, the old one."""

    symbol = "transpose"
    axes: tuple[int, ...] = ()

    def check(self, *inputs: Array) -> None:
        ndim = inputs[0].ndim
        if len(self.axes) != ndim or {axis % ndim for axis in self.axes} != set(range(ndim)):
            raise ValueError(
                f"axes {self.axes} do not name each axis of shape {inputs[0].shape} once; "
                f"use 0 to {ndim - 1} in another order"
            )

    def forward(self, a: Array) -> Array:
        axes = self.axes
        out = a.transpose(axes)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        back = self.back(a)
        contribution = upstream.transpose(back)  # step: grad_a
        return contribution

    def back(self, a: Array) -> Array:
        """Returns the inverse order of the axes."""
        return np.argsort([axis % a.ndim for axis in self.axes])

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        return {"axes": self.axes} if index is None else {"back": self.back(*inputs)}

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = {{{a}}}^\top"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream}^\top"


@dataclass(frozen=True)
class Slice(Operation):
    """A selection of elements, `a[key]`; the gradient of all others is 0."""

    symbol = "slice"
    key: Any = ()

    def check(self, *inputs: Array) -> None:
        try:
            inputs[0][self.key]
        except IndexError as error:
            raise ValueError(f"shape {inputs[0].shape} cannot be indexed so: {error}") from None

    def forward(self, a: Array) -> Array:
        out = a[self.key]  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        contribution = np.zeros_like(a)
        # An element selected twice gets both contributions.
        np.add.at(contribution, self.key, upstream)  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = {{{a}}}_{{[\,\cdot\,]}}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \text{{ where it was taken, }} 0 \text{{ elsewhere}}"


@dataclass(frozen=True)
class Concatenate(Operation):
    """Any number of tensors, joined along `axis`."""

    symbol = "concatenate"
    axis: int = 0

    def check(self, *inputs: Array) -> None:
        ndim = inputs[0].ndim
        there = all(-ndim <= self.axis < ndim == array.ndim for array in inputs)
        if not there or len({_without(array.shape, self.axis) for array in inputs}) > 1:
            shapes = " and ".join(str(array.shape) for array in inputs)
            raise ValueError(
                f"{shapes} cannot be joined along axis {self.axis}: all must have it, and every "
                "other size must be equal"
            )

    def forward(self, *parts: Array) -> Array:
        axis = self.axis
        out = np.concatenate(parts, axis)  # step: forward
        return out

    def contribution(self, index: int, upstream: Array, out: Array, *inputs: Array) -> Array:
        return self.grad_part(index, upstream, out, *inputs)

    def grad_part(self, index: int, upstream: Array, out: Array, *parts: Array) -> Array:
        axis, places = self.axis, self.places(index, *parts)
        contribution = upstream.take(places, axis)  # step: grad_part
        return contribution

    def places(self, index: int, *parts: Array) -> Array:
        """Returns the positions of part number `index` along the axis."""
        start = sum(part.shape[self.axis] for part in parts[:index])
        return np.arange(start, start + parts[index].shape[self.axis])

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        if index is None:
            return {"axis": self.axis}
        return {"axis": self.axis, "places": self.places(index, *inputs)}

    def function(self, index: int | None = None) -> str:
        return "forward" if index is None else "grad_part"

    def input_name(self, index: int) -> str:
        return f"parts[{index}]"

    def latex(self, out: str, *parts: str) -> str:
        return rf"{out} = [{', '.join(parts)}]"

    def latex_grad(self, index: int, upstream: str, out: str, *inputs: str) -> str:
        return rf"{upstream} \text{{, part {index + 1}}}"


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """Returns the shape without an axis."""
    axis %= len(shape)
    return shape[:axis] + shape[axis + 1 :]
