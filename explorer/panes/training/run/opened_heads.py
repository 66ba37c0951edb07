"""Which model Attention opens for a head at a step of a run, and what is said about it."""

from __future__ import annotations

from typing import Any

from explorer.engine.engine import Engine
from explorer.runs.recorded_source import RecordedSource
from explorer.runs.run_data import RunData
from explorer.runs.sources import FolderSource


def source_at(engine: Engine, data: RunData, step: float) -> tuple[Any, str]:
    """The heads recorded nearest to a step, or the checkpoint's where that is as near; and their
    step in words. The run must have a checkpoint.
    """
    kept = data.nearest_checkpoint(step)
    assert kept is not None
    folder = data.checkpoints[kept]
    recorded = min(data.probes, key=lambda one: abs(one - step), default=None)
    if recorded is None or abs(kept - step) <= abs(recorded - step):
        source = FolderSource(engine, folder)
        source.name = f"step {kept:,}"
        near = "" if kept == round(step) else f", the checkpoint nearest to step {round(step):,}"
        return source, f"step {kept:,}{near}"
    told = f"step {recorded:,}, as it was recorded; its steps are those of the checkpoint, {kept:,}"
    return RecordedSource(engine, data.probes[recorded], recorded, folder, kept), told
