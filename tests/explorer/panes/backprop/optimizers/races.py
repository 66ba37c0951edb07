"""Races without a window, each run once: what is told of a race needs none."""

from __future__ import annotations

import json
from typing import Any

from core.fields import to_json
from core.jobs import to_the_end
from explorer.panes.backprop.optimizers.compute import Course, Lane, Recording, key_of, record
from explorer.panes.backprop.optimizers.draft import (
    TYPED,
    OptimizersDraft,
    settings_of,
    surface_of,
)

NAMES = ("sgd", "nesterov", "rmsprop", "lion", "muon")
_run: dict[str, Recording] = {}
_lanes: dict[Any, Lane] = {}


def typed(text: str, racers: tuple[str, ...] = NAMES, steps: int = 30, **more) -> OptimizersDraft:
    return OptimizersDraft(surface=TYPED, text=text, racers=racers, steps=steps, **more)


def race(one: OptimizersDraft) -> Recording:
    """As the pane runs it; of one that cannot be run, why."""
    key = json.dumps(to_json(one))
    if key not in _run:
        _run[key] = _raced(one)
    return _run[key]


def _raced(one: OptimizersDraft) -> Recording:
    surface = surface_of(one)
    start = one.start or surface.start
    text = one.text if one.surface == TYPED else ""
    course = Course(surface, text, start, one.steps, one.schedule, one.warmup_steps, one.seed)
    entries = [(name, settings_of(one, surface, name)) for name in one.racers]
    try:
        recording = to_the_end(record(course, entries, _lanes))
    except ValueError as error:
        return Recording(course, (), str(error))
    _lanes.update((key_of(course, lane.name, lane.settings), lane) for lane in recording.lanes)
    return recording
