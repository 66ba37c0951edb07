"""The race as a recording: each optimizer's way, where all can be looked at again. No Qt."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from core.jobs import Pace
from core.optimization.optimizer_trace import trace_update
from core.optimization.optimizers import optimizer
from core.optimization.race import FAR, Racer, race_steps
from core.optimization.surfaces import Surface
from core.trace import Trace
from explorer.panes.backprop.optimizers.crawling import is_held_back
from explorer.panes.backprop.optimizers.prospect import Prospect, prospect

DOWN = 1e-3  # of the height between the start and the lowest: who is within that is down
HIGH = 0.9  # of the map: a start that is higher than so much of it counts as no higher
BASIN = 0.1  # of the map: the bottom lies within the lowest part of it, however high the start
SAME = 1e-6  # of the bottom's own height: who are nearer to one another are equally low
STEEP = 1e-2  # of the slope at the start: where it is less, the surface has nearly ended falling
STAYS = 10  # steps that one has to be down for, of a race of 200 or more: one alone is chance
SPELL = 20  # steps whose average is compared where noise lets nobody stand still
AROUND = 0.01  # of what is worth drawing: a little way, within which a place is judged
UNKNOWN = Prospect(math.nan)


@dataclass(frozen=True)
class Course:
    """What all racers have in common. `text` tells typed surfaces apart."""

    surface: Surface
    text: str
    start: tuple[float, float]
    steps: int
    schedule: str
    warmup: int
    seed: int

    @property
    def key(self) -> tuple[Any, ...]:
        return (
            self.surface.name, self.text, self.start,
            self.steps, self.schedule, self.warmup, self.seed,
        )  # fmt: skip


def between(one: np.ndarray, two: np.ndarray, share: float) -> np.ndarray:
    """On the way from one to two; at an end exactly that, were the other infinite."""
    if share <= 0 or share >= 1:
        return two if share >= 1 else one
    with np.errstate(all="ignore"):
        return (1 - share) * one + share * two


@dataclass(frozen=True, eq=False)
class Lane:
    """One optimizer's way: `racers[k]` is it after k steps; positions (n, 2), heights (n,).

    `held_back` says of SGD whether it ends in a valley whose walls allow no larger steps.
    """

    name: str
    settings: Any
    racers: tuple[Racer, ...]
    held_back: bool = False

    @property
    def title(self) -> str:
        return optimizer(self.name).title

    @cached_property
    def lost_at(self) -> int | None:
        return self.racers[-1].lost_at

    @cached_property
    def fell_off(self) -> bool:
        """Whether it was lost though it had not gone far: the surface has no height there."""
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
        """(x, y) at a position of the cursor, which may lie between two steps."""
        last = len(self.racers) - 1
        low = min(max(0, int(position)), last)
        share = min(max(0.0, position - low), 1.0)
        return between(self.positions[low], self.positions[min(low + 1, last)], share)

    def trace(self, step: int) -> Trace:
        """The step that led to where it is after `step` steps, line by line; `step` from 1."""
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
    """All ways on one course, in the order of the optimizers; `trouble` says why there is none.
    `prospect` is what was in sight of the surface.
    """

    course: Course
    lanes: tuple[Lane, ...]
    trouble: str = ""
    prospect: Prospect = UNKNOWN

    @property
    def length(self) -> int:
        """The start and every step."""
        return self.course.steps + 1

    def lane(self, name: str) -> Lane | None:
        return next((lane for lane in self.lanes if lane.name == name), None)

    @cached_property
    def lowest(self) -> float:
        """Of the surface, as far as anybody knows."""
        known = [] if math.isnan(self.prospect.lowest) else [self.prospect.lowest]
        return min([*known, *(float(lane.heights.min()) for lane in self.lanes)], default=math.nan)

    @cached_property
    def descent(self) -> float:
        """How far it is down from the start to the lowest; of a start far above the map, such as
        that on e^e^(x^2), from the height of most of the map.
        """
        if not self.lanes:
            return 0.0
        begun = float(self.lanes[0].heights[0])
        return min(begun, self.prospect.quantile(HIGH, self.lowest)) - self.lowest

    @cached_property
    def endless(self) -> bool:
        """Whether the surface falls on and on: there is no lowest place in sight, and where
        somebody came lowest it is still steep.
        """
        if not self.lanes or not math.isnan(self.prospect.lowest):
            return False
        lane = min(self.lanes, key=lambda one: one.heights.min())
        racer = lane.racers[int(lane.heights.argmin())]
        steep, begun = (math.hypot(*one.gradient) for one in (racer, lane.racers[0]))
        return bool(racer.height < lane.heights[0] and steep > STEEP * begun)

    @cached_property
    def stands_still(self) -> bool:
        """Whether nobody ever left the start."""
        return bool(self.lanes) and all(
            lane.lost_at is None and (lane.positions == lane.positions[0]).all()
            for lane in self.lanes
        )

    @cached_property
    def lowest_is_low(self) -> bool:
        """Whether it goes up all around the lowest place: else it is a saddle, or a slope on which
        all have grown slow.
        """
        if not self.lanes or not math.isnan(self.prospect.lowest):
            return bool(self.lanes)
        lane = min(self.lanes, key=lambda one: one.heights.min())
        x, y = lane.positions[int(lane.heights.argmin())]
        angles, reach = np.linspace(0.0, 2 * np.pi, 16, endpoint=False), self._reach
        around = self.course.surface.value(x + reach * np.cos(angles), y + reach * np.sin(angles))
        return bool((around > self.lowest).all())

    @property
    def _reach(self) -> float:
        """A little way on the map."""
        left, right, bottom, top = self.course.surface.span
        return AROUND * max(right - left, top - bottom)

    @property
    def noisy(self) -> bool:
        return self.course.surface.noise > 0

    def height(self, lane: Lane, step: int) -> float:
        """By which racers are compared: with noise the average of the last steps, for a single one
        is chance.
        """
        first = max(0, step - SPELL + 1) if self.noisy else step
        return float(lane.heights[first : step + 1].mean())

    @cached_property
    def arrivals(self) -> dict[str, int]:
        """By name the step at which one came down, for those that did and stayed there for a while.
        With noise nobody stays: all wander about, and who is near at the end is chance.
        """
        if self.descent <= 0 or self.endless or self.noisy or not self.lowest_is_low:
            return {}
        limit = self.low
        latest = self.course.steps - min(STAYS, self.course.steps // 20)
        found = {}
        for lane in self.lanes:
            high = np.flatnonzero(lane.heights > limit)
            down = int(high[-1]) + 1 if high.size else 0
            if lane.lost_at is None and down <= latest:
                found[lane.name] = down
        return found

    @property
    def crawling(self) -> Lane | None:
        """Who at the end is still on its way through a flat valley whose walls allow no larger
        steps: SGD, whose steps are as large as the slope.
        """
        lane = self.lane("sgd")
        return lane if lane and lane.held_back and lane.name not in self.arrivals else None

    @cached_property
    def low(self) -> float:
        """Who is no higher is down, if it stays there."""
        basin = self.prospect.quantile(BASIN, self.lowest)
        return min(self.lowest + DOWN * self.descent, basin)

    def leaders(self, step: int) -> list[Lane]:
        """Who are lowest after that many steps, the lowest first; several that are equally low."""
        running = [lane for lane in self.lanes if not _is_lost(lane, step)]
        heights = {lane.name: self.height(lane, step) for lane in running}
        running.sort(key=lambda lane: heights[lane.name])
        lowest = min(heights.values(), default=0.0)
        begun = self.lanes[0].heights[0] if self.lanes else lowest
        come = max(0.0, DOWN * (begun - lowest))  # of those who still run
        limit = lowest + SAME * min(come, self.low - self.lowest)
        return [lane for lane in running if heights[lane.name] <= limit]

    def fell_away(self, lane: Lane) -> bool:
        """Whether it is lost because the surface falls on and on, not because its steps grew."""
        if lane.lost_at is None or not self.endless or lane.fell_off:
            return False
        return bool(lane.heights[lane.lost_at - 1] < lane.heights[0])

    def rests_at(self, lane: Lane, step: int) -> bool:
        """Whether it has come to rest above the lowest: along the slope where it stands it would
        come hardly lower, and for a tenth of its steps it has not.
        """
        before, height = lane.heights[step - max(1, step // 10)], lane.heights[step]
        ahead = self._reach * math.hypot(*lane.racers[step].gradient)
        return bool(max(ahead, before - height) < DOWN * (height - self.lowest))

    def lost(self, step: int) -> list[Lane]:
        """Those that have run away by then."""
        return [lane for lane in self.lanes if _is_lost(lane, step)]


def _is_lost(lane: Lane, step: int) -> bool:
    return lane.lost_at is not None and lane.lost_at <= step


def racing(
    course: Course,
    entries: Sequence[tuple[str, Any]],
    known: Mapping[tuple[Any, ...], Lane],
) -> Generator[float, None, Recording]:
    """Records every entry's way, those in `known` (by `key_of`) excepted; yields the share done.

    One races like another, whoever else does: the noise is the same for all. Raises ValueError for
    a start that is not on the surface, and for a surface that has no height where it is drawn.
    """
    pace = Pace()
    lanes = []
    seen = prospect(course.surface)
    if seen.nowhere and not math.isfinite(course.surface.value(*course.start)):
        raise ValueError("the surface has no height anywhere that is drawn; change the formula")
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
                slow = is_held_back(course.surface, lane.positions, settings.learning_rate)
                lane = replace(lane, held_back=slow)
        lanes.append(lane)
    return Recording(course, tuple(lanes), prospect=seen)


def key_of(course: Course, name: str, settings: Any) -> tuple[Any, ...]:
    return (course.key, name, settings)
