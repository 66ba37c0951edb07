"""The engine's work: a race of optimizers, recorded so that every step can be replayed."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from core.jobs import Pace
from core.optimization.curvature import limits_rate
from core.optimization.optimizer_trace import trace_update
from core.optimization.optimizers import optimizer
from core.optimization.race import FAR, Racer, race_steps
from core.optimization.stationary import Point, Stationary, stationary_points_steps
from core.optimization.surfaces import Surface
from core.trace import Trace

NONE = Stationary()
DOWN = 1e-3  # share of the descent from the start; an optimizer has arrived when less is left
AVERAGED = 20  # steps whose mean height is compared on a noisy surface, where one alone is chance
NEAR = 0.02  # share of the map's side: an optimizer nearer to a minimum or a saddle is at it


@dataclass(frozen=True)
class Course:
    """The settings shared by all optimizers of a race. `text` identifies a typed surface."""

    surface: Surface
    text: str
    start: Point
    steps: int
    schedule: str
    warmup: int
    seed: int

    @property
    def key(self) -> tuple[Any, ...]:
        """The identity of the course, for caching."""
        return (
            self.surface.name, self.text, self.start,
            self.steps, self.schedule, self.warmup, self.seed,
        )  # fmt: skip


def between(one: np.ndarray, two: np.ndarray, share: float) -> np.ndarray:
    """Interpolates between two points; exact at both ends, even if the other point is inf."""
    if share <= 0 or share >= 1:
        return two if share >= 1 else one
    with np.errstate(all="ignore"):
        return (1 - share) * one + share * two


@dataclass(frozen=True, eq=False)
class Lane:
    """One optimizer's path: `racers[k]` is its state after k steps; positions (n, 2), heights (n,).

    `held_back`: it is SGD, and ends in a valley whose steep walls limit its learning rate.
    """

    name: str
    settings: Any
    racers: tuple[Racer, ...]
    held_back: bool = False

    @property
    def title(self) -> str:
        """The optimizer's display name."""
        return optimizer(self.name).title

    @cached_property
    def lost_at(self) -> int | None:
        """The step at which the optimizer diverged, or None."""
        return self.racers[-1].lost_at

    @cached_property
    def fell_off(self) -> bool:
        """Whether it was lost nearby, at a point where the surface has no height."""
        if self.lost_at is None:
            return False
        new = np.asarray(self.trace(self.lost_at).about["new"], float)
        return bool(np.isfinite(new).all() and np.abs(new).max() <= FAR)

    @cached_property
    def positions(self) -> np.ndarray:
        return np.stack([racer.position for racer in self.racers])

    @cached_property
    def heights(self) -> np.ndarray:
        return np.array([racer.height for racer in self.racers])

    def at(self, position: float) -> np.ndarray:
        """Returns (x, y) at a position of the cursor, which may be between two steps."""
        last = len(self.racers) - 1
        low = min(max(0, int(position)), last)
        share = min(max(0.0, position - low), 1.0)
        return between(self.positions[low], self.positions[min(low + 1, last)], share)

    def is_lost(self, step: int) -> bool:
        """Returns whether the optimizer has diverged by this step."""
        return self.lost_at is not None and self.lost_at <= step

    def trace(self, step: int) -> Trace:
        """Returns the lines of step number `step`, counted from 1."""
        step = min(step, self.lost_at or step)
        before = self.racers[step - 1]
        shape = (1, 2) if optimizer(self.name).matrices_only else (2,)
        return trace_update(
            self.name,
            before.position.reshape(shape),
            before.gradient.reshape(shape),
            before.state,
            step,
            before.settings,
        )


@dataclass(frozen=True, eq=False)
class Recording:
    """All paths on one course, in the order of the optimizers; `trouble` is the error if none.

    `places`: the known minima and saddles of the surface.
    """

    course: Course
    lanes: tuple[Lane, ...]
    trouble: str = ""
    places: Stationary = NONE

    @property
    def length(self) -> int:
        """The number of moments: the start and every step."""
        return self.course.steps + 1

    def lane(self, name: str) -> Lane | None:
        """Returns the path of an optimizer; None if it does not race."""
        return next((lane for lane in self.lanes if lane.name == name), None)

    def title(self, name: str) -> str:
        """Returns an optimizer's display name."""
        return optimizer(name).title

    @cached_property
    def bottom(self) -> float:
        """The height of the lowest minimum; nan if none is known, or if a path went below it."""
        known = [float(self.course.surface.value(*point)) for point in self.places.minima]
        lowest = min((float(lane.heights.min()) for lane in self.lanes), default=math.inf)
        bottom = min(known, default=math.nan)
        return bottom if lowest >= bottom - 1e-9 * max(1.0, abs(bottom)) else math.nan

    @property
    def descent(self) -> float:
        """The height of the start above the bottom; nan if the bottom is unknown."""
        return float(self.lanes[0].heights[0]) - self.bottom if self.lanes else math.nan

    @property
    def noisy(self) -> bool:
        """Whether the gradients have noise."""
        return self.course.surface.noise > 0

    @cached_property
    def arrivals(self) -> dict[str, int]:
        """The step from which each optimizer stays below DOWN times the descent above the bottom.
        Empty with noise, where no optimizer stays and the last heights are chance.
        """
        if self.noisy or not self.descent > 0:
            return {}
        limit, found = self.bottom + DOWN * self.descent, {}
        for lane in self.lanes:
            high = np.flatnonzero(lane.heights > limit)
            down = int(high[-1]) + 1 if high.size else 0
            if lane.lost_at is None and down < self.length:
                found[lane.name] = down
        return found

    @property
    def stands_still(self) -> bool:
        """Whether no optimizer can leave the start, because its slope is 0."""
        return bool(self.lanes) and all(
            not lane.racers[0].gradient.any() and (lane.positions == lane.positions[0]).all()
            for lane in self.lanes
        )

    @property
    def held_back(self) -> Lane | None:
        """SGD's path, if it ends halfway along a valley whose walls limit its rate; else None."""
        lane = self.lane("sgd")
        return lane if lane and lane.held_back and lane.name not in self.arrivals else None

    def height(self, lane: Lane, step: int) -> float:
        """Returns the height for comparisons; with noise, the mean of the last AVERAGED steps."""
        first = max(0, step - AVERAGED + 1) if self.noisy else step
        return float(lane.heights[first : step + 1].mean())

    def leaders(self, step: int) -> list[Lane]:
        """Returns the lowest optimizers after that many steps: several only if tied."""
        running = [lane for lane in self.lanes if not lane.is_lost(step)]
        lowest = min((self.height(lane, step) for lane in running), default=0.0)
        return [lane for lane in running if self.height(lane, step) == lowest]

    def lost(self, step: int) -> list[Lane]:
        """Returns the optimizers that have diverged by this step."""
        return [lane for lane in self.lanes if lane.is_lost(step)]

    def place(self, lane: Lane, step: int) -> str:
        """Returns what an optimizer is near: "saddle", "minimum" (not the lowest one), or ""."""
        left, right, bottom, top = self.course.surface.span
        reach = NEAR * max(right - left, top - bottom)
        higher = [
            point
            for point in self.places.minima
            if self.course.surface.value(*point) > self.bottom + DOWN * abs(self.descent)
        ]
        for kind, points in (("minimum", higher), ("saddle", self.places.saddles)):
            if any(math.dist(point, lane.positions[step]) < reach for point in points):
                return kind
        return ""


def record(
    course: Course,
    entries: Sequence[tuple[str, Any]],
    known: Mapping[tuple[Any, ...], Any],
) -> Generator[float, None, Recording]:
    """Records the path of every entry (name, settings); yields the share done.

    Reuses the paths in `known` (by `key_of`) and the minima and saddles of a surface (by
    `places_key`): optimizers do not depend on each other, and the noise is the same for all.
    Raises ValueError for a start where the surface has no height.
    """
    pace = Pace()
    lanes = []
    for number, (name, settings) in enumerate(entries):
        lane = known.get(key_of(course, name, settings))
        if lane is None:
            racers = []
            steps = race_steps(
                course.surface,
                [(name, settings)],
                course.start,
                course.steps,
                schedule=course.schedule,
                warmup_steps=course.warmup,
                generator=np.random.default_rng(course.seed),
            )
            for moment in steps:
                racers.append(moment.racers[0])
                if pace.is_due():
                    yield (number + moment.step / course.steps) / len(entries)
                    pace.go_on()
            lane = Lane(name, settings, tuple(racers))
            if name == "sgd" and lane.lost_at is None:
                limited = limits_rate(course.surface, lane.positions, settings.learning_rate)
                lane = replace(lane, held_back=limited)
        lanes.append(lane)
    places = known.get(places_key(course))
    if places is None:
        places = yield from find_places(course.surface, course.start)
    return Recording(course, tuple(lanes), places=places)


def find_places(surface: Surface, near: Point) -> Generator[float, None, Stationary]:
    """Finds minima and saddles: the surface's known minima, and the results of a search."""
    found = yield from stationary_points_steps(surface, near=near)
    more = [
        point
        for point in found.minima
        if all(math.dist(point, known) > 1e-3 for known in surface.minima)
    ]
    return Stationary((*surface.minima, *more), found.saddles)


def key_of(course: Course, name: str, settings: Any) -> tuple[Any, ...]:
    """Returns the cache key of a path."""
    return (course.key, name, settings)


def places_key(course: Course) -> tuple[Any, ...]:
    """Returns the cache key of a surface's minima and saddles."""
    return (course.surface.name, course.text)
