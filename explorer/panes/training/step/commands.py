"""The actions of Step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.training.step import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.training.step.mode import StepMode


def commands(mode: StepMode) -> list[Action]:
    """Recording a step."""
    return [
        Action(
            "training.step.record",
            text.RECORD,
            mode.record,
            enabled=lambda: mode.active and mode.seen is not None and mode.seen.active,
            help=text.RECORD_HELP,
        )
    ]
