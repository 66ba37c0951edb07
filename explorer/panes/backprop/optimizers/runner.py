"""Runs races on the engine, one at a time: the latest that is wanted comes next."""

from __future__ import annotations

import time
from itertools import islice
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from core.numbers import format_percent
from explorer.engine.latest import Latest
from explorer.panes.backprop.optimizers.racing import (
    Course,
    Lane,
    Recording,
    key_of,
    racing,
)

if TYPE_CHECKING:
    from explorer.panes.backprop.optimizers.mode import OptimizersMode

MOST_KNOWN = 40  # ways of one course: some of thousands of steps are a megabyte each
PATIENCE = 0.6  # seconds that a race may still run when another is wanted


class Runner(QObject):
    """Ways that are known are not run again: who is added, or set anew, runs alone."""

    def __init__(self, mode: OptimizersMode) -> None:
        super().__init__(mode)
        self._mode = mode
        self._known: dict[tuple[Any, ...], Lane] = {}
        self._wanted: tuple[Course, list[tuple[str, Any]]] | None = None  # after the one that runs
        self._course: Course | None = None
        self._asked: list[tuple[Any, ...]] = []
        self._trouble = False
        self._began = 0.0
        self._race = Latest(mode.engine, mode, foreground=True)
        self._race.progressed.connect(self._on_progress)
        self._race.came.connect(self._on_came)
        self._race.failed.connect(self._on_failed)
        self._race.ended.connect(self._on_ended)

    @property
    def busy(self) -> bool:
        return self._race.running

    def want(self, course: Course, entries: list[tuple[str, Any]]) -> None:
        """While settings are dragged a race that is soon done is shown before the next is run."""
        if self._keys(course, entries) == self._asked and not self.busy:
            if not self._trouble:  # it is there, else it could not be run
                self._mode.view.set_stale(False)
            return
        self._wanted = (course, entries)
        if not self.busy or time.monotonic() - self._began > PATIENCE:
            self._run_wanted()

    def _keys(self, course: Course, entries: list[tuple[str, Any]]) -> list[tuple[Any, ...]]:
        return [course.key, *(key_of(course, *entry) for entry in entries)]

    def _run_wanted(self) -> None:
        if self._wanted is None:
            return
        (course, entries), self._wanted = self._wanted, None
        self._began = time.monotonic()
        self._course, self._asked, self._trouble = course, self._keys(course, entries), True
        self._mode.view.body.set_waiting("running the race")
        self._race.ask(lambda: racing(course, entries, dict(self._known)), "a race of optimizers")

    def _remember(self, course: Course, recording: Recording) -> None:
        """The ways of this course that were run last, these first."""
        known = {key_of(course, lane.name, lane.settings): lane for lane in recording.lanes}
        for key, lane in self._known.items():
            if key[0] == course.key and key not in known:
                known[key] = lane
        self._known = dict(islice(known.items(), MOST_KNOWN))

    def _on_progress(self, shares: list[float]) -> None:
        told = f"running the race, {format_percent(shares[-1])}"
        self._mode.view.body.set_waiting(told)

    def _on_came(self, recording: Recording) -> None:
        course = self._course
        assert course is not None
        self._remember(course, recording)
        self._trouble = False
        self._mode.view.body.set_waiting("")
        self._mode.take_recording(recording)

    def _on_failed(self, message: str) -> None:
        self._mode.fail(message, self._course)

    def _on_ended(self) -> None:
        self._mode.view.body.set_waiting("")
        self._run_wanted()
