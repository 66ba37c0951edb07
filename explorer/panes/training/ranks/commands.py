"""The actions of Ranks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.training.ranks import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.training.ranks.mode import RanksMode


def commands(mode: RanksMode) -> list[Action]:
    """Starting ranks, moving through a run's steps, and a strategy each."""
    shown = lambda: mode.shows_run  # noqa: E731
    rows = (
        ("start", text.START, mode.start_two, lambda: not mode.trains, text.START_HELP),
        ("copy", text.COPY_ACTION, mode.copy_command, shown, text.COPY_HELP),
        ("older", text.OLDER, lambda: mode.go(-1), shown, text.STEP_HELP),
        ("newer", text.NEWER, lambda: mode.go(1), shown, text.STEP_HELP),
        ("newest", text.NEWEST_ACTION, mode.choose_step, shown, text.NEWEST_HELP),
    )
    found = [
        Action(
            f"training.ranks.{name}",
            title,
            run,
            enabled=lambda can=can: mode.active and can(),
            help=help,
        )
        for name, title, run, can, help in rows
    ]
    return found + [
        Action(
            f"training.ranks.strategy.{name}",
            f"Ranks: {text.NAMES[name]}",
            lambda name=name: mode.choose(name),
            enabled=lambda: mode.active,
            checked=lambda name=name: mode.shown_strategy == name,
            help=text.IDEAS[name],
        )
        for name in text.TITLES
    ]
