"""Runs races and draws maps on the engine; the newest request is served next."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.numbers import format_percent
from core.optimization.surfaces import Span, Surface
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.backprop.optimizers.compute import (
    Course,
    Recording,
    key_of,
    places_key,
    record,
)
from explorer.panes.backprop.optimizers.contour import COARSE, Contours, Inks, contour_steps

MOST_KNOWN = 40  # cached paths of one course; a path of thousands of steps takes a megabyte
PATIENCE = 0.6  # seconds after which a new request interrupts a race


class RaceRunner(QObject):
    """Runs races, reusing the paths of unchanged optimizers.

    came(recording)
    failed(message, course)
    waiting(what)            "" when no race is running
    """

    came = Signal(object)
    failed = Signal(str, object)
    waiting = Signal(str)

    def __init__(self, engine: Engine, owner: QObject) -> None:
        super().__init__(owner)
        self.known: dict[tuple[Any, ...], Any] = {}
        self._wanted: tuple[Course, list[tuple[str, Any]]] | None = None  # runs next
        self._course: Course | None = None
        self._asked: list[tuple[Any, ...]] = []
        self._is_there = False  # True if the recording of `_asked` has arrived
        self._began = 0.0
        self._race = Latest(engine, owner, foreground=True)
        self._race.progressed.connect(self._on_progress)
        self._race.came.connect(self._on_came)
        self._race.failed.connect(lambda message: self.failed.emit(message, self._course))
        self._race.ended.connect(self._on_ended)

    @property
    def busy(self) -> bool:
        return self._race.running

    def ask(self, course: Course, entries: list[tuple[str, Any]]) -> bool:
        """Runs a race; returns False if its recording is already the last one. While a setting is
        dragged, the current race has PATIENCE seconds to finish before the next one begins.
        """
        if _keys(course, entries) == self._asked and not self.busy:
            return not self._is_there
        self._wanted = (course, entries)
        if not self.busy or time.monotonic() - self._began > PATIENCE:
            self._run_wanted()
        return True

    def stop(self) -> None:
        """Cancels the race; the next one is another."""
        self._wanted, self._asked = None, []
        self._race.stop()

    def _run_wanted(self) -> None:
        if self._wanted is None:
            return
        (course, entries), self._wanted = self._wanted, None
        self._began = time.monotonic()
        self._course, self._asked, self._is_there = course, _keys(course, entries), False
        self.waiting.emit("running the race")
        self._race.ask(lambda: record(course, entries, dict(self.known)), "a race of optimizers")

    def _on_progress(self, shares: list[float]) -> None:
        self.waiting.emit(f"running the race, {format_percent(shares[-1])}")

    def _on_came(self, recording: Recording) -> None:
        course = recording.course
        known: dict[tuple[Any, ...], Any] = {places_key(course): recording.places}
        known |= {key_of(course, lane.name, lane.settings): lane for lane in recording.lanes}
        known |= {
            k: lane for k, lane in self.known.items() if k[0] == course.key and k not in known
        }
        self.known, self._is_there = dict(islice(known.items(), MOST_KNOWN)), True
        self.waiting.emit("")
        self.came.emit(recording)

    def _on_ended(self) -> None:
        self.waiting.emit("")
        self._run_wanted()


def _keys(course: Course, entries: list[tuple[str, Any]]) -> list[tuple[Any, ...]]:
    return [course.key, *(key_of(course, *entry) for entry in entries)]


@dataclass(frozen=True)
class MapRequest:
    """The inputs of a map; see `contour_steps`."""

    surface: Surface
    span: Span
    width: int
    height: int
    ratio: float
    inks: Inks
    zoom: float

    def covers(self, other: MapRequest) -> bool:
        """Returns whether this map contains the whole span of another one."""
        left, right, bottom, top = other.span
        room = 1e-6 * (right - left)
        across = self.span[0] <= left + room and right <= self.span[1] + room
        down = self.span[2] <= bottom + room and top <= self.span[3] + room
        return self.surface is other.surface and across and down


class MapRunner(QObject):
    """Draws one map at a time; a coarse one first if new parts of the surface come into view.

    came(contours, is_coarse, surface)
    failed(message)
    ended()                             the view may have changed meanwhile
    """

    came = Signal(object, bool, object)
    failed = Signal(str)
    ended = Signal()

    def __init__(self, engine: Engine, owner: QObject) -> None:
        super().__init__(owner)
        self._asked: MapRequest | None = None
        self._drawn: MapRequest | None = None  # the newest map, coarse or fine
        self._finished: MapRequest | None = None  # the newest fine map
        self._map = Latest(engine, owner, foreground=True)
        self._map.came.connect(self._on_came)
        self._map.failed.connect(self.failed)
        self._map.ended.connect(self.ended)

    def ask(self, wanted: MapRequest) -> None:
        """Draws a map, unless it is ready or has failed."""
        if wanted == self._finished:
            return
        coarse = self._drawn is None or not self._drawn.covers(wanted)
        if coarse:
            wanted = replace(wanted, ratio=COARSE)
        asked = self._asked
        if self._map.running and asked is not None:
            is_other = asked.surface is not wanted.surface or (coarse and asked.ratio != COARSE)
        else:
            is_other = wanted != asked
        if is_other:
            self._asked = wanted
            self._map.ask(lambda: contour_steps(*vars(wanted).values()), "drawing the map")

    def _on_came(self, contours: Contours) -> None:
        assert self._asked is not None
        self._drawn = self._asked
        coarse = self._asked.ratio == COARSE
        if not coarse:
            self._finished = self._asked
        self.came.emit(contours, coarse, self._asked.surface)
