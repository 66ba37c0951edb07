"""Commands of Train."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from core.tokenization.lockstep import MOST_LANES
from explorer.panes.tokenizers.train.text import USES
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.tokenizers.train.mode import TrainMode


def commands(mode: TrainMode) -> list[Action]:
    trainer = mode.trainer

    def action(name: str, text: str, run: Callable[[], object], can: Callable[[], bool]) -> Action:
        id = f"tokenizers.train.{name}"
        return Action(id, text, run, enabled=lambda: mode.active and can())

    def has_lane(lane: int) -> bool:
        return trainer.recording is not None and lane in trainer.recording.lanes

    def is_finished() -> bool:
        return trainer.tokenizer(mode.focus) is not None

    def use_text(what: str) -> str:
        text = USES[what].rstrip("\u2026")
        return f"Trained tokenizer: {text[0].lower()}{text[1:]}"

    return [
        action(
            "start",
            "Train: start the training",
            mode.start,
            lambda: trainer.recording is None and mode.can_start,
        ),
        action("hurry", "Train: finish the training", mode.hurry, lambda: trainer.trains),
        action("new", "Train: set up a new training", mode.new_training, lambda: has_lane(0)),
        action(
            "merge",
            "Train: show this merge step by step",
            lambda: mode.enter(mode.focus),
            lambda: has_lane(0) and not mode.player.depth,
        ),
        *(
            action(
                f"lane{lane + 1}",
                f"Train: explain tokenizer {lane + 1}",
                partial(mode.set_focus_lane, lane),
                partial(has_lane, lane),
            )
            for lane in range(MOST_LANES)
        ),
        *(
            action(what, use_text(what), lambda what=what: mode.use(mode.focus, what), is_finished)
            for what in USES
        ),
    ]
