"""The run that "Start two ranks here" starts: small, so that its steps are short and told apart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from core.training.config import TrainingConfig
from core.transformer.config import ModelConfig

if TYPE_CHECKING:
    from explorer.runs.live import Runs


def two_ranks_config(parallel: str = "ddp", steps: int = 1500) -> TrainingConfig:
    """Four layers on our stories, two processes."""
    shape = ModelConfig(vocab_size=1536, block_size=128, n_layer=4, n_head=4, n_embd=128)
    return TrainingConfig(
        model=shape,
        steps=steps,
        batch_size=16,
        learning_rate=2e-3,
        min_learning_rate=2e-4,
        warmup_steps=60,
        repeated_fraction=0.1,
        evaluate_every=50,
        evaluate_batches=4,
        sample_every=100,
        checkpoint_every=50,
        probe_every=10,
        ranks=2,
        parallel=parallel,
    )


def two_ranks(runs: Runs) -> Path:
    """Its folder, among the app's runs; in the I/O pool. Raises ValueError or OSError."""
    return runs.new(two_ranks_config(), "two-ranks")
