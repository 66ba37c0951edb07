"""The actions of Translate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.transformer.translate import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.transformer.translate.mode import TranslateMode


def commands(mode: TranslateMode) -> list[Action]:
    """As the buttons."""
    rows = (
        ("another", text.ANOTHER, mode.take_another, text.ANOTHER_HELP),
        ("sharpest", text.SHARPEST, mode.show_sharpest, text.SHARPEST_HELP),
    )
    return [
        Action(f"transformer.translate.{name}", title, run, enabled=lambda: mode.active, help=help)
        for name, title, run, help in rows
    ]
