"""Commands of the Languages mode."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.tokenizers.languages.mode import LanguagesMode


def commands(mode: LanguagesMode) -> list[Action]:
    other = {"premium": "name", "name": "premium", "usual": "all", "all": "usual"}

    def can_retry() -> bool:
        return mode.active and any(map(mode.error_of, mode.listed))

    def can_enter() -> bool:
        return mode.active and not mode.player.depth and mode.player.length > 0

    retry = mode.action("retry", "Languages: retry the measurements that failed", mode.retry)
    inside = mode.action("inside", "Languages: show how this text is split", mode.player.enter)
    search = mode.view.search_bar.search
    return [
        mode.action(
            "order",
            "Languages: sort by premium or by name",
            lambda: mode.set_order(other[mode.order]),
        ),
        mode.action(
            "scope",
            "Languages: switch between common and all languages",
            lambda: mode.set_scope(other[mode.scope]),
        ),
        replace(retry, enabled=can_retry),
        replace(inside, enabled=can_enter),
        mode.action("search", "Languages: search the languages", search.setFocus),
    ]
