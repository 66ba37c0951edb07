"""The settings of a race: surface, start, optimizers and their settings. Does not import Qt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from core.autograd.grammar import LONGEST
from core.fields import check, field
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.race_rates import usual_settings
from core.optimization.rule import numbers_of
from core.optimization.schedules import SCHEDULES, usual_warmup
from core.optimization.surfaces import SURFACES, Surface
from core.optimization.typed_surface import typed_surface

TYPED = "typed"
EXAMPLE = "x**2 + 3*sin(y)*cos(x)"
USUAL_RACERS = ("sgd", "momentum", "adagrad", "adam")
STEPS = (1, 2000)
FAR = 1e6  # upper limit of |x| and |y| of a start

OF_AVERAGE = "The share of the average gradient that is kept at each step"
# Title and effect of each setting, by its name in the optimizers' settings.
CHOICES = {
    "learning_rate": ("Learning rate", "How far each step goes when the schedule is at its peak"),
    "momentum": ("Momentum", "The share of the velocity that is kept at each step"),
    "beta": ("\u03b2", "The share of the average square that is kept at each step"),
    "beta1": ("\u03b2\u2081", OF_AVERAGE),
    "beta2": ("\u03b2\u2082", "The share of the average square that is kept at each step"),
    "iterations": (
        "Iterations",
        "Iterations of Newton-Schulz; each makes the directions more equal in length",
    ),
    "eps": ("\u03b5", "Prevents division by 0"),
    "weight_decay": ("Weight decay", "How strongly x and y are pulled toward 0 at each step"),
}
OTHERWISE = {  # optimizers in which a setting has another effect
    ("lion", "beta1"): "The share of the average gradient in the mix whose sign is used",
    ("lion", "beta2"): OF_AVERAGE,
    ("muon", "momentum"): OF_AVERAGE,
}


def read_settings(given: Any) -> dict[str, dict[str, float]]:
    """Returns each optimizer's changed settings, without those that it does not have."""
    if not isinstance(given, Mapping):
        raise ValueError("use an object of settings for each optimizer")
    found = {}
    for name, own in given.items():
        if name in OPTIMIZERS and isinstance(own, Mapping):
            kept = {key: own[key] for key in own if key in keys_of(name) and is_number(own[key])}
            if kept:
                found[name] = kept
    return found


def is_number(value: Any) -> bool:
    """Returns whether a value is a finite number."""
    return isinstance(value, (int, float)) and type(value) is not bool and abs(value) < math.inf


@dataclass(frozen=True)
class OptimizersDraft:
    """The settings of one race.

    start     None for the surface's default start
    settings  by optimizer, the settings that differ from the usual ones
    warmup    steps; None for the schedule's usual number
    """

    surface: str = field("rosenbrock", choices=(*SURFACES, TYPED))
    text: str = field(EXAMPLE, longest=LONGEST + 1)
    start: tuple[float, float] | None = field(None, above=-FAR, below=FAR)
    racers: tuple[str, ...] = field(USUAL_RACERS, choices=OPTIMIZERS)
    settings: Mapping[str, Mapping[str, float]] = field(factory=dict, reader=read_settings)
    steps: int = field(200, least=STEPS[0], most=STEPS[1])
    schedule: str = field("constant", choices=SCHEDULES)
    warmup: int | None = field(None, least=0, most=STEPS[1], label="Warm-up")
    seed: int = field(0, least=0, below=1 << 31)

    def __post_init__(self) -> None:
        check(self)

    @property
    def warmup_steps(self) -> int:
        """The number of warm-up steps, at most the steps of the race."""
        usual = usual_warmup(self.schedule, self.steps)
        return min(usual if self.warmup is None else self.warmup, self.steps)

    def with_surface(self, name: str) -> OptimizersDraft:
        """Returns the race on another surface, with its default start and learning rates."""
        if name == self.surface:
            return self
        one = self
        for racer in self.settings:
            one = one.without_setting(racer, "learning_rate")
        return replace(one, surface=name, start=None)

    def with_text(self, text: str) -> OptimizersDraft:
        """Returns the race on the surface of a typed formula."""
        return replace(self, text=text[: LONGEST + 1], surface=TYPED)

    def with_schedule(self, name: str) -> OptimizersDraft:
        """Returns the race with another schedule; a warm-up of 0 becomes its usual one."""
        return replace(self, schedule=name, warmup=self.warmup or None)

    def with_racer(self, name: str, races: bool) -> OptimizersDraft:
        """Returns the race with or without an optimizer."""
        chosen = set(self.racers) | {name} if races else set(self.racers) - {name}
        return replace(self, racers=tuple(one for one in OPTIMIZERS if one in chosen))

    def with_setting(self, name: str, key: str, value: float) -> OptimizersDraft:
        """Returns the race with a changed setting. Raises ValueError if the rule lacks it."""
        if key not in keys_of(name):
            has = ", ".join(keys_of(name))
            raise ValueError(f"{OPTIMIZERS[name].title} has no {key}: use one of {has}")
        own = {**self.settings.get(name, {}), key: value}
        return replace(self, settings={**self.settings, name: own})

    def without_setting(self, name: str, key: str) -> OptimizersDraft:
        """Returns the race with the usual value of a setting."""
        own = {one: value for one, value in self.settings.get(name, {}).items() if one != key}
        rest = {one: values for one, values in self.settings.items() if one != name}
        return replace(self, settings={**rest, name: own} if own else rest)

    def with_usual(self, name: str) -> OptimizersDraft:
        """Returns the race with all usual settings of an optimizer."""
        return replace(
            self, settings={one: own for one, own in self.settings.items() if one != name}
        )


def surface_of(draft: OptimizersDraft) -> Surface:
    """Returns the draft's surface. Raises ExpressionError for a formula that cannot be parsed."""
    if draft.surface == TYPED:
        return typed_surface(draft.text)
    return SURFACES[draft.surface]


def keys_of(name: str) -> list[str]:
    """Returns the names of an optimizer's settings that the user can change."""
    names = [one.name for one in fields(OPTIMIZERS[name].settings)]
    spread = [["beta1", "beta2"] if one == "betas" else [one] for one in names]
    return [key for keys in spread for key in keys if key in CHOICES]


def hint_of(name: str, key: str) -> str:
    """Returns the effect of an optimizer's setting, in words."""
    return OTHERWISE.get((name, key), CHOICES[key][1])


def values_of(draft: OptimizersDraft, surface: Surface, name: str) -> dict[str, float]:
    """Returns an optimizer's settings by name."""
    values = numbers_of(usual_settings(surface, name))
    return {key: values[key] for key in keys_of(name)} | dict(draft.settings.get(name, {}))


def settings_of(draft: OptimizersDraft, surface: Surface, name: str) -> Any:
    """Returns the settings object of a rule. Raises ValueError for a value that it refuses."""
    values: dict[str, Any] = values_of(draft, surface, name)
    if "beta1" in values:
        values["betas"] = (values.pop("beta1"), values.pop("beta2"))
    if "iterations" in values:
        values["iterations"] = whole(values["iterations"])
    return replace(usual_settings(surface, name), **values)


def settings_error(draft: OptimizersDraft, surface: Surface, name: str) -> str:
    """Returns the error in an optimizer's settings, or ""."""
    try:
        settings_of(draft, surface, name)
    except (ValueError, OverflowError) as error:
        return f"{OPTIMIZERS[name].title}: {error}"
    return ""


def whole(value: float) -> int | float:
    """Converts a whole number to int."""
    return int(value) if value == int(value) else value
