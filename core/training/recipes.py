"""Published training runs as configs."""

from __future__ import annotations

from core.training.config import CHARACTERS, TrainingConfig
from core.transformer.config import ModelConfig


def nanogpt_cpu(corpus: str, seed: int = 1337, precision: str = "fp32") -> TrainingConfig:
    """nanoGPT's "shakespeare_char on a CPU" (its README), on any text file: 804,096 parameters.

    nanoGPT trains on the 1,115,394 bytes of tinyshakespeare (65 characters). Evaluated once, at the
    end, on the whole validation split: about 1.91. The 1.88 that nanoGPT publishes is one estimate
    over 20 batches, whose standard deviation is 0.013.
    """
    model = ModelConfig(
        vocab_size=65,
        block_size=64,
        n_layer=4,
        n_head=4,
        n_embd=128,
        dropout=0.0,
        bias=False,
        mlp="gelu",
    )
    return TrainingConfig(
        model=model,
        corpus=corpus,
        tokenizer=CHARACTERS,
        steps=2000,
        batch_size=12,
        learning_rate=1e-3,
        min_learning_rate=1e-4,
        warmup_steps=100,
        betas=(0.9, 0.99),
        weight_decay=0.1,
        clip=1.0,
        evaluate_every=0,
        evaluate_batches=0,
        sample_every=0,
        checkpoint_every=0,
        probe_every=0,
        seed=seed,
        precision=precision,
    )
