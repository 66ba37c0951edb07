"""The actions of Lens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.transformer.lens import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.transformer.lens.mode import LensMode


def commands(mode: LensMode) -> list[Action]:
    """As the buttons and switches."""
    view = mode.view
    rows = (
        ("all_on", text.ALL_ON, mode.all_on, text.ALL_ON_HELP),
        ("sublayers", "Show sublayers, or whole layers", view.sublayers.click, text.SUBLAYERS_HELP),
        ("patch", "Patch from another text", view.patch.click, text.PATCH_HELP),
    )
    return [
        Action(f"transformer.lens.{name}", title, run, "", lambda: mode.active, help=help)
        for name, title, run, help in rows
    ]
