"""What an operation of the engine knows: its value, its derivatives, and how both are written.

An operation is data (a sum knows its axis) with a few pure functions on NumPy arrays. There is one
function for each derivative, so that only those that somebody wants are computed, and each ends
with a marked line: a recorded graph is a Trace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

Array = np.ndarray
Shape = tuple[int, ...]

INPUTS = "abc"  # what the functions of an operation call their inputs
# What marked lines read that only says where: no numbers of the graph.
WHERE = ("axis", "axes", "keepdims", "ids", "hidden", "back", "places")


@dataclass(frozen=True)
class Operation:
    """One kind of operation, with its settings. A subclass gives:

    symbol                               how people write it: "tanh", or "+" between two inputs
    forward(a, ...)                      `out`, in the line marked `forward`
    grad_a(upstream, out, a, ...)        `contribution`, what flows back to a, in the line marked
                                         `grad_a`; grad_b, ... for further inputs
    latex(out, a, ...)                   the formula of the forward line, given LaTeX names
    latex_grad_a(upstream, out, a, ...)  the formula of what flows back to a
    element                              where latex_grad_a is written for one element of what flows
                                         back, the letter of its index

    L is the number that `backward` starts from; `upstream` is dL/d(out), of the shape of out, and
    `contribution` is what this one use of a adds to dL/da. Where the operation is elementwise it is
    upstream * local, with the local derivative d(out)/da of every element; and 0 for what the
    operation stops (a relu below 0), even of an infinite upstream.
    """

    forward: ClassVar[Callable[..., Any]]
    latex: ClassVar[Callable[..., str]]
    symbol: ClassVar[str] = "?"
    elementwise: ClassVar[bool] = False
    element: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """The class's name, as markers spell it."""
        return type(self).__name__

    def check(self, *inputs: Array) -> None:
        """Raises ValueError, with the shapes and the remedy, for inputs that do not fit."""

    def contribution(self, index: int, upstream: Array, out: Array, *inputs: Array) -> Array:
        """What flows back to input number `index`; its shape is the input's once `sum_to` it."""
        grad: Array = getattr(self, f"grad_{INPUTS[index]}")(upstream, out, *inputs)
        return grad

    def contribution_shape(self, index: int, out: Shape, *inputs: Shape) -> Shape:
        """Of `contribution`, from the shapes of out and of the inputs."""
        return inputs[index]

    def local(self, index: int, out: Array, *inputs: Array) -> Array | None:
        """d(out)/d(input) of every element, in the shape of out; None where it is no such thing."""
        if not self.elementwise:
            return None
        return np.asarray(self.contribution(index, np.ones_like(out), out, *inputs))

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        """What the forward line (None), or that of the derivative by input number `index`, reads
        beside its function's arguments, by the names that it has there.
        """
        return {}

    def marker(self, index: int | None = None) -> str:
        """The code marker of the forward line, or of the derivative by input number `index`."""
        function = self.function(index)
        return f"{type(self).__module__}:{self.name}.{function}#{function}"

    def function(self, index: int | None = None) -> str:
        """The method that computes the output, or the gradient of input number `index`."""
        return "forward" if index is None else f"grad_{INPUTS[index]}"

    def input_name(self, index: int) -> str:
        """What the function that the marker leads to calls input number `index`."""
        return INPUTS[index]

    @property
    def is_called(self) -> bool:
        """Whether it is written as a function of its inputs, not with a sign."""
        return self.symbol.isalpha()

    def text(self, *inputs: str) -> str:
        """What it computes, for people: "w * x", "tanh(n)"."""
        if self.is_called or len(inputs) != 2:
            return f"{self.symbol}({', '.join(inputs)})"
        first = in_brackets(inputs[0]) if self.symbol == "**" else inputs[0]
        return f"{first} {self.symbol} {in_brackets(inputs[1])}"

    def latex_grad(self, index: int, upstream: str, out: str, *inputs: str) -> str:
        """The formula of what flows back to input number `index`."""
        written: str = getattr(self, f"latex_grad_{INPUTS[index]}")(upstream, out, *inputs)
        return written

    def latex_flow(self, index: int, slope: str, upstream: str, out: str, *inputs: str) -> str:
        """The same as an equation: `slope`, dL/d(input), grows by it. Both sides are of one element
        or both of all.
        """
        if self.element:
            slope = latex_element(slope, self.element)
        return rf"{slope} \; {{+}}{{=}} \; {self.latex_grad(index, upstream, out, *inputs)}"


def in_brackets(written: str) -> str:
    """A negative number between operators."""
    return f"({written})" if written.startswith("\u2212") else written


def latex_element(written: str, index: str) -> str:
    """One element of it: behind a fraction the index alone would be its denominator's."""
    return rf"\Bigl({written}\Bigr)_{index}" if "\\" in written else f"{written}_{index}"


@dataclass(frozen=True)
class Elementwise(Operation):
    """Each element of the output comes from one element of each input, broadcast as NumPy does."""

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
    """What flows back to a tensor that was broadcast: the sum over its copies, in its own shape."""
    if contribution.shape == shape:
        return contribution
    axes = copied_axes(contribution.shape, shape)
    total = contribution.sum(axes, keepdims=True)  # step: sum_copies
    return total.reshape(shape)  # (1, ..., *shape) -> shape


def copied_axes(contribution: Shape, shape: Shape) -> Shape:
    """The axes along which a tensor of that shape was broadcast, or might have been."""
    new = len(contribution) - len(shape)  # axes that broadcasting put in front
    return (*range(new), *(new + axis for axis, size in enumerate(shape) if size == 1))


def accumulate(grad: Array | None, contribution: Array) -> Array:
    """A tensor that is used twice affects L twice: its gradient is the sum of both effects."""
    if grad is None:
        return contribution
    total: Array = grad + contribution  # step: accumulate
    return total
