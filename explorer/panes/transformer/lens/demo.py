"""The states of Lens in a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.lens.draft import LensDraft

if TYPE_CHECKING:
    from explorer.panes.transformer.lens.mode import LensMode


def views(mode: LensMode) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state, by name."""

    def at(
        place: int, opened: int | None = None, more: bool = True, **settings: Any
    ) -> Callable[[], Any]:
        def go() -> None:
            mode.view.more.setChecked(more)
            mode.go_to(place % mode.player.length, mode.scene.column if mode.scene else 0)
            if opened is not None:
                mode.open(opened)

        return mode.brought(LensDraft(**settings), go)

    other = mode.workspace.prompt.replace("Mira", "Tom")
    return {
        "first": at(-1, more=False),
        "layer": at(3, more=False, sublayers=True),
        "more": at(-1),
        "part": at(-1, opened=3),
        "off": at(-1, off=((3, None),)),
        "two-off": at(-1, off=((3, 5), (3, 1)), sublayers=True),
        "patch": at(-1, patch=other, patch_layer=2),
    }
