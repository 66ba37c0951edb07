"""Runs races on the engine, one at a time: the latest that is wanted comes next."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from explorer import errors, tasks
from explorer.engine import EngineDied
from explorer.panes.backprop.optimizers.racing import (
    Course,
    Lane,
    Recording,
    key_of,
    racing,
)
from explorer.theme_numbers import format_percent

if TYPE_CHECKING:
    from explorer.panes.backprop.optimizers.mode import OptimizersMode

PATIENCE = 0.6  # seconds that a race may still run when another is wanted


class Runner(QObject):
    """Ways that are known are not run again: who is added, or set anew, runs alone."""

    def __init__(self, mode: OptimizersMode) -> None:
        super().__init__(mode)
        self._mode = mode
        self._known: dict[tuple[Any, ...], Lane] = {}
        self._wanted: tuple[Course, list[tuple[str, Any]]] | None = None
        self._asked: list[tuple[Any, ...]] = []
        self._trouble = False
        self._job: Any = None
        self._began = 0.0
        self.busy = False

    def want(self, course: Course, entries: list[tuple[str, Any]]) -> None:
        keys = [course.key, *(key_of(course, *entry) for entry in entries)]
        if keys == self._asked and not self.busy:  # it is there, or could not be run
            if not self._trouble:
                self._mode.view.map.set_stale(False)
            return
        self._wanted = (course, entries)
        if not self._mode.engine.alive or not tasks.in_loop():
            return
        if self.busy:
            if self._job is not None and time.monotonic() - self._began > PATIENCE:
                self._job.cancel()
            return
        self.busy = True
        self._mode.spawn(self._run())

    async def _run(self) -> None:
        try:
            while self._wanted is not None:
                (course, entries), self._wanted = self._wanted, None
                await self._race(course, entries)
        finally:
            self.busy, self._job = False, None

    def _on_progress(self, shares: list[float]) -> None:
        told = f"the race is being run, {format_percent(shares[-1])}"
        self._mode.view.body.set_waiting(told)

    async def _race(self, course: Course, entries: list[tuple[str, Any]]) -> None:
        mode = self._mode
        self._began = time.monotonic()
        self._asked = [course.key, *(key_of(course, *entry) for entry in entries)]
        self._trouble = True
        try:
            self._job = mode.engine.run(
                racing(course, entries, dict(self._known)),
                name="a race of optimizers",
                foreground=True,
                pure_python=True,
            )
            mode.view.body.set_waiting("the race is being run")
            self._job.progressed.connect(self._on_progress)
            state = await self._job.done()
            mode.view.body.set_waiting("")
            if state == "cancelled":
                self._asked = []
                return
            recording: Recording = self._job.result()
        except asyncio.CancelledError:  # the pane is gone
            if self._job is not None:
                self._job.cancel()
            raise
        except EngineDied as error:
            self._asked = []  # another engine will
            mode.fail(str(error))
            return
        except ValueError as error:
            mode.fail(str(error))
            return
        except Exception as error:  # the picture must not wait for ever
            errors.report(error, "running a race of optimizers")
            mode.fail(str(error))
            return
        self._known = {
            key_of(course, lane.name, lane.settings): lane for lane in recording.lanes
        } | {key: lane for key, lane in self._known.items() if key[0] == course.key}
        self._trouble = False
        mode.take_recording(recording)
