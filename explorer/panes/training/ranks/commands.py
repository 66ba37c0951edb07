"""The actions of Ranks."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from explorer.panes.training.ranks import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.training.ranks.mode import RanksMode


def commands(mode: RanksMode) -> list[Action]:
    """Returns the actions: start ranks, newest step, cluster command, and each strategy."""
    shown, active = lambda: mode.active and mode.shows_run, lambda: mode.active
    starts = lambda: mode.active and not mode.trains  # noqa: E731
    rows = (
        ("start", text.START, mode.start_two, starts, text.START_HELP),
        ("copy", text.COPY_ACTION, mode.copy_command, shown, text.COPY_HELP),
        ("newest", text.NEWEST_ACTION, mode.choose_step, shown, text.NEWEST_HELP),
    )
    found = [
        Action(f"training.ranks.{name}", title, run, enabled=can, help=help)
        for name, title, run, can, help in rows
    ]
    for name in text.TITLES:
        id, title = f"training.ranks.strategy.{name}", f"Ranks: {text.NAMES[name]}"
        run, chosen = partial(mode.choose, name), lambda name=name: mode.shown_strategy == name
        found.append(Action(id, title, run, enabled=active, checked=chosen, help=text.IDEAS[name]))
    return found
