"""The actions of Ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.training.ranks import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.training.ranks.mode import RanksMode


def commands(mode: RanksMode) -> list[Action]:
    """Starting ranks, and a strategy each."""
    found = [
        Action(
            "training.ranks.start",
            text.START,
            mode.start_two,
            enabled=lambda: mode.active and mode.view.start.isVisibleTo(mode.view),
            help=text.START_HELP,
        )
    ]
    found.append(
        Action(
            "training.ranks.copy",
            "Ranks: copy the command for a cluster",
            mode.copy_command,
            enabled=lambda: mode.active and mode.measured is not None,
            help=text.COPY_HELP,
        )
    )
    for name in text.TITLES:
        found.append(
            Action(
                f"training.ranks.strategy.{name}",
                f"Ranks: {text.NAMES[name]}",
                lambda name=name: mode.choose(name),
                enabled=lambda: mode.active,
                checked=lambda name=name: mode.strategy == name,
                help=text.IDEAS.get(name, "What was measured of the run that is looked at"),
            )
        )
    return found
