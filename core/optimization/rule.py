"""The definition of an optimizer: a rule that updates a parameter, explained line by line.

A rule is a file with five parts:

    settings   frozen: the user's choices; all rules have learning_rate and weight_decay
    state      frozen: stored for a parameter from step to step; initially the number 0
    explain    (param, grad, state, step, settings) -> every intermediate, one marked line each
    update     the same arguments -> (param, state), which the next step needs
    RULE       these, with a name, a source, the formula of every marked line and the letter of
               every setting, as data

It uses only operators (arithmetic, abs, comparisons, and for a matrix `.T`, `.shape` and `.sum()`),
so that the same lines run on NumPy arrays, torch tensors and DTensors, once `check_given` has
checked their shapes. Nothing is changed in place.
Letters: the parameter is written theta, its gradient g, the learning rate eta, the weight decay
lambda; t is the step, 1 for the first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeVar


class Tensor(Protocol):
    """The operators that every rule needs. NumPy arrays and torch tensors have them, and also the
    comparisons and matrix attributes above, which their type hints express less simply.
    """

    def __add__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...
    def __pow__(self, other: Any, /) -> Any: ...


T = TypeVar("T", bound=Tensor)


@dataclass(frozen=True, slots=True)
class Line:
    """A marked line of a rule: the name that it assigns, its title, and its formula in LaTeX.

    function   the function that contains it
    undecayed  its title and formula if the weight decay is 0, where these differ
    """

    mark: str
    made: str
    title: str
    formula: str
    function: str = "explain"
    undecayed: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """An optimizer, as data.

    formula        the whole step in one or a few lines of LaTeX
    letters        of the settings in its formulas, by their names in `explain` (see `numbers_of`),
                   in Unicode; eta, the letter of the learning rate, is not among them
    matrices_only  True if it cannot move vectors, so that AdamW moves them (see `muon`)
    """

    name: str
    title: str
    source: str
    formula: str
    settings: type
    state: type
    explain: Callable[..., Any]
    update: Callable[..., Any]
    lines: tuple[Line, ...]
    letters: Mapping[str, str]
    matrices_only: bool = False

    def marker(self, line: Line) -> str:
        """Returns the code marker of a line, as a Step has it."""
        return f"{self.explain.__module__}:{line.function}#{line.mark}"


def numbers_of(settings: Any) -> dict[str, Any]:
    """Returns the settings by their names in `explain`."""
    named = asdict(settings) | {"rate": settings.learning_rate}
    if "betas" in named:
        named["beta1"], named["beta2"] = named.pop("betas")
    return named


def check_given(param: Any, grad: Any, step: int) -> None:
    """Raises ValueError for a step below 1, or if the gradient's shape differs from that of its
    parameter, which arithmetic might broadcast.
    """
    if step < 1:
        raise ValueError(f"step {step} is below 1; the first step is 1")
    ours, theirs = getattr(param, "shape", ()), getattr(grad, "shape", ())
    if ours != theirs:
        if tuple(ours) == tuple(theirs)[::-1]:
            remedy = "transpose it"
        elif math.prod(ours) == math.prod(theirs):
            remedy = "give it the parameter's shape"
        else:
            remedy = "give the gradient of this parameter, summed along axes that were broadcast"
        raise ValueError(
            f"the gradient has shape {tuple(theirs)}, its parameter {tuple(ours)}, and they must "
            f"be equal: {remedy}"
        )
