"""What the mode Languages adds to menus and palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.tokenizers.languages.mode import LanguagesMode


def commands(mode: LanguagesMode) -> list[Action]:
    def shown() -> bool:
        return mode.active

    turned = {"premium": "name", "name": "premium", "usual": "all", "all": "usual"}
    return [
        Action(
            "tokenizers.languages.order",
            "Languages: sort by premium or by name",
            lambda: mode.set_order(turned[mode.order]),
            enabled=shown,
        ),
        Action(
            "tokenizers.languages.scope",
            "Languages: the usual ones or all",
            lambda: mode.set_scope(turned[mode.scope]),
            enabled=shown,
        ),
        Action(
            "tokenizers.languages.retry",
            "Languages: try again what failed",
            mode.retry,
            enabled=lambda: mode.active and any(map(mode.error_of, mode.listed)),
        ),
        Action(
            "tokenizers.languages.inside",
            "Languages: what led to this bar",
            mode.player.enter,
            enabled=lambda: mode.active and not mode.player.depth and mode.player.length > 0,
        ),
        Action(
            "tokenizers.languages.search",
            "Languages: search one",
            mode.view.search.setFocus,
            enabled=shown,
        ),
    ]
