"""Arithmetic: + - * / ** and the matrix product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.autograd.operation import Array, Elementwise, Operation, Shape, in_brackets


@dataclass(frozen=True)
class Add(Elementwise):
    """a + b, elementwise: both inputs get the upstream gradient unchanged."""

    symbol = "+"

    def forward(self, a: Array, b: Array) -> Array:
        out = a + b  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        local = 1.0
        contribution = upstream * local  # step: grad_a
        return contribution

    def grad_b(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        local = 1.0
        contribution = upstream * local  # step: grad_b
        return contribution

    def latex(self, out: str, a: str, b: str) -> str:
        return rf"{out} = {a} + {b}"

    def latex_grad_a(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{upstream} \cdot 1"

    def latex_grad_b(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{upstream} \cdot 1"


@dataclass(frozen=True)
class Subtract(Elementwise):
    """a - b, elementwise: b gets the upstream gradient negated."""

    symbol = "\u2212"

    def forward(self, a: Array, b: Array) -> Array:
        out = a - b  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        local = 1.0
        contribution = upstream * local  # step: grad_a
        return contribution

    def grad_b(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        local = -1.0
        contribution = upstream * local  # step: grad_b
        return contribution

    def latex(self, out: str, a: str, b: str) -> str:
        return rf"{out} = {a} - {b}"

    def latex_grad_a(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{upstream} \cdot 1"

    def latex_grad_b(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{upstream} \cdot (-1)"


@dataclass(frozen=True)
class Negate(Elementwise):
    """-a, elementwise."""

    symbol = "\u2212"

    def forward(self, a: Array) -> Array:
        out = -a  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        local = -1.0
        contribution = upstream * local  # step: grad_a
        return contribution

    def text(self, *inputs: str) -> str:
        return f"{self.symbol}{in_brackets(inputs[0])}"

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = -{a}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot (-1)"


@dataclass(frozen=True)
class Multiply(Elementwise):
    """a b, elementwise: each input gets the upstream gradient times the other input."""

    symbol = "\u00d7"

    def forward(self, a: Array, b: Array) -> Array:
        out = a * b  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        local = b
        contribution = upstream * local  # step: grad_a
        return contribution

    def grad_b(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        local = a
        contribution = upstream * local  # step: grad_b
        return contribution

    def latex(self, out: str, a: str, b: str) -> str:
        return rf"{out} = {a} \cdot {b}"

    def latex_grad_a(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{upstream} \cdot {b}"

    def latex_grad_b(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{upstream} \cdot {a}"


@dataclass(frozen=True)
class Divide(Elementwise):
    """a / b, elementwise."""

    symbol = "/"

    def forward(self, a: Array, b: Array) -> Array:
        out = a / b  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        contribution = upstream / b  # step: grad_a
        return contribution

    def grad_b(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        local = -out / b  # equals -a / b^2, but b^2 would underflow to 0 for a tiny b
        contribution = upstream * local  # step: grad_b
        return contribution

    def latex(self, out: str, a: str, b: str) -> str:
        return rf"{out} = \frac{{{a}}}{{{b}}}"

    def latex_grad_a(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{upstream} \cdot \frac{{1}}{{{b}}}"

    def latex_grad_b(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{upstream} \cdot \left(-\frac{{{out}}}{{{b}}}\right)"


@dataclass(frozen=True)
class Power(Elementwise):
    """a ** b, differentiable in a and, where a is not negative, in b.

    Where a formula gives 0 times infinity, the derivative continues its neighbors, as in torch:
    a ** 0 is 1 for every a, and 0 ** b is 0 for every b > 0. If the exponent is 0, a gets gradient
    0, even if the upstream gradient is infinite.
    """

    symbol = "**"

    def forward(self, a: Array, b: Array) -> Array:
        out = a**b  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        passed = self.passed(upstream, b)
        local = np.where(b == 0, 0.0, b * a ** (b - 1))
        contribution = passed * local  # step: grad_a
        return contribution

    def passed(self, upstream: Array, b: Array) -> Array:
        """Returns the upstream gradient where b is not 0, else 0: a ** 0 is 1 for every a."""
        return np.where(b == 0, 0.0, upstream)

    def grad_b(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        local = np.where((a == 0) & (b >= 0), 0.0, out * np.log(a))
        contribution = upstream * local  # step: grad_b
        return contribution

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        if index != 0:
            return {}
        assert upstream is not None
        return {"passed": self.passed(upstream, inputs[1])}

    def latex(self, out: str, a: str, b: str) -> str:
        return rf"{out} = {{{a}}}^{{{b}}}"

    def latex_grad_a(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{upstream} \cdot {b} \, {{{a}}}^{{{b} - 1}}"

    def latex_grad_b(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{upstream} \cdot {out} \ln {a}"


@dataclass(frozen=True)
class MatMul(Operation):
    """The matrix product: (..., n, k) @ (..., k, m) -> (..., n, m); leading axes broadcast."""

    symbol = "@"

    def check(self, *inputs: Array) -> None:
        check_product(inputs[0].shape, inputs[1].shape)

    def contribution_shape(self, index: int, out: Shape, *inputs: Shape) -> Shape:
        return (*out[:-2], *inputs[index][-2:])  # leading axes were broadcast

    def forward(self, a: Array, b: Array) -> Array:
        out = a @ b  # (..., n, k) @ (..., k, m)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        contribution = upstream @ b.mT  # (..., n, m) @ (..., m, k)  # step: grad_a
        return contribution

    def grad_b(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        contribution = a.mT @ upstream  # (..., k, n) @ (..., n, m)  # step: grad_b
        return contribution

    def latex(self, out: str, a: str, b: str) -> str:
        return rf"{out} = {a} \, {b}"

    def latex_grad_a(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{upstream} \, {{{b}}}^\top"

    def latex_grad_b(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{{{a}}}^\top {upstream}"


def check_product(a: Shape, b: Shape) -> None:
    """Raises ValueError, with a remedy, if a (..., n, k) and b (..., k, m) cannot be multiplied.

    Either may be a vector (k).
    """
    if not a or not b:
        raise ValueError(f"@ needs vectors or matrices, not shapes {a} and {b}; for numbers use *")
    high = b[-2] if len(b) > 1 else b[0]
    if a[-1] != high:
        turned = "the first" if len(a) > 1 and a[-2] == high else ""
        turned = "the second" if len(b) > 1 and a[-1] == b[-1] else turned
        which = "last but one" if len(b) > 1 else "only one"
        raise ValueError(
            f"@ cannot multiply shapes {a} and {b}: the last size of the first ({a[-1]}) must be "
            f"the {which} of the second ({high}); "
            + (f"transpose {turned}" if turned else "give one of them another shape")
        )
    try:
        np.broadcast_shapes(a[:-2], b[:-2])
    except ValueError:
        raise ValueError(
            f"@ cannot multiply shapes {a} and {b}: of the sizes before the last two, read from "
            "the right, two must be equal or one of them 1; reshape one"
        ) from None
