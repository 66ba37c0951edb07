"""What a person has set up: surface, start, who races and how. Plain data that a session keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

import numpy as np

from core.autograd.grammar import LONGEST
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
FAR = 1e6  # a start further away than this is none

# What a person may set, in the settings' order: its name there, its title, what it does.
CHOICES = {
    "learning_rate": ("Learning rate", "How far each step goes, at the schedule's peak"),
    "momentum": ("Momentum", "The share of what is remembered that stays at each step"),
    "beta": ("\u03b2", "The share of the average square that stays at each step"),
    "beta1": ("\u03b2\u2081", "The share of the average gradient that stays at each step"),
    "beta2": ("\u03b2\u2082", "The share of the average square that stays at each step"),
    "iterations": ("Iterations", "Of Newton-Schulz: how evenly long the directions become"),
    "eps": ("\u03b5", "Keeps the division finite"),
    "weight_decay": ("Weight decay", "How much x and y shrink towards 0 at each step"),
}


@dataclass(frozen=True)
class OptimizersDraft:
    """start     None: the surface's own
    settings  by optimizer what a person has set; all else is usual
    warmup    steps that a person has set; None: those that belong to the schedule
    """

    surface: str = "rosenbrock"
    text: str = EXAMPLE
    start: tuple[float, float] | None = None
    racers: tuple[str, ...] = USUAL_RACERS
    settings: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    steps: int = 200
    schedule: str = "constant"
    warmup: int | None = None
    seed: int = 0

    @property
    def warmup_steps(self) -> int:
        """Those that hold: never more than the race has steps."""
        usual = usual_warmup(self.schedule, self.steps)
        return min(usual if self.warmup is None else self.warmup, self.steps)

    def with_surface(self, name: str) -> OptimizersDraft:
        """Another surface has its own start, and rates that suit it."""
        if name == self.surface:
            return self
        one = self
        for racer in self.settings:
            one = one.without_setting(racer, "learning_rate")
        return replace(one, surface=name, start=None)

    def with_text(self, text: str) -> OptimizersDraft:
        return replace(self, text=text[: LONGEST + 1], surface=TYPED)

    def with_schedule(self, name: str) -> OptimizersDraft:
        """A warm-up that was set stays; none may be nothing with the other schedule."""
        return replace(self, schedule=name, warmup=self.warmup or None)

    def with_racer(self, name: str, races: bool) -> OptimizersDraft:
        chosen = set(self.racers) | {name} if races else set(self.racers) - {name}
        return replace(self, racers=tuple(one for one in OPTIMIZERS if one in chosen))

    def with_setting(self, name: str, key: str, value: float) -> OptimizersDraft:
        """Raises ValueError for a setting that the optimizer does not have."""
        if key not in keys_of(name):
            has = ", ".join(keys_of(name))
            raise ValueError(f"{OPTIMIZERS[name].title} has no {key}: use one of {has}")
        own = {**self.settings.get(name, {}), key: value}
        return replace(self, settings={**self.settings, name: own})

    def without_setting(self, name: str, key: str) -> OptimizersDraft:
        """That setting as it was."""
        own = {one: value for one, value in self.settings.get(name, {}).items() if one != key}
        rest = {one: values for one, values in self.settings.items() if one != name}
        return replace(self, settings={**rest, name: own} if own else rest)

    def with_usual(self, name: str) -> OptimizersDraft:
        """All settings of an optimizer as they were."""
        return replace(
            self, settings={one: own for one, own in self.settings.items() if one != name}
        )

    def state(self) -> dict[str, Any]:
        saved = asdict(self)
        saved["start"] = None if self.start is None else list(self.start)
        saved["racers"] = list(self.racers)
        return saved


def surface_of(experiment: OptimizersDraft) -> Surface:
    """Raises ExpressionError for a typed formula that cannot be read."""
    if experiment.surface == TYPED:
        return typed_surface(experiment.text)
    return SURFACES[experiment.surface]


def keys_of(name: str) -> list[str]:
    """What a person may set of an optimizer."""
    names = [one.name for one in fields(OPTIMIZERS[name].settings)]
    spread = [["beta1", "beta2"] if one == "betas" else [one] for one in names]
    return [key for keys in spread for key in keys if key in CHOICES]


def values_of(experiment: OptimizersDraft, surface: Surface, name: str) -> dict[str, float]:
    """The settings that hold, by key."""
    values = numbers_of(usual_settings(surface, name))
    return {key: values[key] for key in keys_of(name)} | dict(experiment.settings.get(name, {}))


def settings_of(experiment: OptimizersDraft, surface: Surface, name: str) -> Any:
    """The rule's settings. Raises ValueError for a value that it refuses."""
    values: dict[str, Any] = values_of(experiment, surface, name)
    if "beta1" in values:
        values["betas"] = (values.pop("beta1"), values.pop("beta2"))
    if "iterations" in values:
        values["iterations"] = whole(values["iterations"])
    return replace(usual_settings(surface, name), **values)


def whole(value: float) -> int | float:
    """As a whole number where it is one."""
    return int(value) if value == int(value) else value


def restored(state: Mapping[str, Any]) -> OptimizersDraft:
    """What `state` gave; what does not fit is as at first."""
    usual = OptimizersDraft()
    surface, text = state.get("surface"), state.get("text")
    racers, steps = state.get("racers"), state.get("steps")
    schedule, warmup, seed = state.get("schedule"), state.get("warmup"), state.get("seed")
    known = isinstance(racers, list | tuple)
    one = OptimizersDraft(
        surface if surface in (*SURFACES, TYPED) else usual.surface,
        text[:LONGEST] if isinstance(text, str) else usual.text,
        _pair(state.get("start")),
        tuple(name for name in OPTIMIZERS if name in racers) if known else usual.racers,
        {},
        steps if type(steps) is int and STEPS[0] <= steps <= STEPS[1] else usual.steps,
        schedule if schedule in SCHEDULES else usual.schedule,
        warmup if type(warmup) is int and 0 <= warmup <= STEPS[1] else None,
        seed if type(seed) is int and 0 <= seed < 2**31 else 0,
    )
    settings = state.get("settings")
    for name, own in (settings if isinstance(settings, dict) else {}).items():
        if name in OPTIMIZERS and isinstance(own, dict):
            for key, value in own.items():
                one = _tried(one, name, key, value)
    return one


def _tried(experiment: OptimizersDraft, name: str, key: str, value: Any) -> OptimizersDraft:
    """With that setting, where the optimizer takes it."""
    if key not in keys_of(name) or type(value) not in (int, float):
        return experiment
    changed = experiment.with_setting(name, key, value)
    try:
        settings_of(changed, SURFACES["bowl"], name)
    except (ValueError, OverflowError):
        return experiment
    return changed


def _pair(value: Any) -> tuple[float, float] | None:
    if not isinstance(value, list | tuple) or len(value) != 2:
        return None
    if not all(type(one) in (int, float) for one in value):
        return None
    if not np.abs(value).max() < FAR:
        return None
    return float(value[0]), float(value[1])
