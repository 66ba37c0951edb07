"""The actions of Generate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.transformer.generate import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.transformer.generate.mode import GenerateMode


def commands(mode: GenerateMode) -> list[Action]:
    """As the buttons."""
    rows = (
        ("next", text.NEXT, mode.append, text.NEXT_HELP, "Ctrl+Shift+Return"),
        ("write", "Write on, or stop", mode.toggle_writing, text.WRITE_HELP, ""),
        ("back", "Take the last token back", mode.go_back, text.BACK_HELP, ""),
        ("again", text.AGAIN, mode.draw_again, text.AGAIN_HELP, ""),
    )
    return [
        Action(f"transformer.generate.{name}", title, run, key, lambda: mode.active, help=help)
        for name, title, run, help, key in rows
    ]
