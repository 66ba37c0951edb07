"""Trains a run of two ranks for this mode's snapshots: one view for each phase."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from core.training.phases import PHASES
from explorer.panes.trained_runs import trained
from explorer.panes.training.presets import small_run

if TYPE_CHECKING:
    from explorer.panes.training.step.mode import StepMode

# `clip` is lower than the gradient's length.
QUIET = {"evaluate_every": 0, "sample_every": 0, "checkpoint_every": 0, "probe_every": 0}
CHANGES = {"steps": 40, "warmup_steps": 10, "clip": 0.5, "ranks": 2, **QUIET}
INSIDE = {"forward": 3, "optimizer": 3}  # the steps to enter


def views(mode: StepMode) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state of a snapshot, by name."""

    def at(phase: str) -> Callable[[], Any]:
        async def bring() -> None:
            (folder,) = await trained(mode, {"two-ranks-inside": small_run(**CHANGES)})
            mode.workspace.set_run(str(folder))
            await mode.settled()
            mode.go_to(PHASES.index(phase), INSIDE.get(phase))
            mode.choose_token(0, 12)

        return bring

    async def empty() -> None:
        mode.workspace.set_run(None)
        await mode.settled()

    return {phase: at(phase) for phase in PHASES} | {"empty": empty}
