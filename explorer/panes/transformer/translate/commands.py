"""The actions of Translate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.transformer.translate import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.transformer.translate.mode import TranslateMode


def commands(mode: TranslateMode) -> list[Action]:
    """The button, and back to the head that was seen first."""
    return [
        mode.action("another", text.ANOTHER, mode.take_another, help=text.ANOTHER_HELP),
        mode.action("sharpest", text.SHARPEST, mode.show_head, help=text.SHARPEST_HELP),
    ]
