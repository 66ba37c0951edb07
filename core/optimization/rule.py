"""What an optimizer is: a rule that takes a parameter one step further, told line by line.

A rule is a file with five things in it:

    settings   frozen: what a person chooses; each has learning_rate and weight_decay
    state      frozen: what is remembered of a parameter from step to step; begins as the number 0
    explain    (param, grad, state, step, settings) -> every intermediate, one marked line each
    update     the same arguments -> (param, state): what of that goes on
    RULE       these, with a name, a source, the formula of every marked line and the letter of
               every setting, as data

It uses operators alone (arithmetic, abs, comparisons, and of a matrix `.T`, `.shape` and `.sum()`),
so that the same lines run on NumPy arrays, torch tensors and DTensors, once `check_given` has seen
that they fit together. Nothing is changed in place.
Letters: the parameter is written theta, its gradient g, the learning rate eta, the weight decay
lambda; t is the step, 1 for the first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeVar


class Tensor(Protocol):
    """What every rule needs of an array. NumPy arrays and torch tensors have it, and what the
    module says of comparisons and matrices: their types say that less plainly.
    """

    def __add__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...
    def __pow__(self, other: Any, /) -> Any: ...


T = TypeVar("T", bound=Tensor)


@dataclass(frozen=True, slots=True)
class Line:
    """A marked line of a rule: which name it makes, its title for people, its formula in LaTeX.

    function   where it stands
    undecayed  its title and formula where the weight decay is 0, if they are others then
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

    formula        the whole step in a line or a few of LaTeX
    letters        of the settings that its formulas have, by their names in `explain` (see
                   `numbers_of`), as people write them; beside eta, the rate's
    matrices_only  it cannot move vectors: AdamW does (see `muon`)
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
        """Where a line is written, as a Step names it."""
        return f"{self.explain.__module__}:{line.function}#{line.mark}"


def numbers_of(settings: Any) -> dict[str, Any]:
    """The settings under the names that they have in `explain`."""
    named = asdict(settings) | {"rate": settings.learning_rate}
    if "betas" in named:
        named["beta1"], named["beta2"] = named.pop("betas")
    return named


def check_given(param: Any, grad: Any, step: int) -> None:
    """Raises ValueError for a step below 1, and for a gradient of another shape than its parameter,
    which arithmetic might stretch to fit.
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
