"""The bundled encoder-decoder's recipe: `python -m core.training.bundled_dates` trains it again.

It runs the training loop like any other run, and stores the last weights in bf16 with record.json:
the recipe, the seed, and measurements of the stored file.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from core.data.dates import Dates
from core.data.pairs import Pair
from core.inference.alignment import exact_share, span_attention
from core.inference.loading import LoadedModel
from core.resources import resource
from core.training import bundled_run
from core.training.config import CHARACTERS, SEQUENCE_TO_SEQUENCE, TrainingConfig
from core.transformer.architectures import encoder_decoder_of
from core.transformer.config import ModelConfig

STEPS = 2000
HELD_OUT = 1000  # held-out dates on which exactness is measured
ALIGNED = 100  # those of them on which cross-attention is measured

# The architecture of the paper's base model, much smaller: each stack has 2 layers of width 128.
STACK = ModelConfig(
    vocab_size=70,
    block_size=64,
    n_layer=2,
    n_head=4,
    n_embd=128,
    qkv_bias=False,
    o_bias=False,
    norm_placement="post",
    positions="sinusoidal",
    mlp="relu",
    embedding_scale=True,
)


def recipe(steps: int, threads: int) -> TrainingConfig:
    """Returns the run's config. Adam's betas and label smoothing are the paper's (sections 5.3,
    5.4). The rate decays to 0: so short a run ends better than with the paper's inverse root.
    """
    return TrainingConfig(
        model=STACK,
        task=SEQUENCE_TO_SEQUENCE,
        corpus=Dates.name,
        tokenizer=CHARACTERS,
        steps=steps,
        batch_size=64,
        learning_rate=1.5e-3,
        min_learning_rate=0.0,
        warmup_steps=300,
        schedule="cosine",
        betas=(0.9, 0.98),
        weight_decay=0.0,
        label_smoothing=0.1,
        evaluate_every=500,
        evaluate_batches=4,
        sample_every=500,
        checkpoint_every=500,
        keep_checkpoints=3,
        probe_every=0,
        seed=1337,
        threads=threads,
    )


def held_out(count: int) -> list[Pair]:
    """Returns dates of the validation split, always the same ones."""
    corpus, generator = Dates(), np.random.default_rng(5)
    return [corpus.pair("validation", generator) for _ in range(count)]


def measured(lm: LoadedModel) -> dict[str, Any]:
    """Returns the share of held-out dates that the model writes exactly, and the cross-attention
    head that is aligned best.
    """
    model, pairs = encoder_decoder_of(lm.model), held_out(HELD_OUT)
    spans = span_attention(model, lm.tokenizer, pairs[:ALIGNED])  # (L, H)
    layer, head = np.unravel_index(spans.argmax(), spans.shape)
    best = {"layer": int(layer), "head": int(head), "score": round(float(spans.max()), 4)}
    return {"exact": exact_share(model, lm.tokenizer, pairs), "aligned_head": best}


def main(arguments: list[str] | None = None) -> int:
    """Trains the model, or resumes its run in `--work`; stores it where the program loads it."""
    about = "Trains the bundled encoder-decoder again."
    options = bundled_run.options_of(arguments, about, STEPS, resource("models") / Dates.name)
    config, run = recipe(options.steps, options.threads), options.work / "run"
    took = bundled_run.train(config, run)
    lm = bundled_run.store(run, options.folder)
    record = {"recipe": config.to_json(), **took, **measured(lm)}
    bundled_run.write_record(options.folder, lm, record)
    return 0


if __name__ == "__main__":
    sys.exit(main())
