"""Commands of Inside."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.tokenizers.inside.mode import InsideMode


def commands(mode: InsideMode) -> list[Action]:
    view = mode.view

    def action(
        name: str,
        text: str,
        run: Callable[[], object],
        can: Callable[[], bool] = lambda: True,
    ) -> Action:
        id = f"tokenizers.inside.{name}"
        return Action(id, f"Inside: {text}", run, enabled=lambda: mode.active and can())

    def has_ways() -> bool:
        return mode.chance == "alpha" and mode.player.length > 0

    return [
        action("text", "type some text", mode.inputs.text.setFocus),
        action("open", "open a tokenizer file", mode.ask_for_file),
        action("larger", "enlarge the picture of the word", view.zoom_in),
        action("smaller", "shrink the picture of the word", view.zoom_out),
        action("draw", "draw another way to cut the text", mode.draw_again, lambda: mode.draws),
        action(
            "next-way",
            "show the next best way to cut the text",
            partial(mode.turn_way, 1),
            has_ways,
        ),
        action(
            "last-way",
            "show the previous way to cut the text",
            partial(mode.turn_way, -1),
            has_ways,
        ),
    ]
