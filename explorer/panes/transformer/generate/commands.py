"""The actions of Generate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.transformer.generate import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.transformer.generate.mode import GenerateMode

KEYS = {"next": "Ctrl+Shift+Return"}


def commands(mode: GenerateMode) -> list[Action]:
    """As the buttons."""
    return [
        mode.action(name, title, mode.deeds[name], KEYS.get(name, ""), help)
        for name, (title, help) in text.BUTTONS.items()
    ]
