"""core.finetuning_config: a run config for fine-tuning settings, with defaults for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core import fields
from core.finetuning.settings import BUILT_IN, FINETUNING, RATES, STORIES, FinetuningSettings
from core.training.config import TrainingConfig
from core.transformer.config import ModelConfig

# Fields of TrainingConfig whose defaults differ from those of training from scratch.
USUAL: Mapping[str, Any] = {
    "steps": 60,
    "batch_size": 8,
    "warmup_steps": 10,
    "weight_decay": 0.0,
    "betas": (0.9, 0.999),
    "evaluate_every": 10,
    "evaluate_batches": 8,
    "sample_every": 10,
    "sample_prompt": "",
    "sample_tokens": 24,
    "checkpoint_every": 20,
    "probe_every": 0,
    "probe_text": "",
}


def finetuning_config(
    settings: FinetuningSettings | None = None, changes: Mapping[str, Any] | None = None
) -> TrainingConfig:
    """Returns the config of a run with these settings. Paths become absolute.

    changes  fields of TrainingConfig to set to other values than the defaults

    Reads the base's config, but no weights. Raises ValueError or FileNotFoundError if the base does
    not exist, or is an encoder-decoder.
    """
    from core.finetuning.loading import config_of  # loads torch

    settings = _absolute(settings or FinetuningSettings())
    model = config_of(settings.base)
    if not isinstance(model, ModelConfig):
        raise ValueError(
            f"{settings.base} is an encoder-decoder: only a model that continues a text can be "
            "fine-tuned by a run; add an adapter to it by core.add_lora"
        )
    given = dict(changes or {})
    rate = given.get("learning_rate", RATES[settings.method])
    usual = TrainingConfig(
        model=model,
        task=FINETUNING,
        corpus=settings.data,
        tokenizer=settings.base,
        settings=settings.to_json(),
        learning_rate=rate,
        min_learning_rate=rate / 10,
        **USUAL,
    )
    return usual.change(given)


def _absolute(settings: FinetuningSettings) -> FinetuningSettings:
    """Makes paths absolute, so that the run can be continued from any folder."""
    changed = {}
    for name in ("base", "data", "base_data"):
        given = getattr(settings, name)
        if given and Path(given).exists() and given not in (STORIES, *BUILT_IN):
            changed[name] = str(Path(given).resolve())
    return fields.from_json(FinetuningSettings, {**settings.to_json(), **changed})
