"""The actions of Chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.transformer.chat import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.transformer.chat.mode import ChatMode


def commands(mode: ChatMode) -> list[Action]:
    """As the buttons."""
    return [
        mode.action(name, title, mode.deeds[name], help=help)
        for name, (title, help) in text.BUTTONS.items()
    ]
