"""The user's settings: the formula, the values of its inputs, and which of them learn. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from core.autograd import Expression, ExpressionError
from core.autograd.grammar import LONGEST, PI
from core.fields import check, field
from explorer.panes.backprop.expression.compute import (
    Computed,
    array_of,
    given_in,
    readable,
    with_names,
)
from explorer.panes.backprop.expression.presets import NEURON

RATE, RATES = 0.1, (1e-6, 100.0)
GIVEN = "xyt"  # names that begin with these letters are data
MOST_LOSSES = 400  # for the plot
MOST_WRITTEN = 64  # numbers in a line of the formula; larger arrays are stored in `values`


def read_values(given: Any) -> dict[str, Any]:
    """Reads numbers, or nested lists of them, by name; infinities may be strings ("inf"). Other
    entries are skipped.
    """
    if not isinstance(given, Mapping):
        raise ValueError("use an object of numbers and lists of numbers")
    found = {}
    for name, value in given.items():
        with suppress(ExpressionError):
            found[name] = array_of(value).tolist()
    return found


def read_losses(given: Any) -> tuple[float, ...]:
    if not isinstance(given, (list, tuple)):
        raise ValueError("use a list of numbers")
    try:
        return tuple(float(one) for one in given)[-MOST_LOSSES:]
    except (TypeError, OverflowError) as error:
        raise ValueError("use a list of numbers") from error


def read_beginning(given: Any) -> tuple[str, Mapping[str, Any]] | None:
    if given is None:
        return None
    if not isinstance(given, (list, tuple)) or len(given) != 2 or not isinstance(given[0], str):
        raise ValueError("use a formula and its values")
    return given[0], read_values(given[1])


@dataclass(frozen=True)
class ExpressionDraft:
    """values  numbers, or nested lists, by name
    fixed   True for leaves that take no step, as chosen by the user; the rest go by their name
    losses  L before the first step and after each
    begin   text and values before the first step
    """

    text: str = field(NEURON.text, longest=LONGEST + 1)
    values: Mapping[str, Any] = field(factory=lambda: dict(NEURON.values), reader=read_values)
    fixed: Mapping[str, bool] = field(factory=dict)
    rate: float = field(RATE, least=RATES[0], most=RATES[1], remedy=f"{RATE} is usual")
    losses: tuple[float, ...] = field((), reader=read_losses)
    begin: tuple[str, Mapping[str, Any]] | None = field(None, reader=read_beginning)
    pending: bool = False  # a step was taken whose loss is not known yet
    checks: bool = False  # every gradient is compared with its numeric gradient

    def __post_init__(self) -> None:
        check(self)
        named = with_names(self.text, self.values)
        if named != self.values:
            object.__setattr__(self, "values", named)

    def with_text(self, text: str) -> ExpressionDraft:
        """Returns a draft with another formula; numbers changed in its lines replace values."""
        text = text[: LONGEST + 1]
        before, now = given_in(self.text), given_in(text)
        told = {name for name, one in now.items() if not np.array_equal(one, before.get(name))}
        kept = {name: value for name, value in self.values.items() if name not in told}
        return replace(self, text=text, values=kept, losses=(), begin=None, pending=False)

    def with_leaf(self, name: str, value: Any) -> ExpressionDraft:
        """Returns a draft with another value of a leaf; this clears the loss history."""
        moved = self._moved({name: value})
        return replace(moved, losses=(), begin=None, pending=False)

    def stepped(self, computed: Computed) -> ExpressionDraft:
        """Returns a draft after a gradient step of every learning leaf: leaf - rate * gradient."""
        moved = {}
        for name in self.learning(computed):
            number = computed.leaves[name]
            gradient = computed.gradient(number)
            if gradient is not None:
                with np.errstate(over="ignore"):  # the loss reports it
                    moved[name] = plain(computed.value(number) - self.rate * gradient)
        losses = self.losses or (computed.result,)
        begin = self.begin or (self.text, dict(self.values))
        return replace(self._moved(moved), losses=losses, begin=begin, pending=True)

    def with_loss(self, loss: float) -> ExpressionDraft:
        """Returns a draft with the loss L after a step appended."""
        return replace(self, losses=(*self.losses, loss)[-MOST_LOSSES:], pending=False)

    def at_the_beginning(self) -> ExpressionDraft:
        """Returns the draft as it was before the first step."""
        if self.begin is None:
            return self
        text, values = self.begin
        return replace(self, text=text, values=values, losses=(), begin=None, pending=False)

    def with_fixed(self, name: str, fixed: bool) -> ExpressionDraft:
        return replace(self, fixed={**self.fixed, name: fixed})

    def same_numbers(self, other: ExpressionDraft) -> bool:
        """True if both give the same graph."""
        return (self.text, self.values) == (other.text, other.values)

    def is_fixed(self, name: str) -> bool:
        """True if a leaf takes no step; by default data, unless every input is data."""
        return self.fixed.get(name, is_data(name) and not self._is_data_alone)

    @cached_property
    def _is_data_alone(self) -> bool:
        expression = readable(self.text)
        inputs = () if expression is None else (*expression.names, *expression.defaults)
        return all(is_data(name) for name in inputs if name not in PI)

    def endless(self, computed: Computed) -> str:
        """Returns a learning leaf whose gradient is not finite, or ""."""
        for name in self.learning(computed):
            gradient = computed.gradient(computed.leaves[name])
            if gradient is not None and not np.isfinite(gradient).all():
                return name
        return ""

    def learning(self, computed: Computed) -> list[str]:
        """Returns the leaves that take a step."""
        return [name for name in computed.leaves if not self.is_fixed(name)]

    def _moved(self, moved: Mapping[str, Any]) -> ExpressionDraft:
        """Writes new values into lines of the text where possible, else into `values`."""
        expression = readable(self.text)
        written = {
            name: value
            for name, value in moved.items()
            if expression is not None and can_rewrite(expression, name, value)
        }
        kept = {name: value for name, value in self.values.items() if name not in written}
        kept |= {name: plain(value) for name, value in moved.items() if name not in written}
        text = self.text if expression is None else with_values(expression, written)
        return replace(self, text=text, values=kept)


def is_data(name: str) -> bool:
    """True if an input of this name is data, which takes no gradient step."""
    return name[:1].lower() in GIVEN


def are_numbers(values: Any, count: int | None = None) -> bool:
    """True for a list of numbers, of length `count` if given."""
    return (
        isinstance(values, list | tuple)
        and all(type(one) in (int, float) for one in values)
        and count in (None, len(values))
    )


def plain(value: Any) -> Any:
    """Returns numbers and lists, which a session can store."""
    return np.asarray(value, dtype=np.float64).tolist()


def with_values(expression: Expression, values: Mapping[str, Any]) -> str:
    """Returns the text with the lines of these names, all of which `can_rewrite`, rewritten."""
    text = expression.text
    places = {expression.given_at(name): value for name, value in values.items()}
    for start, length in sorted(places, reverse=True):  # from the end: earlier offsets stay valid
        text = text[:start] + written(places[start, length]) + text[start + length :]
    return text


def can_rewrite(expression: Expression, name: str, value: Any = 0.0) -> bool:
    """True if a line assigns numbers to `name` and can hold this value instead."""
    array = np.asarray(value, dtype=np.float64)
    fits = array.size <= MOST_WRITTEN and bool(np.isfinite(array).all())
    return fits and name in expression.defaults


def written(value: Any) -> str:
    """Returns finite numbers in the formula's syntax; they round-trip exactly."""
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 0:
        return repr(array.item()).removesuffix(".0")
    return "[" + ", ".join(written(row) for row in array) + "]"
