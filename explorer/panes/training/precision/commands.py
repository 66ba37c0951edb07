"""The actions of Precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.training.precision import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.training.precision.mode import PrecisionMode


def commands(mode: PrecisionMode) -> list[Action]:
    """The two runs, a look into a step, and the run's own scale."""
    return [
        Action(
            "training.precision.start",
            text.START,
            mode.start_both,
            enabled=lambda: mode.active and not mode.trains,
            help=text.START_HELP,
        ),
        Action(
            "training.precision.record",
            text.RECORD,
            mode.record,
            enabled=lambda: mode.active and mode.trains,
            help=text.RECORD_HELP,
        ),
        Action(
            "training.precision.run_scale",
            "Scale gradients as the run does",
            lambda: mode.choose(scale=mode.run_scale),
            enabled=lambda: mode.active,
            help="Moves the histogram to where the newest step had it",
        ),
        Action(
            "training.precision.no_scale",
            "Do not scale gradients",
            lambda: mode.choose(scale=0),
            enabled=lambda: mode.active,
            help="Moves the histogram to where the gradients are by themselves",
        ),
    ]
