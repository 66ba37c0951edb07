"""The modes of the fine-tuning pane."""

from __future__ import annotations

from explorer.panes.modes import ModeSpec

MODES: tuple[ModeSpec, ...] = (
    ModeSpec("tune", "Tune", "explorer.panes.finetuning.tune.mode"),
    ModeSpec("inside", "Inside", "explorer.panes.finetuning.inside.mode"),
    ModeSpec("try", "Try", "explorer.panes.finetuning.answers.mode"),
)
