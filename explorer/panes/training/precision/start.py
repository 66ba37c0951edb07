"""The two runs that "Train in fp16 here" starts: one seed, in fp16 and in fp32."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.training.config import TrainingConfig
from core.transformer.config import ModelConfig

if TYPE_CHECKING:
    from explorer.runs.live import Runs


def fp16_config() -> TrainingConfig:
    """So small that fp16 is quick enough on a CPU; its loss scale begins too high and grows often,
    so that it is found, and lost again, within a minute.
    """
    return TrainingConfig(
        model=ModelConfig(vocab_size=1536, block_size=32, n_layer=2, n_head=4, n_embd=64),
        steps=200,
        batch_size=4,
        learning_rate=3e-3,
        min_learning_rate=3e-4,
        warmup_steps=20,
        evaluate_every=0,
        evaluate_batches=2,
        sample_every=0,
        checkpoint_every=50,
        probe_every=10,
        precision="fp16",
        loss_scale=2.0**24,
        loss_scale_growth_interval=20,
    )


def both(runs: Runs) -> tuple[Path, Path]:
    """Their folders, fp16 first; in the I/O pool. Raises ValueError or OSError."""
    config = fp16_config()
    return runs.new(config, "fp16"), runs.new(config.change({"precision": "fp32"}), "fp32")
