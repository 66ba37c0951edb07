"""core.finetune: runs a fine-tuning from start to end, in this process or on several ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.data.text import check_text_file
from core.finetuning.settings import BUILT_IN, FINETUNING, STORIES, check_base, settings_of
from core.memory import check_memory
from core.training import records
from core.training.config import TrainingConfig
from core.training.program import TRAINING, Moments, Program, Steps, train
from core.training.runs import text_identity

if TYPE_CHECKING:
    from core.training.parallel import Parallel
    from core.training.runs import RunReader


def finetune(config: TrainingConfig, folder: str | Path | None = None) -> RunReader:
    """Trains to the end and returns the run; `folder` None creates one among the user's runs.

    Raises as `finetune_steps`.
    """
    return train(config, folder, FINETUNING_PROGRAM)


def finetune_steps(
    config: TrainingConfig | None,
    folder: str | Path,
    resume: bool = False,
    *,
    parallel: Parallel | None = None,
) -> Moments:
    """Runs `train_steps` for fine-tuning: yields at each phase, writes everything else to `folder`.

    Raises as `train_steps`, and if the base or the data cannot be opened.
    """
    from core.finetuning.task import Finetuning
    from core.training.loop import train_steps

    folder = Path(folder)
    if (folder / records.MANIFEST).exists():
        manifest = records.read_manifest(folder)
        known = TrainingConfig.from_json(manifest["config"])
        _check_unchanged(known.corpus, manifest)
        config = config or known
    elif config is not None:
        check_finetuning(config)
    else:
        raise ValueError(f"{folder} is no run folder; give a config to start a run there")
    yield from train_steps(config, folder, resume, Finetuning(config), parallel)


def _check_unchanged(data: str, manifest: Mapping[str, Any]) -> None:
    """Raises ValueError if a data file has changed since the run began, or is gone."""
    if data not in (*BUILT_IN, STORIES) and manifest.get("text") != text_identity(data):
        raise ValueError(
            f"{data} is not as it was when the run began; put the old file back, or start a new "
            "run on the new one"
        )


def check_finetuning(config: TrainingConfig) -> None:
    """Rejects a run that cannot start, before anything is written.

    Raises ValueError or OSError, with a remedy, for a missing base or data, for a method that the
    base does not support, and for a run larger than this machine's memory.
    """
    from core.finetuning.estimates import estimate_finetuning
    from core.finetuning.loading import config_of
    from core.finetuning.tuning_data import check_room

    settings = settings_of(config)
    check_base(config, config_of(settings.base))
    check_room(settings, config.model.block_size)
    needed = estimate_finetuning(config).bytes_peak * config.ranks
    remedy = "choose a smaller base, a shorter context or fewer sequences a batch"
    check_memory("this fine-tuning", needed, remedy)
    if settings.classes and config.parallel == "fsdp2" and config.ranks > 1:
        raise ValueError("a classification head cannot be sharded; use parallel 'ddp'")
    for text in (settings.data, settings.base_data):
        if text and text not in (*BUILT_IN, STORIES):
            check_text_file(text)


def _finetune_steps() -> Steps:
    return finetune_steps


def _estimate(arguments: Sequence[str]) -> int:
    from core.finetuning.estimate_command import main

    return main(arguments)


FINETUNING_PROGRAM = Program("core.finetuning", check_finetuning, _finetune_steps, _estimate)


def program_of(config: TrainingConfig) -> Program:
    """Returns the program that trains a config."""
    return FINETUNING_PROGRAM if config.task == FINETUNING else TRAINING
