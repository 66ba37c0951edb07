"""Formulas at their edges have torch's gradients: 0, infinity, nan, kinks and what is masked.

A relu that is 0 lets nothing through, whatever comes back to it: 0, and not 0 times infinity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from core.autograd import Tensor, expression, flows_of, graph_of
from core.autograd import functional as F

EDGES = (0.0, -0.0, 1.0, -1.0, 0.75, -2.0, 3.0, 1e-8, -1e-300, 1e-310, 1e160, -40.0, -800.0, 800.0)
BEYOND = (np.inf, -np.inf, np.nan)
HIDDEN = np.array([True, False, False])


@dataclass(frozen=True)
class Function:
    """A function of so many values, as it is written and for both engines."""

    written: str
    ours: Callable[..., Any]
    theirs: Callable[..., Any]

    @property
    def reads(self) -> int:
        return self.written.count("{")


def same(written: str, function: Callable[..., Any]) -> Function:
    return Function(written, function, function)


def largest(x: torch.Tensor) -> torch.Tensor:
    """torch.max passes an infinite gradient on to the largest alone, torch.amax NaN to everyone."""
    return x.amax() if x.isnan().any() else x.max()


def to_the(n: float) -> Function:
    """By exponents in a list: of one number both engines may take a root instead, which differs
    at -0 and -infinity.
    """

    def power(x: Any) -> Any:
        numbers = x.reshape(-1)
        exponents = np.full(numbers.shape, float(n))
        other = exponents if isinstance(x, Tensor) else torch.from_numpy(exponents)
        return (numbers**other).reshape(x.shape)

    return same(f"{{}} ** {n}", power)


def wave(written: str, ours: Callable[..., Any], theirs: Callable[..., Any]) -> Function:
    """Of large numbers only themselves: their last digits would decide."""

    def of_small(function: Callable[..., Any]) -> Callable[..., Any]:
        def wave(x: Any) -> Any:
            numbers = x.data if isinstance(x, Tensor) else x.detach().numpy()
            return function(x) if np.nan_to_num(np.abs(numbers), posinf=0).max() < 1e6 else x

        return wave

    return Function(written, of_small(ours), of_small(theirs))


FUNCTIONS = (
    Function("exp({})", F.exp, torch.exp),
    Function("log({})", F.log, torch.log),
    Function("sqrt({})", F.sqrt, torch.sqrt),
    wave("sin({})", F.sin, torch.sin),
    wave("cos({})", F.cos, torch.cos),
    Function("abs({})", F.absolute, torch.abs),
    Function("tanh({})", F.tanh, torch.tanh),
    Function("sigmoid({})", F.sigmoid, torch.sigmoid),
    # Of the zeros 0 and -0 either may be the larger one.
    *(Function("relu({})", lambda x: F.relu(x) + 0.0, lambda x: torch.relu(x) + 0.0),) * 2,
    Function("gelu({})", F.gelu, lambda x: torch.nn.functional.gelu(x, approximate="tanh")),
    Function("gelu_erf({})", lambda x: F.gelu(x, False), torch.nn.functional.gelu),
    Function(
        "masked({})",
        lambda x: F.masked(x, HIDDEN if x.ndim else HIDDEN[0], 0.5),
        lambda x: x.masked_fill(torch.from_numpy(HIDDEN) if x.ndim else torch.tensor(True), 0.5),
    ),
    same("-{}", lambda x: -x),
    same("1 / {}", lambda x: 1 / x),
    *(to_the(n) for n in (0, 1, 2, 3, 0.5, -1, -0.5, 1.5)),
    same("2 ** {}", lambda x: 2**x),
    same("0 ** {}", lambda x: 0**x),
    same("0 * {}", lambda x: 0 * x),
    Function("max({})", lambda x: x.max(), largest),
    same("sum({})", lambda x: x.sum()),
    same("mean({})", lambda x: x.mean()),
    *(same("{} + {}", lambda a, b: a + b),) * 2,
    *(same("{} - {}", lambda a, b: a - b),) * 2,
    *(same("{} * {}", lambda a, b: a * b),) * 3,
    *(same("{} / {}", lambda a, b: a / b),) * 3,
    *(same("{} ** {}", lambda a, b: a**b),) * 3,
)


class Formula:
    """A random formula of x (one number) and v (three), for both engines."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.values = {"x": self.pick(rng), "v": np.array([self.pick(rng) for _ in range(3)])}
        self.rng = rng
        self.tree = self.make(int(rng.integers(1, 6)))

    def pick(self, rng: np.random.Generator) -> float:
        return float(rng.choice(BEYOND if rng.random() < 0.03 else EDGES))

    def make(self, depth: int) -> Any:
        if depth == 0 or (depth < 3 and self.rng.random() < 0.2):
            return str(self.rng.choice(["x", "v"]))
        function = FUNCTIONS[self.rng.integers(len(FUNCTIONS))]
        return function, *(self.make(depth - 1) for _ in range(function.reads))

    def written(self, tree: Any = None) -> str:
        tree = self.tree if tree is None else tree
        if isinstance(tree, str):
            return tree
        return tree[0].written.format(*(f"({self.written(part)})" for part in tree[1:]))

    def computed(self, leaves: dict[str, Any], kind: str, tree: Any = None) -> Any:
        tree = self.tree if tree is None else tree
        if isinstance(tree, str):
            return leaves[tree]
        return getattr(tree[0], kind)(*(self.computed(leaves, kind, part) for part in tree[1:]))

    def __str__(self) -> str:
        return f"{self.written()} with {self.values}"


def difference(formula: Formula) -> str:
    """Where ours and torch's part; "" where they agree."""
    mine = {name: Tensor(value, name=name) for name, value in formula.values.items()}
    other = {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True)
        for name, value in formula.values.items()
    }
    ours, theirs = formula.computed(mine, "ours").sum(), formula.computed(other, "theirs").sum()
    if not np.allclose(ours.item(), theirs.item(), rtol=1e-9, atol=0, equal_nan=True):
        return f"the value is {ours.item()}, torch's {theirs.item()}"
    ours.backward()
    theirs.backward()
    rounding = roundings(ours)
    for name, leaf in mine.items():
        grad, wanted = leaf.grad, other[name].grad
        if grad is None or wanted is None:
            if grad is not wanted:
                return f"d/d{name} is {grad}, torch's {wanted}"
            continue
        close = np.isclose(grad, wanted.numpy(), rtol=1e-7, atol=0, equal_nan=True)
        with np.errstate(invalid="ignore"):
            close |= np.abs(grad - wanted.numpy()) <= rounding[name]
        if not close.all():
            return f"d/d{name} is {grad}, torch's {wanted.numpy()}"
    return ""


def roundings(output: Tensor) -> dict[str, Any]:
    """What may be lost where uses of a leaf cancel one another, by its name."""
    graph = graph_of(output)
    lost: dict[str, Any] = {}
    for (node, index), flow in flows_of(graph).along.items():
        name = graph.nodes[graph.nodes[node].inputs[index]].label
        lost[name] = lost.get(name, 0.0) + 1e-12 * np.nan_to_num(np.abs(flow), posinf=0.0)
    return lost


def assert_torchs(count: int) -> None:
    formulas = (Formula(np.random.default_rng(seed)) for seed in range(count))
    wrong = {str(one): said for one in formulas if (said := difference(one))}
    shortest = sorted(wrong, key=len)[:5]
    assert not wrong, f"{len(wrong)} of {count}: " + "; ".join(f"{a}: {wrong[a]}" for a in shortest)


def test_a_thousand_formulas_at_their_edges_have_torchs_gradients() -> None:
    assert_torchs(1000)


@pytest.mark.full
def test_five_thousand_formulas_at_their_edges_have_torchs_gradients() -> None:
    assert_torchs(5000)


@pytest.mark.parametrize("text", ["sqrt(relu(x))", "relu(x)**0.5", "1/relu(x)", "log(relu(x))"])
def test_nothing_comes_through_a_relu_that_is_0(text: str) -> None:
    out = expression(text, x=-1.0)
    out.backward()
    assert out.leaves["x"].grad == 0


def test_nothing_comes_through_the_exponent_0() -> None:
    out = expression("sqrt(0 * (x**0))", x=-1.0)
    out.backward()
    assert out.leaves["x"].grad == 0


def test_what_is_no_number_passes_a_relu_as_in_torch() -> None:
    out = expression("relu(log(x))", x=-1.0)
    out.backward()
    assert np.isnan(out.item()) and out.leaves["x"].grad == -1


def test_nothing_comes_through_a_mask() -> None:
    x = Tensor([1.0, 4.0])
    F.sqrt(F.masked(x, [True, False], 0.0)).sum().backward()
    assert x.grad is not None and x.grad.tolist() == [0.0, 0.25]


def test_only_the_largest_gets_an_infinite_gradient() -> None:
    x = Tensor([-1.0, 0.0])
    F.sqrt(x.max()).backward()
    assert x.grad is not None and x.grad.tolist() == [0.0, np.inf]


def test_beside_what_is_no_number_every_gradient_of_a_maximum_is_none_as_in_torch() -> None:
    c = np.array([1.0, -2.0, 3.0])
    out = expression("max(log(c))", c=c)
    out.backward()
    theirs = torch.from_numpy(c).requires_grad_()
    theirs.log().amax().backward()
    assert theirs.grad is not None
    np.testing.assert_array_equal(out.leaves["c"].grad, theirs.grad.numpy())
    assert np.isnan(theirs.grad.numpy()).all()


def test_a_small_sigmoid_is_exact_and_so_is_its_logarithm() -> None:
    x = Tensor(-100.0)
    out = F.log(F.sigmoid(x))
    out.backward()
    assert out.item() == -100.0 and x.grad == 1.0
