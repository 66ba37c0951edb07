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
        Action(f"transformer.generate.{name}", title, mode.deeds[name], KEYS.get(name, ""),
               lambda: mode.active, help=help)
        for name, (title, help) in text.BUTTONS.items()
    ]  # fmt: skip
