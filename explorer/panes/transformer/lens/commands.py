"""The actions of Lens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.transformer.lens import text

if TYPE_CHECKING:
    from explorer.panes.transformer.lens.mode import LensMode
    from explorer.state.actions import Action


def commands(mode: LensMode) -> list[Action]:
    """As the button, a switch and the line of the other text."""
    view = mode.view
    return [
        mode.action("all_on", text.ALL_ON, mode.all_on, help=text.ALL_ON_HELP),
        mode.action("sublayers", text.SUBLAYERS, view.settings.widgets["sublayers"].click),
        mode.action("patch", text.PATCH, view.other.setFocus),
    ]
