"""The actions of Map; keys go in and out of steps everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.transformer.map import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.transformer.map.mode import MapMode


def commands(mode: MapMode) -> list[Action]:
    return [
        mode.action("compare", text.COMPARE_TITLE, mode.toggle_compare, help=text.COMPARE_HELP),
        mode.action("open", text.OPEN_TITLE, mode.draw_open, help=text.SHOWN_HELP),
    ]
