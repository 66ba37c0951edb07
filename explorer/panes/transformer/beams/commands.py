"""The actions of Beams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.transformer.beams import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.transformer.beams.mode import BeamsMode


def commands(mode: BeamsMode) -> list[Action]:
    """As the button."""
    return [mode.action("use", "Append the text that was found", mode.use, help=text.USE_HELP)]
