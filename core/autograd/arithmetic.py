"""Arithmetic: + - * / ** and the matrix product."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.autograd.operation import Array, Elementwise, Operation


@dataclass(frozen=True)
class Add(Elementwise):
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
    symbol = "\u2212"

    def forward(self, a: Array) -> Array:
        out = -a  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        local = -1.0
        contribution = upstream * local  # step: grad_a
        return contribution

    def text(self, *inputs: str) -> str:
        return f"{self.symbol}{inputs[0]}"

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = -{a}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot (-1)"


@dataclass(frozen=True)
class Multiply(Elementwise):
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
    symbol = "/"

    def forward(self, a: Array, b: Array) -> Array:
        out = a / b  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        local = 1 / b
        contribution = upstream * local  # step: grad_a
        return contribution

    def grad_b(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        local = -out / b  # -a / b^2, of which b^2 would be 0 for a tiny b
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
    """a ** b, both of which may have a gradient; by b only where a is not negative.

    Where a formula has 0 times infinity the derivative is what it is all around, as torch has it:
    a ** 0 is 1 for every a, and 0 ** b is 0 for every b > 0.
    """

    symbol = "**"

    def forward(self, a: Array, b: Array) -> Array:
        out = a**b  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        local = np.where(b == 0, 0.0, b * a ** (b - 1))
        contribution = upstream * local  # step: grad_a
        return contribution

    def grad_b(self, upstream: Array, out: Array, a: Array, b: Array) -> Array:
        local = np.where((a == 0) & (b >= 0), 0.0, out * np.log(a))
        contribution = upstream * local  # step: grad_b
        return contribution

    def latex(self, out: str, a: str, b: str) -> str:
        return rf"{out} = {{{a}}}^{{{b}}}"

    def latex_grad_a(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{upstream} \cdot {b} \, {{{a}}}^{{{b} - 1}}"

    def latex_grad_b(self, upstream: str, out: str, a: str, b: str) -> str:
        return rf"{upstream} \cdot {out} \ln {a}"


@dataclass(frozen=True)
class MatMul(Operation):
    """The matrix product: (..., n, k) @ (..., k, m) -> (..., n, m); axes in front broadcast."""

    symbol = "@"

    def check(self, *inputs: Array) -> None:
        a, b = inputs
        if a.ndim < 2 or b.ndim < 2:
            raise ValueError(
                f"@ needs vectors or matrices, not shapes {a.shape} and {b.shape}; "
                "for numbers use *"
            )
        if a.shape[-1] != b.shape[-2]:
            raise ValueError(
                f"@ cannot multiply shapes {a.shape} and {b.shape}: the last size of the first "
                f"({a.shape[-1]}) must be the last but one of the second ({b.shape[-2]}); "
                "transpose one"
            )

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
