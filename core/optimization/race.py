"""Several optimizers from one start on one surface, step by step."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from core.numbers import format_general
from core.optimization.optimizers import optimizer
from core.optimization.race_rates import usual_settings
from core.optimization.rule import Rule
from core.optimization.schedules import learning_rate_at
from core.optimization.surfaces import Surface

FAR = 1e6  # from x = 0 or y = 0: thousands of times as far as any of the surfaces is drawn


@dataclass(frozen=True, slots=True)
class Racer:
    """One optimizer after a step.

    name, settings   who it is; the settings with the rate of its next step
    position         (x, y)
    height           of the surface there
    gradient         (2,) what it will be told there: the slope, and noise where the surface has it
    state            what it remembers, of its own shape (Muon's is (1, 2))
    lost_at          the step in which it ran away, its rate being too high here; it stands where it
                     was before
    """

    name: str
    settings: Any
    position: np.ndarray
    height: float
    gradient: np.ndarray
    state: Any
    lost_at: int | None = None


@dataclass(frozen=True, slots=True)
class RaceStep:
    """Where everybody is after `step` steps, in the order in which they were entered."""

    step: int
    racers: tuple[Racer, ...]


def race_steps(
    surface: Surface,
    entries: Iterable[tuple[str, Any]],
    start: tuple[float, float] | None = None,
    steps: int = 100,
    *,
    schedule: str = "constant",
    warmup_steps: int = 0,
    generator: np.random.Generator | None = None,
) -> Generator[RaceStep, None, None]:
    """Yields `steps` + 1 times: the start, then everybody's place after each step.

    entries    (optimizer's name, its settings or None for those that suit the surface)
    start      None: the surface's own
    schedule   by which everybody's learning rate goes, down to 0 where it falls
    generator  of the noise, which is the same for all; None: seed 0

    A height, slope or place that is not finite, or so far away that nobody comes back, ends the way
    of that racer alone: see `Racer.lost_at`.
    Muon, which moves matrices, is given (x, y) as a matrix of one row. Raises ValueError for an
    unknown optimizer or schedule, settings of another one, and a start that is not on the surface.
    """
    if not isinstance(steps, int) or steps < 1:
        raise ValueError(f"steps {steps!r} must be a whole number of at least 1")
    begin = np.array(surface.start if start is None else start, float)
    if begin.shape != (2,) or not np.isfinite(begin).all():
        raise ValueError(f"start {start!r} must be two finite numbers, x and y")
    height, slope = surface.gradient(begin)
    if not _finite(height, slope):
        raise ValueError(
            f"the surface has no finite height at ({format_general(begin[0])}, "
            f"{format_general(begin[1])}); start elsewhere"
        )
    generator = np.random.default_rng(0) if generator is None else generator
    chosen = [_entry(surface, name, settings) for name, settings in entries]

    def rated(settings: Any, step: int) -> Any:
        rate = learning_rate_at(
            step,
            schedule=schedule,
            learning_rate=settings.learning_rate,
            min_learning_rate=0.0,
            warmup_steps=warmup_steps,
            steps=steps,
        )
        return replace(settings, learning_rate=rate)

    gradient = slope + _noise(surface, generator)
    racers = [
        Racer(rule.name, rated(settings, 0), begin, height, gradient, rule.state())
        for rule, settings in chosen
    ]
    yield RaceStep(0, tuple(racers))
    for step in range(1, steps + 1):
        noise = _noise(surface, generator)
        racers = [
            _moved(racer, surface, step, noise, rated(settings, step))
            for racer, (_, settings) in zip(racers, chosen, strict=True)
        ]
        yield RaceStep(step, tuple(racers))


def _entry(surface: Surface, name: str, settings: Any) -> tuple[Rule, Any]:
    rule = optimizer(name)
    settings = usual_settings(surface, name) if settings is None else settings
    if type(settings) is not rule.settings:
        kind = type(settings).__name__
        raise ValueError(f"{rule.title} takes {rule.settings.__name__}, not {kind}")
    return rule, settings


def _moved(racer: Racer, surface: Surface, step: int, noise: np.ndarray, settings: Any) -> Racer:
    """The racer one step on; `settings` are those of the step after."""
    if racer.lost_at is not None:
        return racer
    rule = optimizer(racer.name)
    shape = (1, 2) if rule.matrices_only else (2,)
    param, grad = racer.position.reshape(shape), racer.gradient.reshape(shape)
    with np.errstate(all="ignore"):
        new, state = rule.update(param, grad, racer.state, step, racer.settings)
        position = new.reshape(2)
        height, slope = surface.gradient(position)
    lost = not _finite(position, height, slope) or np.abs(position).max() > FAR
    if lost:
        return replace(racer, lost_at=step)
    return Racer(racer.name, settings, position, height, slope + noise, state)


def _noise(surface: Surface, generator: np.random.Generator) -> np.ndarray:
    return generator.normal(0.0, surface.noise, 2) if surface.noise else np.zeros(2)


def _finite(*values: Any) -> bool:
    return all(bool(np.isfinite(value).all()) for value in values)
