"""What the mode Inside adds to menus and palette."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from explorer.panes.tokenizers.inside.view import ZOOM
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.tokenizers.inside.mode import InsideMode


def commands(mode: InsideMode) -> list[Action]:
    view = mode.view

    def action(name: str, text: str, run: Callable[[], Any], can: Callable[[], bool]) -> Action:
        return Action(
            f"tokenizers.inside.{name}",
            f"Inside: {text}",
            run,
            enabled=lambda: mode.active and can(),
        )

    def always() -> bool:
        return True

    def has_ways() -> bool:
        return mode.chance == "alpha" and mode.player.length > 0

    return [
        action("text", "type a text", mode.inputs.text.setFocus, always),
        action("open", "open a tokenizer's file", mode.ask_for_file, always),
        action("larger", "a larger picture of the word", lambda: view.zoom_by(ZOOM), always),
        action("smaller", "a smaller picture of the word", lambda: view.zoom_by(1 / ZOOM), always),
        action("draw", "draw another way to cut the text", mode.draw_again, lambda: mode.draws),
        action("next-way", "show the next of the best ways", lambda: mode.turn_way(1), has_ways),
        action("last-way", "show the way before it", lambda: mode.turn_way(-1), has_ways),
    ]
