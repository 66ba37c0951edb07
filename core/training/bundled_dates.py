"""The bundled encoder-decoder's recipe: `python -m core.training.bundled_dates` makes it anew.

A run of the training loop like any other, the last weights as bf16, and record.json: the recipe,
the seed, and what the stored file measures.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.data.dates import Dates
from core.data.pairs import Pair
from core.files import write_json
from core.inference.alignment import exact_share, span_attention
from core.inference.loading import TOKENIZER_FILE, LoadedModel, load
from core.resources import resource
from core.training.bundled import RECORD_FILE
from core.training.checkpoints import latest_checkpoint
from core.training.config import CHARACTERS, SEQUENCE_TO_SEQUENCE, TrainingConfig
from core.training.loop import train_steps
from core.training.runs import create_run
from core.transformer.architectures import pair_of
from core.transformer.config import ModelConfig
from core.transformer.weights import load_model, save_model

STEPS = 2000
HELD_OUT = 1000  # dates that were kept from training, on which exactness is measured
ALIGNED = 100  # of them, for the cross-attention

# As in the paper's base model, and much smaller: a stack is 2 layers of width 128.
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
    """The run, as data. Adam's betas and label smoothing are the paper's (sections 5.3, 5.4). The
    learning rate comes down to 0, with which so short a run ends better than with the paper's root.
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
    """Dates of the validation split, always the same."""
    corpus, generator = Dates(), np.random.default_rng(5)
    return [corpus.pair("validation", generator) for _ in range(count)]


def measured(lm: LoadedModel) -> dict[str, Any]:
    """The share of held-out dates that it writes exactly, and its best aligned head of
    cross-attention.
    """
    model, pairs = pair_of(lm.model), held_out(HELD_OUT)
    spans = span_attention(model, lm.tokenizer, pairs[:ALIGNED])  # (L, H)
    layer, head = np.unravel_index(spans.argmax(), spans.shape)
    best = {"layer": int(layer), "head": int(head), "score": round(float(spans.max()), 4)}
    return {"exact": exact_share(model, lm.tokenizer, pairs), "aligned_head": best}


def export(
    checkpoint: Path, config: TrainingConfig, folder: Path, seconds: float, processor: float
) -> dict[str, Any]:
    """Stores a checkpoint's weights as bf16 in `folder`, and beside them what the file measures,
    which it returns.

    seconds, processor  that the run took: by the clock, and of all cores together
    """
    save_model(folder, load_model(checkpoint), dtype="bfloat16")
    shutil.copyfile(checkpoint / TOKENIZER_FILE, folder / TOKENIZER_FILE)
    lm = load(folder)
    record = {
        "recipe": config.to_json(),
        "parameters": sum(parameter.numel() for parameter in lm.model.parameters()),
        "dtype": "bfloat16",
        "seconds": round(seconds),
        "processor_seconds": round(processor),
        "torch": torch.__version__,
        **measured(lm),
    }
    write_json(folder / RECORD_FILE, record)
    return record


def train(config: TrainingConfig, run: Path) -> Iterator[str]:
    """Trains to the end, and tells what happens."""
    resuming = run.is_dir() and latest_checkpoint(run) is not None
    if not resuming:
        create_run(run, config)
    for moment in train_steps(config, run, resume=resuming):
        if moment.phase in ("evaluate", "sample", "end") and moment.values:
            told = json.dumps(dict(moment.values), default=str, ensure_ascii=False)
            yield f"step {moment.step}  {moment.phase}  {told}"


def main(arguments: list[str] | None = None) -> int:
    """Trains the model and puts it where the program finds it; resumes a run in `--work`."""
    parser = argparse.ArgumentParser(description="Trains the bundled encoder-decoder again.")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("build/dates"), help="its run folder")
    parser.add_argument("--folder", type=Path, help="where the model goes (default: resources)")
    options = parser.parse_args(arguments)

    torch.set_num_threads(options.threads)
    config = recipe(options.steps, options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    run, begun, processor = options.work / "run", time.monotonic(), time.process_time()
    for told in train(config, run):
        print(f"{time.monotonic() - begun:6.0f} s  {told}", file=sys.stderr)
    checkpoint = latest_checkpoint(run)
    assert checkpoint is not None, "a run that ended has a checkpoint"
    folder = options.folder or resource("models") / Dates.name
    took = time.monotonic() - begun, time.process_time() - processor
    print(json.dumps(export(checkpoint, config, folder, *took), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
