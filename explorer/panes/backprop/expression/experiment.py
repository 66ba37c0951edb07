"""What a person has set up: the formula, values, what learns. Plain data that a session keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from core.autograd.grammar import LONGEST, PI
from explorer.panes.backprop.expression.compute import (
    Computed,
    given_in,
    readable,
    with_names,
)
from explorer.panes.backprop.expression.examples import NEURON, Example
from explorer.panes.backprop.expression.rewriting import can_rewrite, with_values

RATE, RATES = 0.1, (1e-6, 100.0)
GIVEN = "xyt"  # names that begin so are data
MOST_LOSSES = 400  # of the spark line


@dataclass(frozen=True)
class Experiment:
    """values  numbers, or nested lists, by name
    fixed   leaves that take no step, where a person has said so; others by their name
    losses  L before the first step and after each
    begin   text and values before the first step
    """

    text: str = NEURON.text
    values: Mapping[str, Any] = field(default_factory=lambda: dict(NEURON.values))
    fixed: Mapping[str, bool] = field(default_factory=dict)
    rate: float = RATE
    losses: tuple[float, ...] = ()
    begin: tuple[str, Mapping[str, Any]] | None = None
    pending: bool = False  # a step was taken whose loss is not known yet

    def with_text(self, text: str) -> Experiment:
        """Another formula. Where a line gives a name other numbers than before, these count."""
        text = text[: LONGEST + 1]
        before, now = given_in(self.text), given_in(text)
        told = {name for name, one in now.items() if not np.array_equal(one, before.get(name))}
        kept = {name: value for name, value in self.values.items() if name not in told}
        values = with_names(text, kept)
        return replace(self, text=text, values=values, losses=(), begin=None, pending=False)

    def with_leaf(self, name: str, value: Any) -> Experiment:
        """A leaf with another value; what was learned counts no more, unless it comes of a step."""
        moved = self._moved({name: value})
        return replace(moved, losses=(), begin=None, pending=False)

    def stepped(self, computed: Computed) -> Experiment:
        """Every leaf that learns goes downhill: leaf - rate * gradient."""
        moved = {}
        for name in self.learning(computed):
            number = computed.leaves[name]
            gradient = computed.gradient(number)
            if gradient is not None:
                with np.errstate(over="ignore"):  # the loss then says so
                    moved[name] = plain(computed.value(number) - self.rate * gradient)
        losses = self.losses or (computed.result,)
        begin = self.begin or (self.text, dict(self.values))
        return replace(self._moved(moved), losses=losses, begin=begin, pending=True)

    def with_loss(self, loss: float) -> Experiment:
        """After a step: L as it is now."""
        return replace(self, losses=(*self.losses, loss)[-MOST_LOSSES:], pending=False)

    def at_the_beginning(self) -> Experiment:
        """As before the first step."""
        if self.begin is None:
            return self
        text, values = self.begin
        return replace(self, text=text, values=values, losses=(), begin=None, pending=False)

    def with_fixed(self, name: str, fixed: bool) -> Experiment:
        return replace(self, fixed={**self.fixed, name: fixed})

    def same_numbers(self, other: Experiment) -> bool:
        """Whether both give the same graph."""
        return (self.text, self.values) == (other.text, other.values) and self._bits == other._bits

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Experiment):
            return NotImplemented
        same = all(getattr(self, one.name) == getattr(other, one.name) for one in fields(self))
        return same and self._bits == other._bits

    @cached_property
    def _bits(self) -> dict[str, bytes]:
        """0 and -0 are equal, but not the same: 1 divided by them has two signs."""
        return {name: np.asarray(value).tobytes() for name, value in self.values.items()}

    def is_fixed(self, name: str) -> bool:
        """Where a person has not said so: what is called as data, beside what is not."""
        return self.fixed.get(name, is_data(name) and not self._is_data_alone)

    @cached_property
    def _is_data_alone(self) -> bool:
        expression = readable(self.text)
        inputs = () if expression is None else (*expression.names, *expression.defaults)
        return all(is_data(name) for name in inputs if name not in PI)

    def endless(self, computed: Computed) -> str:
        """A leaf that should take a step, but whose gradient is not finite; "" for none."""
        for name in self.learning(computed):
            gradient = computed.gradient(computed.leaves[name])
            if gradient is not None and not np.isfinite(gradient).all():
                return name
        return ""

    def learning(self, computed: Computed) -> list[str]:
        """The leaves that take a step."""
        return [name for name in computed.leaves if not self.is_fixed(name)]

    def _moved(self, moved: Mapping[str, Any]) -> Experiment:
        """Into the lines of the text, where it can be read and has some, else beside it."""
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

    def state(self) -> dict[str, Any]:
        saved = asdict(self)
        saved["losses"] = [float(loss) for loss in self.losses if np.isfinite(loss)]
        del saved["pending"]
        return saved


def is_data(name: str) -> bool:
    """Whether an input of this name is data: it takes no gradient step."""
    return name[:1].lower() in GIVEN


def from_example(example: Example, rate: float = RATE) -> Experiment:
    values = with_names(example.text, dict(example.values))
    return Experiment(example.text, values, rate=rate)


def restored(state: Mapping[str, Any]) -> Experiment | None:
    """What `state` gave; None where it does not fit."""
    text, values = state.get("text"), state.get("values")
    if not isinstance(text, str) or not isinstance(values, dict):
        return None
    known = {name: value for name, value in values.items() if is_value(value)}
    fixed = state.get("fixed")
    fixed = fixed if isinstance(fixed, dict) else {}
    fixed = {name: on for name, on in fixed.items() if isinstance(on, bool)}
    rate = state.get("rate")
    if type(rate) not in (int, float) or not RATES[0] <= rate <= RATES[1]:
        rate = RATE
    losses, begin = state.get("losses"), state.get("begin")
    one = Experiment(text[:LONGEST], with_names(text[:LONGEST], known), fixed, float(rate))
    if not are_numbers(losses) or not isinstance(begin, list | tuple) or len(begin) != 2:
        return one
    if not isinstance(begin[0], str) or not isinstance(begin[1], dict):
        return one
    first = {name: value for name, value in begin[1].items() if is_value(value)}
    assert isinstance(losses, list | tuple)
    return replace(one, losses=tuple(map(float, losses))[-MOST_LOSSES:], begin=(begin[0], first))


def are_numbers(values: Any, count: int | None = None) -> bool:
    """A list of numbers, of this length if one is given."""
    return (
        isinstance(values, list | tuple)
        and all(type(one) in (int, float) for one in values)
        and count in (None, len(values))
    )


def is_value(value: Any) -> bool:
    """A number or nested lists of numbers of equal length."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return array.size > 0 and array.ndim <= 4


def plain(value: Any) -> Any:
    """As numbers and lists, which a session can keep."""
    return np.asarray(value, dtype=np.float64).tolist()
