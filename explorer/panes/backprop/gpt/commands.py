"""The actions of GPT."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt

from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.backprop.gpt.mode import GPTMode


def commands(mode: GPTMode) -> list[Action]:
    def action(
        name: str, text: str, run: Callable[[], Any], can: Callable[[], bool] | None = None
    ) -> Action:
        return Action(
            f"backprop.gpt.{name}",
            f"GPT: {text}",
            run,
            enabled=lambda: mode.active and (can is None or can()),
        )

    def ready() -> bool:
        return mode.worked is not None

    def to_phase(backward: bool) -> None:
        worked, played = mode.worked, mode.played
        if worked is not None and played is not None:
            while mode.player.leave():
                pass
            place = worked.first_played(played.operation, backward)
            if place is not None:
                mode.player.seek(place)

    def find() -> None:
        mode.view.operations.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        mode.view.operations.search.selectAll()

    return [
        action("text", "type a text to learn from", mode.inputs.prompt.setFocus),
        action("find", "find an operation", find, ready),
        action("forward", "this operation forward", lambda: to_phase(False), ready),
        action("backward", "this operation backward", lambda: to_phase(True), ready),
        action("next-head", "next head", lambda: mode.view.head.turn(1), ready),
        action("last-head", "previous head", lambda: mode.view.head.turn(-1), ready),
        action("highway", "go to the gradient highway", mode.view.show_highway, ready),
        action(
            "fold",
            "show or fold the gradient highway",
            lambda: mode.view.set_folded(not mode.view.folded),
            ready,
        ),
        action("again", "explain the example again", mode.ask),
        action(
            "update",
            "explain the run\u2019s model as it is now",
            mode.explain_newer,
            lambda: mode.is_live,
        ),
        action("folder", "open a checkpoint\u2019s folder", mode.models.open_folder),
    ]
