"""The states of Translate that a snapshot shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.translate.draft import TranslateDraft

if TYPE_CHECKING:
    from explorer.panes.transformer.translate.mode import TranslateMode


def views(mode: TranslateMode) -> dict[str, Callable[[], Any]]:
    """By name: each callable brings the mode there."""

    def at(step: float, inside: bool = False, **draft: Any) -> Callable[[], Any]:
        async def bring() -> None:
            mode.draft.begin(TranslateDraft(**draft))
            await mode.settled()
            mode.go_to(0)
            mode.player.seek(step if step >= 0 else mode.player.length + step)
            if inside:
                mode.player.enter()
                mode.player.seek(2)
            await mode.settled()

        return bring

    long = "Tuesday the twenty-third of September nineteen eighty-seven"
    return {
        "first": at(-1),
        "month": at(6),
        "inside": at(3, inside=True),
        "long": at(9, text=long),
    }
