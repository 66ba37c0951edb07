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

FAR = 1e6  # from x = 0 or y = 0: far outside the drawn part of any surface


@dataclass(frozen=True, slots=True)
class Racer:
    """One optimizer after a step.

    name, settings   the optimizer; its settings with the learning rate of the next step
    position         (x, y)
    height           of the surface at the position
    gradient         (2,) for the next step: the slope, plus noise if the surface has any
    state            the state of the rule, in the shape of its parameter (Muon's is (1, 2))
    lost_at          the step in which it diverged, since its rate is too high here; its position
                     is the one before that step
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
    """All racers after `step` steps, in the order of the entries."""

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
    """Yields `steps` + 1 times: the start, then all racers after each step.

    entries    (name of the optimizer, its settings or None for those that suit the surface)
    start      None: the surface's own
    schedule   of all learning rates; if it decays, it decays to 0
    generator  of the noise, which is the same for all racers; None: seed 0

    A racer stops if its height, slope or position is not finite or its position is beyond FAR; the
    others continue: see `Racer.lost_at`.
    Muon, which moves matrices, gets (x, y) as a matrix of one row. Raises ValueError for an unknown
    optimizer or schedule, settings of another optimizer, fewer than one step, or a start without a
    finite height.
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
    """Returns the racer after one more step; `settings` are those of the step after it."""
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
