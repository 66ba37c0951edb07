"""The actions of Plan: the preset plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.training.plan import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.training.plan.mode import PlanMode


def commands(mode: PlanMode) -> list[Action]:
    """Returns the same actions as the buttons among the inputs."""
    rows = (
        ("gpt3", text.GPT3, mode.take_gpt3, lambda: mode.active),
        ("bundled", text.BUNDLED_HERE, mode.take_bundled, lambda: mode.active),
        ("run", text.THIS_RUN, mode.take_run, lambda: mode.active and mode.config is not None),
    )
    return [
        Action(f"training.plan.{name}", f"Plan: {title}", run, enabled=enabled)
        for name, title, run, enabled in rows
    ]
