"""The actions of Tune's buttons."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from explorer.panes.finetuning.tune import text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.finetuning.tune.mode import TuneMode


def commands(mode: TuneMode) -> list[Action]:
    return [
        mode.action("start", "Fine-tuning: start", mode.start, help=text.START_HELP),
        mode.action("another", "Fine-tuning: another question", mode.ask_another),
        mode.action("base", "Fine-tuning: choose a base\u2026", partial(mode.ask_for, "base")),
        mode.action("data", "Fine-tuning: choose data\u2026", partial(mode.ask_for, "data")),
    ]
