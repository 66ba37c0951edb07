"""The states of Lens that a snapshot shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.lens.draft import LensDraft

if TYPE_CHECKING:
    from explorer.panes.transformer.lens.mode import LensMode


def views(mode: LensMode) -> dict[str, Callable[[], Any]]:
    """By name: each callable brings the mode there."""

    def at(place: int, off: int = 0, opened: bool = False, **settings: Any) -> Callable[[], Any]:
        async def bring() -> None:
            mode.draft.begin(LensDraft())
            await mode.settled()
            assert mode.scene is not None
            parts = [bar.part for bar in mode.scene.bars]
            heads = [part for part in parts if part and part[1] is not None]
            mode.draft.begin(LensDraft(off=tuple(heads[:off]), **settings))
            await mode.settled()
            mode.player.seek(place % mode.player.track.length)
            await mode.settled()
            if opened:
                mode.open(parts.index(heads[0]))
                await mode.settled()

        return bring

    other = mode.workspace.prompt.replace("Mira", "Tom")
    return {
        "first": at(-1),
        "layer": at(3),
        "part": at(-1, opened=True),
        "off": at(-1, off=2),
        "patch": at(-1, patch=other, patch_all=True, patch_layer=2),
    }
