"""The actions of Map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.transformer.map import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.transformer.map.mode import MapMode


def commands(mode: MapMode) -> list[Action]:
    """The presets; keys go in and out of steps everywhere."""
    rows = (
        ("compare", "Presets side by side, or the model", mode.toggle_compare, text.COMPARE_HELP),
        (
            "open",
            "Draw the open model",
            lambda: mode.set(shown="", compared=False),
            text.SHOWN_HELP,
        ),
    )
    return [
        Action(f"transformer.map.{name}", title, run, "", lambda: mode.active, help=help)
        for name, title, run, help in rows
    ]
