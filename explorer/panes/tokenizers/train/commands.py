"""What the mode Train adds to menus and palette."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from explorer.panes.tokenizers.train.lane_card import USES
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.tokenizers.train.mode import TrainMode


def commands(mode: TrainMode) -> list[Action]:
    def trains() -> bool:
        return mode.active and mode.trainer.state in ("preparing", "training", "paused")

    def trained() -> bool:
        return mode.active and mode.trainer.recording is not None

    def idle() -> bool:
        return mode.active and mode.trainer.recording is None and mode.planning.can_start

    def finished() -> bool:
        return mode.active and mode.using.tokenizer(mode.focus) is not None

    def use(what: str) -> Callable[[], None]:
        return lambda: mode.using.use(mode.focus, what)

    told = {name: text.rstrip("\u2026") for name, text in USES}
    return [
        Action("tokenizers.train.start", "Tokenizers: train them", mode.start, enabled=idle),
        Action(
            "tokenizers.train.hurry", "Tokenizers: train on to the end", mode.hurry, enabled=trains
        ),
        Action(
            "tokenizers.train.new",
            "Tokenizers: another training",
            mode.new_training,
            enabled=trained,
        ),
        Action(
            "tokenizers.train.merge",
            "Tokenizers: this merge step by step",
            lambda: mode.cursor.go_inside(mode.focus),
            enabled=lambda: trained() and not mode.player.depth,
        ),
        *(
            Action(
                f"tokenizers.train.lane{lane + 1}",
                f"Tokenizers: explain lane {lane + 1}",
                lambda lane=lane: mode.set_focus_lane(lane),
                enabled=lambda lane=lane: trained() and lane < len(mode.view.cards),
            )
            for lane in range(4)
        ),
        *(
            Action(
                f"tokenizers.train.{name}",
                f"Trained tokenizer: {text[0].lower()}{text[1:]}",
                use(name),
                enabled=finished,
            )
            for name, text in told.items()
        ),
    ]
