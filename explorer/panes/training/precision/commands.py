"""The actions of Precision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.training.precision import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.training.precision.mode import PrecisionMode


def commands(mode: PrecisionMode) -> list[Action]:
    """Returns the action that starts the two runs."""
    name, enabled = "training.precision.start", lambda: mode.active and not mode.trains
    return [Action(name, text.START, mode.start, enabled=enabled, help=text.START_HELP)]
