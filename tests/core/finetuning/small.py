"""A base that takes a second to make, and fine-tunings of it that take another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.finetuning.program import finetune_steps
from core.finetuning.run_config import finetuning_config
from core.finetuning.settings import FinetuningSettings
from core.training.config import TrainingConfig
from core.training.runs import RunReader
from tests.core.training.small import finish, small_config

LINES = "".join(
    f'{{"prompt": "{first} met {second}?", "answer": "{second}"}}\n'
    for first in "ABCDEFGH"
    for second in "stuvwx"
)


def small_base(folder: Path) -> Path:
    """A trained checkpoint, two layers, on letters that meet."""
    text = folder / "little.txt"
    folder.mkdir(parents=True, exist_ok=True)
    text.write_text("".join(f"{a} met {b}. {b}?\n" for a in "ABCDEFGH" for b in "stuvwxyz") * 12)
    return finish(small_config(folder), folder / "run").checkpoints[-1].folder


def small_tuning(base: Path, **changes: Any) -> TrainingConfig:
    """12 steps on the text that the base learned; `settings` among the changes are settings."""
    given = {
        "context": 16,
        "prompt_tokens": 4,
        "base_data": "",
        "data": str(base.parents[2] / "little.txt"),
    }
    settings = FinetuningSettings(base=str(base), **(given | changes.pop("settings", {})))
    usual = {
        "steps": 12,
        "batch_size": 4,
        "warmup_steps": 3,
        "evaluate_every": 6,
        "evaluate_batches": 2,
        "sample_every": 6,
        "sample_tokens": 5,
        "checkpoint_every": 4,
        "seed": 7,
    }
    return finetuning_config(settings, usual | changes)


def tune(config: TrainingConfig, run: Path, resume: bool = False) -> RunReader:
    for moment in finetune_steps(config, run, resume):
        assert moment.step <= config.steps
    return RunReader(run)
