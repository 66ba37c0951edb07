"""Functions of one number, applied to every element."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.autograd.operation import Array, Elementwise


@dataclass(frozen=True)
class Exp(Elementwise):
    """e^a, elementwise: its own derivative."""

    symbol = "exp"

    def forward(self, a: Array) -> Array:
        out = np.exp(a)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        local = out
        contribution = upstream * local  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = e^{{{a}}}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot {out}"


@dataclass(frozen=True)
class Log(Elementwise):
    """The natural logarithm."""

    symbol = "log"

    def forward(self, a: Array) -> Array:
        out = np.log(a)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        contribution = upstream / a  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = \ln {a}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot \frac{{1}}{{{a}}}"


@dataclass(frozen=True)
class Sqrt(Elementwise):
    """The square root, elementwise."""

    symbol = "sqrt"

    def forward(self, a: Array) -> Array:
        out = np.sqrt(a)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        contribution = upstream / (2 * out)  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = \sqrt{{{a}}}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot \frac{{1}}{{2 \, {out}}}"


@dataclass(frozen=True)
class Sin(Elementwise):
    """The sine, elementwise; a in radians."""

    symbol = "sin"

    def forward(self, a: Array) -> Array:
        out = np.sin(a)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        local = np.cos(a)
        contribution = upstream * local  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = \sin {a}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot \cos {a}"


@dataclass(frozen=True)
class Cos(Elementwise):
    """The cosine, elementwise; a in radians."""

    symbol = "cos"

    def forward(self, a: Array) -> Array:
        out = np.cos(a)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        local = -np.sin(a)
        contribution = upstream * local  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = \cos {a}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot (-\sin {a})"


@dataclass(frozen=True)
class Abs(Elementwise):
    """|a|, elementwise. At 0, where it has no derivative, 0 is used."""

    symbol = "abs"

    def forward(self, a: Array) -> Array:
        out = np.abs(a)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        local = 1.0 * (a > 0) - (a < 0)
        contribution = upstream * local  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = |{a}|"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot \operatorname{{sign}} {a}"


@dataclass(frozen=True)
class Tanh(Elementwise):
    """The hyperbolic tangent, elementwise: from -1 to 1."""

    symbol = "tanh"

    def forward(self, a: Array) -> Array:
        out = np.tanh(a)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        local = 1 - out**2
        contribution = upstream * local  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = \tanh {a}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot (1 - {out}^2)"


@dataclass(frozen=True)
class Sigmoid(Elementwise):
    """1 / (1 + e^-a), elementwise; 0 where e^-a overflows to infinity."""

    symbol = "sigmoid"

    def forward(self, a: Array) -> Array:
        out = 1 / (1 + np.exp(-a))  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        local = out * (1 - out)
        contribution = upstream * local  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = \frac{{1}}{{1 + e^{{-{a}}}}}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot {out} \, (1 - {out})"


@dataclass(frozen=True)
class ReLU(Elementwise):
    """max(0, a), elementwise. At 0, where it has no derivative, 0 is used, as in torch.

    Where a is not above 0, the gradient is 0, even if the upstream gradient is infinite. So
    [a > 0] in the formula is Iverson's bracket: if it is false, it is a 0 that makes any product 0
    (Knuth 1992, "Two notes on notation").
    """

    symbol = "relu"

    def forward(self, a: Array) -> Array:
        out = np.maximum(a, 0.0)  # step: forward
        return out

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        hidden = self.hidden(out)
        contribution = np.where(hidden, 0.0, upstream)  # step: grad_a
        return contribution

    def hidden(self, out: Array) -> Array:
        """Returns True where the output is 0; NaN passes the gradient, as in torch."""
        return np.asarray(out <= 0)

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        return {} if index is None else {"hidden": self.hidden(out)}

    def latex(self, out: str, a: str) -> str:
        return rf"{out} = \max(0, {a})"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot [{a} > 0]"


GELU_C = math.sqrt(2 / math.pi)
_erf = np.frompyfunc(math.erf, 1, 1)  # NumPy has none


@dataclass(frozen=True)
class GELU(Elementwise):
    """a times the probability that a standard normal number is below a (Hendrycks & Gimpel 2016).

    GPT-2 uses the paper's approximation with tanh, GPT-1 and BERT the exact one with erf.
    """

    symbol = "gelu"
    approximate: bool = True

    def forward(self, a: Array) -> Array:
        below = self.below(a)
        out = a * below  # step: forward
        return out

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        return {"below": self.below(*inputs)} if index is None else {}

    def below(self, a: Array) -> Array:
        """Returns the probability that a standard normal is below a, or an approximation."""
        if self.approximate:
            inner = GELU_C * (a + 0.044715 * a * a * a)
            return 0.5 * (1 + np.tanh(inner))
        return 0.5 * (1 + np.asarray(_erf(a / math.sqrt(2)), dtype=a.dtype))

    def density(self, a: Array) -> Array:
        """Returns the derivative of `below`: how fast the probability grows at a."""
        if self.approximate:
            inner = GELU_C * (a + 0.044715 * a * a * a)
            return 0.5 * (1 - np.tanh(inner) ** 2) * GELU_C * (1 + 3 * 0.044715 * a**2)
        return np.exp(-0.5 * a**2) / math.sqrt(2 * math.pi)

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        local = self.below(a) + a * self.density(a)
        contribution = upstream * local  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        if not self.approximate:
            return rf"{out} = {a} \, \Phi({a})"
        inner = r"\sqrt{2 / \pi} \, (x + 0.044715 \, x^3)"
        below = rf"\Phi(x) \approx \frac{{1 + \tanh u}}{{2}}, \quad u = {inner}"
        return rf"\begin{{array}}{{l}} {out} = {a} \, \Phi({a}), \\ {below} \end{{array}}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot (\Phi({a}) + {a} \, \Phi'({a}))"


@dataclass(frozen=True, eq=False)
class Mask(Elementwise):
    """A fixed value where `hidden` is True, a elsewhere; the gradient of hidden elements is 0."""

    symbol = "mask"
    hidden: Array
    value: float = -math.inf

    def check(self, *inputs: Array) -> None:
        hidden, shape = self.hidden.shape, inputs[0].shape
        pairs = list(zip(hidden[::-1], shape[::-1], strict=False))
        if len(hidden) > len(shape) or any(mine not in (1, size) for mine, size in pairs):
            raise ValueError(
                f"a mask of shape {hidden} does not lie over shape {shape}: read from the right, "
                "each of its sizes must be equal or 1"
            )

    def forward(self, a: Array) -> Array:
        hidden = self.hidden
        out = np.where(hidden, self.value, a)  # step: forward
        return out

    def reads(
        self, index: int | None, upstream: Array | None, out: Array, *inputs: Array
    ) -> dict[str, Any]:
        return {"hidden": self.hidden}

    def grad_a(self, upstream: Array, out: Array, a: Array) -> Array:
        hidden = self.hidden
        contribution = np.where(hidden, 0.0, upstream)  # step: grad_a
        return contribution

    def latex(self, out: str, a: str) -> str:
        value = rf"{self.value:g}".replace("inf", r"\infty")
        return rf"{{{out}}}_{{ij}} = {{{a}}}_{{ij}} \text{{ where visible, else }} {value}"

    def latex_grad_a(self, upstream: str, out: str, a: str) -> str:
        return rf"{upstream} \cdot [\text{{visible}}]"
