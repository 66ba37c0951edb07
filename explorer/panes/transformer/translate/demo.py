"""The states of Translate in a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.transformer.translate.draft import TranslateDraft

if TYPE_CHECKING:
    from explorer.panes.transformer.translate.mode import TranslateMode


def views(mode: TranslateMode) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state, by name."""

    def at(step: int, *inside: int, **draft: Any) -> Callable[[], Any]:
        def go() -> None:
            mode.go_to(step)
            for place in inside:
                mode.player.enter()
                mode.player.seek(place)

        return mode.brought(TranslateDraft(**draft), go)

    long = "Tuesday the twenty-third of September nineteen eighty-seven"
    return {
        "first": at(10),
        "month": at(6),
        "inside": at(3, 2),
        "long": at(9, text=long),
    }
