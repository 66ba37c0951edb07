"""Commands of the GPT mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.backprop.gpt.mode import GPTMode


def commands(mode: GPTMode) -> list[Action]:
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

    view, action = mode.view, mode.action
    return [
        action("text", "GPT: type a text to compute gradients for", mode.inputs.prompt.setFocus),
        action("find", "GPT: find an operation", find, can=ready),
        action(
            "forward",
            "GPT: show this operation\u2019s forward pass",
            lambda: to_phase(False),
            can=ready,
        ),
        action(
            "backward",
            "GPT: show this operation\u2019s backward pass",
            lambda: to_phase(True),
            can=ready,
        ),
        action("next-head", "GPT: next head", lambda: view.head.turn(1), can=ready),
        action("last-head", "GPT: previous head", lambda: view.head.turn(-1), can=ready),
        action("highway", "GPT: go to the gradient highway", view.show_highway, can=ready),
        action("fold", "GPT: show or hide the gradient highway", view.turn_highway, can=ready),
        action("again", "GPT: compute the gradients again", mode.ask),
        action(
            "update",
            "GPT: use the latest weights of the training run",
            mode.explain_newer,
            can=lambda: mode.is_live,
        ),
        action(
            "folder", "GPT: open a model from a checkpoint\u2019s folder", mode.models.open_folder
        ),
    ]
