"""The list of modes in the training pane."""

from __future__ import annotations

from explorer.panes.modes import ModeSpec, those_there

MODES: tuple[ModeSpec, ...] = (
    ModeSpec("run", "Run", "explorer.panes.training.run.mode"),
    ModeSpec("step", "Step", "explorer.panes.training.step.mode"),
    ModeSpec("precision", "Precision", "explorer.panes.training.precision.mode"),
    ModeSpec("ranks", "Ranks", "explorer.panes.training.ranks.mode"),
    ModeSpec("plan", "Plan", "explorer.panes.training.plan.mode"),
)


def built() -> tuple[ModeSpec, ...]:
    """Returns the modes whose module exists; others are hidden."""
    return those_there(MODES)
