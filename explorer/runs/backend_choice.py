"""Chooses where a run trains: on the engine's thread, or in a process of its own."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from core.training import RunReader

AUTO = "auto"  # nobody has chosen
SLOW_STEP = 0.2  # seconds a step, from which on a process of its own is better
LAST = 50  # steps that tell how long one takes


def backend_for(seconds_per_step: float, chosen: str = AUTO) -> str:
    """ "thread" or "process": as a person has chosen, else by how long a step takes. A look at a
    model waits for the step under way on the thread, and so does whatever else the window asks.
    """
    if chosen != AUTO:
        return chosen
    return "process" if seconds_per_step > SLOW_STEP else "thread"


def seconds_per_step(reader: RunReader, _: int = 0) -> float:
    """As its last steps took, or those of the run it is a branch of; before any, an estimate."""
    taken = _recorded(reader)
    if not len(taken) and reader.parent is not None:
        from core.training import RunReader as Reader

        with contextlib.suppress(OSError, ValueError, KeyError):  # the parent may be gone
            taken = _recorded(Reader(reader.parent["run"]))
    from core.training.sizes import step_seconds

    return float(np.median(taken)) if len(taken) else step_seconds(reader.config)


def _recorded(reader: RunReader) -> np.ndarray:
    steps = reader.steps[-LAST:]
    return steps["seconds"] if "seconds" in (steps.dtype.names or ()) else np.empty(0)
