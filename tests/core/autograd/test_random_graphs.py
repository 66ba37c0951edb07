"""Random graphs of every operation have torch's values and gradients, whatever their shapes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.autograd import Tensor
from core.autograd import functional as F

# Shapes that broadcast with one another, whichever two meet.
SHAPES = ((), (1,), (3,), (1, 3), (2, 1), (2, 3), (4, 1, 3), (4, 2, 1), (4, 2, 3))
LARGE = 1e3  # from where values are brought back by tanh, so that no rounding error grows


@dataclass(frozen=True)
class One:
    """An operation on one tensor, for us and for torch."""

    ours: Callable[[Tensor], Tensor]
    theirs: Callable[[torch.Tensor], torch.Tensor]
    least_axes: int = 0
    most_axes: int = 4


def both(function: Callable[[Any], Any], least_axes: int = 0) -> One:
    """Written the same for both."""
    return One(function, function, least_axes)


def turned(x: Any, join: Callable[..., Any]) -> Any:
    """The first of the last axis put at its end."""
    return join([x[..., 1:], x[..., :1]], -1)


def hidden(x: Any) -> np.ndarray:
    """Every other number of the last axis."""
    return np.arange(x.shape[-1]) % 2 == 1


ONES = {
    "negate": both(lambda x: -x),
    "square": both(lambda x: x**2),
    "cube": both(lambda x: x**3),
    "to the 0": both(lambda x: x**0 + x),
    "root of a power": both(lambda x: (x * x + 0.5) ** 1.5),
    "two to the": both(lambda x: 2 ** (x * 0.1)),
    "over a small one": both(lambda x: 1 / (x * x + 1e-2)),
    "exp": One(lambda x: F.exp(x * 0.1), lambda x: torch.exp(x * 0.1)),
    "log": One(lambda x: F.log(x * x + 0.1), lambda x: torch.log(x * x + 0.1)),
    "sqrt": One(lambda x: F.sqrt(x * x + 0.1), lambda x: torch.sqrt(x * x + 0.1)),
    "sin": One(F.sin, torch.sin),
    "cos": One(F.cos, torch.cos),
    "abs": One(F.absolute, torch.abs),
    "tanh": One(F.tanh, torch.tanh),
    "sigmoid": One(F.sigmoid, torch.sigmoid),
    "relu": One(F.relu, torch.relu),
    "gelu": One(F.gelu, lambda x: torch.nn.functional.gelu(x, approximate="tanh")),
    "gelu, erf": One(lambda x: F.gelu(x, False), torch.nn.functional.gelu),
    "sum": both(lambda x: x.sum()),
    "sum of rows": both(lambda x: x.sum(-1, True), 1),
    "mean": both(lambda x: x.mean()),
    "mean of columns": both(lambda x: x.mean(0, True), 1),
    "sum of an axis less": both(lambda x: x.sum(0), 3),
    "max": One(lambda x: x.max(), torch.amax),
    "max of rows": One(lambda x: x.max(-1, True), lambda x: x.amax(-1, True), 1),
    "softmax": One(F.softmax, lambda x: torch.softmax(x, -1), 1),
    "softmax of columns": One(lambda x: F.softmax(x, 0), lambda x: torch.softmax(x, 0), 1),
    "layer norm": One(
        lambda x: F.layer_norm(x, 2.0, None, 0.1),
        lambda x: torch.nn.functional.layer_norm(x, x.shape[-1:], None, None, 0.1) * 2,
        1,
    ),
    "masked": One(
        lambda x: F.masked(x, hidden(x), 0.5),
        lambda x: x.masked_fill(torch.from_numpy(hidden(x)), 0.5),
        1,
    ),
    "a row taken twice": both(lambda x: x[[0, -1, 0]].sum(0, True), 1),
    "a slice": both(lambda x: x[..., :1], 1),
    "joined": One(lambda x: turned(x, F.concatenate), lambda x: turned(x, torch.cat), 1),
    "reshaped": both(lambda x: x.reshape(-1).reshape(*x.shape) if x.ndim else x.reshape(1)),
    "with its transpose": both(lambda x: (x @ x.mT) @ x, 2),
    "table rows": One(
        lambda x: F.embedding(x, [0, 0]).mean(0, True),
        lambda x: torch.nn.functional.embedding(torch.tensor([0, 0]), x).mean(0, True),
        2,
        2,
    ),
    "binary cross-entropy": One(
        lambda x: F.binary_cross_entropy(x, hidden(x)),
        lambda x: torch.nn.functional.binary_cross_entropy_with_logits(
            x, torch.from_numpy(hidden(x)).double()
        ),
        1,
        1,
    ),
    "cross-entropy": One(
        lambda x: F.cross_entropy(x, [0] * x.shape[0]),
        lambda x: torch.nn.functional.cross_entropy(x, torch.zeros(len(x), dtype=torch.int64)),
        2,
        2,
    ),
}
TWOS: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / (b * b + 0.1),
    "power": lambda a, b: (a * a + 0.3) ** (b * 0.1),
}


@dataclass(frozen=True)
class Instruction:
    """What is done to earlier values: to number `a`, or to numbers `a` and `b`."""

    name: str
    a: int
    b: int = 0


@st.composite
def programs(draw: Any) -> tuple[list[tuple[int, ...]], list[Instruction], int]:
    """Shapes of the leaves, and what is done: some values fan out, and some lead nowhere."""
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=4))
    made = len(shapes)
    instructions = []
    for number in range(draw(st.integers(1, 12))):
        earlier = st.integers(0, made + number - 1)
        name = draw(st.sampled_from([*ONES, *TWOS]))
        instructions.append(Instruction(name, draw(earlier), draw(earlier)))
    return shapes, instructions, draw(st.integers(0, 2**32 - 1))


def run(program: list[Instruction], values: list[Any], tanh: Any, kind: str) -> Any:
    """One number of all that was made; what an operation has no place for is left as it is."""
    for one in program:
        a, b = values[one.a], values[one.b]
        if one.name in TWOS:
            made = TWOS[one.name](a, b)
        else:
            operation = ONES[one.name]
            fits = operation.least_axes <= a.ndim <= operation.most_axes
            made = getattr(operation, kind)(a) if fits else a
        numbers = made.data if kind == "ours" else made.detach().numpy()
        values.append(tanh(made) if np.abs(numbers).max() > LARGE else made)
    loss = values[-1].mean()
    for value in values:  # a plain mean would be the same for every softmax
        loss = loss + (value * value * (1 + 0.1 * value)).mean()
    return loss


@given(programs())
@example(([(2, 1), (4, 1, 3)], [Instruction(name, 1, 0) for name in [*ONES, *TWOS]], 1))
@example(([(2, 3)], [Instruction(name, n) for n, name in enumerate(ONES)], 2))
@settings(max_examples=250, deadline=None)
def test_random_graphs_have_torchs_gradients(
    program: tuple[list[tuple[int, ...]], list[Instruction], int],
) -> None:
    shapes, instructions, seed = program
    rng = np.random.default_rng(seed)
    arrays = [np.asarray(rng.normal(size=shape)) for shape in shapes]
    mine = [Tensor(array) for array in arrays]
    other = [torch.from_numpy(array.copy()).requires_grad_() for array in arrays]
    loss = run(instructions, list(mine), F.tanh, "ours")
    reference = run(instructions, list(other), torch.tanh, "theirs")
    loss.backward()
    reference.backward()
    np.testing.assert_allclose(loss.item(), reference.item(), rtol=1e-9, atol=1e-12)
    largest = max([1.0, *(float(b.grad.abs().max()) for b in other if b.grad is not None)])
    for a, b in zip(mine, other, strict=True):
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None:
            assert a.grad.shape == a.shape
            wanted = b.grad.numpy()
            np.testing.assert_allclose(a.grad / largest, wanted / largest, rtol=1e-7, atol=1e-10)
