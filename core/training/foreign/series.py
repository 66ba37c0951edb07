"""Named series of numbers over steps, and how they are collected from a log."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from core.files import GET_AGAIN

# Bounds on the contents of a log from elsewhere.
MOST_POINTS = 4_000_000  # of all series together
MOST_SERIES = 10_000
LONGEST_NAME = 1000
LAST_STEP = 1 << 53  # steps may count tokens; beyond this a float is no longer exact


@dataclass(frozen=True, eq=False)
class Series:
    """Values by step: three arrays of one length, with increasing steps.

    times  Unix time of each value; NaN if the log does not contain it
    """

    steps: np.ndarray
    values: np.ndarray
    times: np.ndarray


@dataclass(frozen=True, eq=False)
class Log:
    """The contents of a log.

    series   by their names in the log
    damaged  number of records and lines left out
    planned  planned steps of the training; 0: unknown
    """

    series: Mapping[str, Series]
    damaged: int = 0
    planned: int = 0


class LogReader(Protocol):
    """Reads one kind of log."""

    def files(self) -> list[Path]:
        """Returns its current files: others may be added while it grows."""

    def read(self) -> Log:
        """Returns everything so far. Raises ValueError, with a remedy, or OSError."""


def is_number(value: object) -> bool:
    """Returns whether a float can hold it; infinity and NaN are numbers, true and false are not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) < 1 << 1023


def is_step(value: object) -> bool:
    """Returns whether a number can be a step: whole, not negative, and exact as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value < LAST_STEP and value == int(value)


@dataclass
class _Points:
    """Points in the order of the log."""

    steps: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    times: array[float] = field(default_factory=lambda: array("d"))

    def series(self) -> Series:
        """Returns the points by step; of two values of one step the later counts."""
        steps = np.array(self.steps, np.int64)
        order = np.argsort(steps, kind="stable")
        steps = steps[order]
        last = np.append(steps[1:] != steps[:-1], True) if len(steps) else np.empty(0, bool)
        kept = order[last]
        values, times = np.array(self.values), np.array(self.times)
        return Series(steps[last], values[kept], times[kept])


class Collector:
    """Collects numbers by name. `source` is the log's name in error messages."""

    def __init__(self, source: object) -> None:
        self._source = source
        self._points: dict[str, _Points] = {}
        self._count = 0

    def add(self, name: str, step: int, value: float, time: float = math.nan) -> None:
        """Adds a number. Raises ValueError if a log exceeds the limits."""
        points = self._points.get(name)
        if points is None:
            if len(self._points) >= MOST_SERIES or len(name) > LONGEST_NAME:
                raise ValueError(
                    f"{self._source} holds more than {MOST_SERIES:,} series, or one whose name has "
                    f"more than {LONGEST_NAME:,} characters: {GET_AGAIN}, or log fewer"
                )
            points = self._points[name] = _Points()
        self._count += 1
        if self._count > MOST_POINTS:
            raise ValueError(
                f"{self._source} holds more than {MOST_POINTS:,} numbers, more than is read of a "
                "log: choose one with fewer, or log less often"
            )
        points.steps.append(step)
        points.values.append(value)
        points.times.append(time)

    def drop_from(self, step: int) -> None:
        """Drops values from a step on, when a run resumed at this step replaces them."""
        for name, points in self._points.items():
            kept = [index for index, at in enumerate(points.steps) if at < step]
            if len(kept) < len(points.steps):
                self._points[name] = _Points(
                    array("q", (points.steps[index] for index in kept)),
                    array("d", (points.values[index] for index in kept)),
                    array("d", (points.times[index] for index in kept)),
                )

    def series(self) -> dict[str, Series]:
        """Returns all series so far, in the order of their first values."""
        return {name: points.series() for name, points in self._points.items() if points.steps}
