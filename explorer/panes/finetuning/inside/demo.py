"""The states of Inside that a snapshot shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.finetuning.inside.draft import InsideDraft
from explorer.panes.finetuning.inside.scene import kind_of

if TYPE_CHECKING:
    from explorer.panes.finetuning.inside.mode import InsideMode


def views(mode: InsideMode) -> dict[str, Callable[[], Any]]:
    """By name: each callable brings the mode there."""

    def at(step: str = "", fraction: float = 0.0) -> Callable[[], Any]:
        def go() -> None:
            scene = mode.scene
            if scene is not None and step:
                names = [kind_of(one) for one in scene.steps]
                mode.player.seek(names.index(step) + fraction)

        return mode.brought(InsideDraft(), go)

    return {
        "first": at(),
        "narrow": at("expand"),
        "product": at("scale", 1.6),
        "backward": at("grad_A"),
    }
