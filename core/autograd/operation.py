"""Operations of the engine: their value, their derivatives, and the formulas of both.

An operation is data (a sum has its axis) with a few pure functions on NumPy arrays. Each derivative
has its own function, so that only the required ones are computed, and each function ends with a
marked line, so that a recorded graph becomes a Trace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

Array = np.ndarray
Shape = tuple[int, ...]

INPUTS = "abc"  # names of the inputs in the functions of an operation
# Names in marked lines that hold positions or settings, not numbers of the graph.
WHERE = ("axis", "axes", "keepdims", "ids", "hidden", "back", "places")


@dataclass(frozen=True)
class Operation:
    """One kind of operation, with its settings. A subclass gives:

    symbol                               its notation: "tanh", or "+" between two inputs
    forward(a, ...)                      `out`, in the line marked `forward`
    grad_a(upstream, out, a, ...)        `contribution`, the gradient that flows back to a, in the
                                         line marked `grad_a`; grad_b, ... for further inputs
    latex(out, a, ...)                   the formula of the forward line, given LaTeX names
    latex_grad_a(upstream, out, a, ...)  the formula of `contribution` to a
    element                              the letter of the index if latex_grad_a is written for one
                                         element of `contribution`

    L is the number that `backward` starts from; `upstream` is dL/d(out), of the shape of out, and
    `contribution` is the amount that this one use of a adds to dL/da. For an elementwise operation
    it is upstream * local, with the local derivative d(out)/da of every element; it is 0 where the
    operation blocks the gradient (relu below 0), even if upstream is infinite.
    """

    forward: ClassVar[Callable[..., Any]]
    latex: ClassVar[Callable[..., str]]
    symbol: ClassVar[str] = "?"
    elementwise: ClassVar[bool] = False
    element: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """The name of the class, as in code markers."""
        return type(self).__name__

    def check(self, *inputs: Array) -> None:
        """Raises ValueError, with the shapes and a remedy, if the inputs do not fit."""

    def contribution(self, index: int, upstream: Array, out: Array, *inputs: Array) -> Array:
        """Returns the gradient for input number `index`; `sum_to` gives it the input's shape."""
        grad: Array = getattr(self, f"grad_{INPUTS[index]}")(upstream, out, *inputs)
        return grad

    def contribution_shape(self, index: int, out: Shape, *inputs: Shape) -> Shape:
        """Returns the shape of `contribution` from the shapes of out and of the inputs."""
        return inputs[index]

    def local(self, index: int, out: Array, *inputs: Array) -> Array | None:
        """Returns d(out)/d(input) of every element, in out's shape; None if not elementwise."""
        if not self.elementwise:
            return None
        return np.asarray(self.contribution(index, np.ones_like(out), out, *inputs))

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        """Returns the values, by name, that a marked line reads in addition to its function's
        arguments: the forward line (None) or the derivative by input number `index`.
        """
        return {}

    def marker(self, index: int | None = None) -> str:
        """Returns the code marker of the forward line, or of the derivative by input `index`."""
        function = self.function(index)
        return f"{type(self).__module__}:{self.name}.{function}#{function}"

    def function(self, index: int | None = None) -> str:
        """Returns the name of the method for the output, or for the gradient of input `index`."""
        return "forward" if index is None else f"grad_{INPUTS[index]}"

    def input_name(self, index: int) -> str:
        """Returns the name of input number `index` in the marked function."""
        return INPUTS[index]

    @property
    def is_called(self) -> bool:
        """Whether it is written as a function of its inputs, not with an operator sign."""
        return self.symbol.isalpha()

    def text(self, *inputs: str) -> str:
        """Returns the operation in plain text: "w * x", "tanh(n)"."""
        if self.is_called or len(inputs) != 2:
            return f"{self.symbol}({', '.join(inputs)})"
        first = in_brackets(inputs[0]) if self.symbol == "**" else inputs[0]
        return f"{first} {self.symbol} {in_brackets(inputs[1])}"

    def latex_grad(self, index: int, upstream: str, out: str, *inputs: str) -> str:
        """Returns the formula of the gradient that flows back to input number `index`."""
        written: str = getattr(self, f"latex_grad_{INPUTS[index]}")(upstream, out, *inputs)
        return written

    def latex_flow(self, index: int, slope: str, upstream: str, out: str, *inputs: str) -> str:
        """Returns that formula as an equation, by which `slope`, dL/d(input), grows.

        Both sides refer to one element, or both to all.
        """
        if self.element:
            slope = latex_element(slope, self.element)
        return rf"{slope} \; {{+}}{{=}} \; {self.latex_grad(index, upstream, out, *inputs)}"


def in_brackets(written: str) -> str:
    """Puts a negative number in parentheses, for use between operators."""
    return f"({written})" if written.startswith("\u2212") else written


def latex_element(written: str, index: str) -> str:
    """Returns one element as LaTeX; brackets keep an index from binding to a denominator alone."""
    return rf"\Bigl({written}\Bigr)_{index}" if "\\" in written else f"{written}_{index}"


@dataclass(frozen=True)
class Elementwise(Operation):
    """An operation by element: each output depends on one element of each (broadcast) input."""

    elementwise: ClassVar[bool] = True

    def contribution_shape(self, index: int, out: Shape, *inputs: Shape) -> Shape:
        return out

    def check(self, *inputs: Array) -> None:
        shapes = [array.shape for array in inputs]
        if len(inputs) < 2 or shapes[0] == shapes[1]:
            return
        try:
            np.broadcast_shapes(*shapes)
        except ValueError:
            raise ValueError(
                f"{self.symbol} cannot combine shapes {shapes[0]} and {shapes[1]}: read from the "
                "right, two sizes must be equal or one of them 1; reshape or transpose one"
            ) from None


def sum_to(contribution: Array, shape: tuple[int, ...]) -> Array:
    """Returns the gradient of a broadcast tensor: the sum over its copies, in its own shape."""
    if contribution.shape == shape:
        return contribution
    axes = copied_axes(contribution.shape, shape)
    total = contribution.sum(axes, keepdims=True)  # step: sum_copies
    return total.reshape(shape)  # (1, ..., *shape) -> shape


def copied_axes(contribution: Shape, shape: Shape) -> Shape:
    """Returns the axes along which a tensor of that shape was broadcast, or might have been."""
    new = len(contribution) - len(shape)  # leading axes, added by broadcasting
    return (*range(new), *(new + axis for axis, size in enumerate(shape) if size == 1))


def accumulate(grad: Array | None, contribution: Array) -> Array:
    """Adds a contribution to a gradient: a tensor that is used twice gets the sum of both."""
    if grad is None:
        return contribution
    total: Array = grad + contribution  # step: accumulate
    return total
