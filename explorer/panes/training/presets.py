"""Small runs that are ready to start, for buttons and for the snapshots."""

from __future__ import annotations

from pathlib import Path

from core.training.config import CHARACTERS, TrainingConfig
from core.transformer.config import ModelConfig


def small_run(**changes: object) -> TrainingConfig:
    """Returns a four-layer run on our stories, with steps of a few ms. `changes` as in `change`."""
    return TrainingConfig(
        model=ModelConfig(vocab_size=1536, block_size=64, n_layer=4, n_head=4, n_embd=64),
        steps=400,
        batch_size=8,
        learning_rate=4e-3,
        min_learning_rate=4e-4,
        warmup_steps=20,
        repeated_fraction=0.1,
        evaluate_every=20,
        evaluate_batches=2,
        sample_every=60,
        sample_tokens=48,
        checkpoint_every=60,
        probe_every=4,
    ).change(changes)


def two_ranks() -> TrainingConfig:
    """Returns a run on two ranks, large enough to distinguish compute, exchange and wait times."""
    model = ModelConfig(vocab_size=1536, block_size=128, n_layer=4, n_head=4, n_embd=128)
    return small_run(
        model=model,
        steps=1500,
        batch_size=16,
        learning_rate=2e-3,
        min_learning_rate=2e-4,
        warmup_steps=60,
        evaluate_every=50,
        evaluate_batches=4,
        sample_every=100,
        checkpoint_every=50,
        probe_every=10,
        ranks=2,
    )


def fp16() -> TrainingConfig:
    """Returns a run small enough for fp16 on a CPU. Its loss scale starts too high and grows often,
    so that within a minute it finds a stable value and exceeds it again.
    """
    model = ModelConfig(vocab_size=1536, block_size=32, n_layer=2, n_head=4, n_embd=64)
    return small_run(
        model=model,
        steps=200,
        batch_size=4,
        learning_rate=3e-3,
        min_learning_rate=3e-4,
        evaluate_every=0,
        sample_every=0,
        checkpoint_every=50,
        probe_every=10,
        precision="fp16",
        loss_scale=2.0**24,
        loss_scale_growth_interval=20,
    )


def repeats(letters: Path) -> TrainingConfig:
    """Returns a two-layer run on repeats alone, of the characters in a text file: with about sixty
    characters an induction head forms between steps 150 and 250, and the loss falls with it.
    """
    return small_run(
        model=ModelConfig(vocab_size=64, block_size=32, n_layer=2, n_head=4, n_embd=64),
        corpus=str(letters),
        tokenizer=CHARACTERS,
        repeated_fraction=1.0,
        steps=300,
        batch_size=64,
        learning_rate=1e-3,
        min_learning_rate=1e-3,
        evaluate_every=0,
        sample_every=0,
        checkpoint_every=50,
        probe_text=2 * "sKz4mQ8wRb2x",
    )
