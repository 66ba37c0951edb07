"""The actions of Plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.panes.training.plan import presets, text
from explorer.state.actions import Action

if TYPE_CHECKING:
    from explorer.panes.training.plan.mode import PlanMode


def commands(mode: PlanMode) -> list[Action]:
    """The ready plans, and a stage of ZeRO each."""
    found = [
        Action(f"training.plan.{name}", f"Plan: {title}", run, enabled=enabled, help=help)
        for name, title, run, enabled, help in (
            (
                "bundled",
                text.BUNDLED_HERE,
                lambda: mode.take_preset(presets.BUNDLED, text.BUNDLED_HERE),
                lambda: mode.active,
                "What training the bundled model takes on this machine",
            ),
            (
                "gpt3",
                text.GPT3,
                lambda: mode.take_preset(presets.GPT3, text.GPT3),
                lambda: mode.active,
                "What training GPT-3 takes: 175 billion parameters, 300 billion tokens",
            ),
            (
                "run",
                text.THIS_RUN,
                mode.take_run,
                lambda: mode.active and mode.plans_run,
                "What this run takes, predicted and measured",
            ),
        )
    ]
    for stage, title in enumerate(text.STAGES):
        found.append(
            Action(
                f"training.plan.stage.{stage}",
                f"Plan: {title}",
                lambda stage=stage: mode.change("stage", str(stage)),
                enabled=lambda: mode.active,
                checked=lambda stage=stage: mode.draft.value.stage == str(stage),
                help=text.STAGE_WORDS[stage],
            )
        )
    return found
