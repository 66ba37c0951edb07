"""AdamW as a rule in operators only, so that the same lines run on NumPy arrays and torch tensors.

Decoupled Weight Decay Regularization (Loshchilov & Hutter 2019), algorithm 2; Adam (Kingma & Ba
2015), algorithm 1. The training loop runs torch's fused version of the same rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar


class Tensor(Protocol):
    """What the rule needs of an array: arithmetic. NumPy arrays and torch tensors have it."""

    def __add__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...
    def __pow__(self, other: Any, /) -> Any: ...


T = TypeVar("T", bound=Tensor)
Parameter = TypeVar("Parameter")


@dataclass(frozen=True, slots=True)
class AdamWSettings:
    """learning_rate, the decay rates of the two averages, eps, and how much weights shrink."""

    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.01


@dataclass(frozen=True, slots=True)
class AdamWState:
    """What AdamW remembers of a parameter: averages of its gradient and of the gradient's square.

    Both have the parameter's shape and begin as zeros, or as the number 0.
    """

    average: Any = 0.0
    square: Any = 0.0


def update(
    param: T, grad: T, state: AdamWState, step: int, settings: AdamWSettings
) -> tuple[T, AdamWState]:
    """One step for one parameter. Returns the new parameter and state; nothing is changed in place.

    param, grad   same shape
    step          1 for the first step

    Raises ValueError for a step below 1.
    """
    if step < 1:
        raise ValueError(f"step {step} is below 1; the first step is 1")
    rate = settings.learning_rate
    beta1, beta2 = settings.betas
    shrunk = param * (1 - rate * settings.weight_decay)  # step: decay
    average = state.average * beta1 + grad * (1 - beta1)  # step: average
    square = state.square * beta2 + grad * grad * (1 - beta2)  # step: square
    # Both averages begin at 0, so early ones are too small by these factors.
    average_hat = average / (1 - beta1**step)  # step: average_hat
    square_hat = square / (1 - beta2**step)  # step: square_hat
    direction = average_hat / (square_hat**0.5 + settings.eps)  # step: direction
    new = shrunk - direction * rate  # step: move
    return new, AdamWState(average, square)


def decay_groups(parameters: Iterable[Any], weight_decay: float) -> list[dict[str, Any]]:
    """Two groups for torch.optim.AdamW: matrices shrink, vectors (biases, norms) do not.

    A bias or a norm's gain that shrank would lose what it is for; nanoGPT and GPT-3 (section 2.2 of
    Brown et al. 2020 gives the 0.1) decay matrices only.
    """
    matrices: list[Any] = []
    vectors: list[Any] = []
    for parameter in parameters:
        (matrices if parameter.ndim >= 2 else vectors).append(parameter)
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def check_groups(groups: Sequence[dict[str, Any]], parameters: Iterable[Any]) -> None:
    """Raises ValueError unless the groups hold every parameter exactly once."""
    grouped = [id(parameter) for group in groups for parameter in group["params"]]
    wanted = {id(parameter) for parameter in parameters}
    if len(grouped) != len(set(grouped)):
        raise ValueError("a parameter is in two groups; it would be stepped twice")
    if set(grouped) != wanted:
        raise ValueError(
            f"the groups hold {len(grouped)} parameters, the model has {len(wanted)}; "
            "put every parameter that is trained in exactly one group"
        )
