"""The actions of Beams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.transformer.beams import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.transformer.beams.mode import BeamsMode


def commands(mode: BeamsMode) -> list[Action]:
    """As the button."""
    title, name = "Append the text that was found", "transformer.beams.use"
    return [Action(name, title, mode.use, enabled=lambda: mode.active, help=text.USE_HELP)]
