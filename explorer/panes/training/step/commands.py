"""The actions of Step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.training.step import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.training.step.mode import StepMode


def commands(mode: StepMode) -> list[Action]:
    """Returns the action that records a step."""
    name, enabled = "training.step.record", lambda: mode.active and mode.trains
    return [Action(name, text.RECORD, mode.record, enabled=enabled, help=text.RECORD_HELP)]
