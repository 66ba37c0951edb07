"""The states of Try in a snapshot."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.finetuning.answers.draft import TryDraft

if TYPE_CHECKING:
    from explorer.panes.finetuning.answers.mode import TryMode


def views(mode: TryMode) -> dict[str, Callable[[], Any]]:
    """Returns the functions that bring the mode into each state, by name."""

    def at(
        then: Callable[[], object] = lambda: None, more: bool = False, **settings: Any
    ) -> Callable[[], Any]:
        def go() -> None:
            mode.view.more.setChecked(more)
            then()

        return mode.brought(TryDraft(**settings), go)

    return {
        "first": at(),
        "weak": at(strength=0.25),
        "merged": at(lambda: mode.check("merge"), merged=True, strength=1.5),
        "chosen": at(lambda: mode.choose(False, 108), more=True, temperature=0.8),
    }
