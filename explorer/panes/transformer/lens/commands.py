"""The actions of Lens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.transformer.lens import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.transformer.lens.mode import LensMode


def commands(mode: LensMode) -> list[Action]:
    """As the buttons and switches."""
    rows = (
        ("all_on", text.ALL_ON, mode.all_on),
        ("sublayers", "Show sublayers, or whole layers", mode.view.sublayers.click),
        ("patch", "Patch from another text", mode.view.patch.click),
    )
    return [
        Action(
            f"transformer.lens.{name}", title, run, "", lambda: mode.active, help=text.HELP[name]
        )
        for name, title, run in rows
    ]
