"""A run that takes a second: what most tests of training start from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from core.training.config import TrainingConfig
from core.training.events import Moment
from core.training.language_modelling import LanguageModelling
from core.training.loop import train_steps
from core.training.runs import RunReader
from core.transformer.config import ModelConfig

TEXT = "".join(f"{word} met {other}. " for word in "ABCDEFGH" for other in "stuvwxyz") * 12


def small_config(folder: Path, **changes: object) -> TrainingConfig:
    """Two layers on a little text file in `folder`, 12 steps."""
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "little.txt"
    if not text.exists():
        text.write_text(TEXT)
    config = TrainingConfig(
        model=ModelConfig(vocab_size=1, block_size=16, n_layer=2, n_head=2, n_embd=16),
        corpus=str(text),
        tokenizer="characters",
        steps=12,
        batch_size=4,
        warmup_steps=3,
        evaluate_every=6,
        evaluate_batches=2,
        sample_every=6,
        sample_prompt="A met ",
        sample_tokens=5,
        checkpoint_every=4,
        probe_every=3,
        probe_text="A met s. B",
        seed=7,
    )
    return config.change(changes)


def moments(config: TrainingConfig, run: Path, resume: bool = False) -> Iterator[Moment]:
    """The loop, with tokenized text kept beside the run."""
    return train_steps(config, run, resume, LanguageModelling(config, run.parent / "cache"))


def finish(config: TrainingConfig, run: Path, resume: bool = False) -> RunReader:
    for moment in moments(config, run, resume):
        assert moment.step <= config.steps
    return RunReader(run)


def fingerprint(folder: Path) -> dict[str, str]:
    """A hash of every file of a checkpoint."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


def losses(reader: RunReader) -> list[float]:
    return [float(value) for value in reader.steps["loss"]]


def torch_state() -> tuple[object, ...]:
    """Everything global in torch, NumPy and Python that a job must leave as it was."""
    import random

    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_autocast_dtype("cpu"),
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.get_rng_state().numpy().tobytes(),
        str(np.random.get_state()),
        random.getstate(),
    )
