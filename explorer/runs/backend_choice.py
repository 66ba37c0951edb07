"""Chooses where a run trains: on the engine's thread, or in a process of its own."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from core.training import RunReader

AUTO = "auto"  # no choice by the user
SLOW_STEP = 0.2  # seconds for a step above which a separate process is better
LAST = 50  # steps that are measured


def backend_for(seconds_per_step: float, chosen: str = AUTO) -> str:
    """Returns "thread" or "process": the user's choice, or else by the duration of a step. On the
    thread, the window's requests, such as a look at the model, wait for the current step.
    """
    if chosen != AUTO:
        return chosen
    return "process" if seconds_per_step > SLOW_STEP else "thread"


def seconds_per_step(reader: RunReader, _: int = 0) -> float:
    """Returns the median of the last steps, or of the parent's; an estimate if there are none."""
    taken = _recorded(reader)
    if not len(taken) and reader.parent is not None:
        from core.training import RunReader as Reader

        with contextlib.suppress(OSError, ValueError, KeyError):  # the parent may be deleted
            taken = _recorded(Reader(reader.parent["run"]))
    from core.training.sizes import step_seconds

    return float(np.median(taken)) if len(taken) else step_seconds(reader.config)


def _recorded(reader: RunReader) -> np.ndarray:
    steps = reader.steps[-LAST:]
    return steps["seconds"] if "seconds" in (steps.dtype.names or ()) else np.empty(0)
