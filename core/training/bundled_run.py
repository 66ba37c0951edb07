"""Shared parts of the bundled models' recipes: the command's options, the run, and the record of
the stored model.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from core.files import write_json
from core.inference.loading import TOKENIZER_FILE, LoadedModel, load
from core.training.checkpoints import latest_checkpoint
from core.training.config import TrainingConfig
from core.training.loop import train_steps
from core.training.records import RECORD_FILE
from core.training.runs import create_run
from core.training.task import Task
from core.transformer.weights import load_model, save_model

DTYPE = "bfloat16"  # of the stored weights


def options_of(
    arguments: list[str] | None, description: str, steps: int, folder: Path
) -> argparse.Namespace:
    """Returns `steps`, `threads`, `work` and `folder`, and sets torch's number of threads."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("build", folder.name), help="its run")
    parser.add_argument("--folder", type=Path, default=folder, help="where the model goes")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    return options


def is_begun(run: Path) -> bool:
    """Returns True if the run folder has a checkpoint to resume from."""
    return run.is_dir() and latest_checkpoint(run) is not None


def train(config: TrainingConfig, run: Path, task: Task | None = None) -> dict[str, int]:
    """Trains to the end, resuming an interrupted run, and prints its progress. Returns the seconds
    it took: wall-clock time, and processor time of all cores together.
    """
    resuming = is_begun(run)
    if not resuming:
        create_run(run, config)
    begun, processor = time.monotonic(), time.process_time()
    for moment in train_steps(config, run, resume=resuming, task=task):
        if moment.phase in ("evaluate", "sample", "end") and moment.values:
            told = json.dumps(dict(moment.values), default=str, ensure_ascii=False)
            elapsed = time.monotonic() - begun
            print(f"{elapsed:6.0f} s  step {moment.step}  {moment.phase}  {told}", file=sys.stderr)
    return {
        "seconds": round(time.monotonic() - begun),
        "processor_seconds": round(time.process_time() - processor),
    }


def store(run: Path, folder: Path) -> LoadedModel:
    """Stores the weights of a run's last checkpoint and its tokenizer; returns them loaded."""
    checkpoint = latest_checkpoint(run)
    assert checkpoint is not None, "a run that ended has a checkpoint"
    save_model(folder, load_model(checkpoint), dtype=DTYPE)
    shutil.copyfile(checkpoint / TOKENIZER_FILE, folder / TOKENIZER_FILE)
    return load(folder)


def write_record(folder: Path, lm: LoadedModel, facts: Mapping[str, Any]) -> None:
    """Writes and prints the record of the stored model."""
    record = {
        "parameters": sum(parameter.numel() for parameter in lm.model.parameters()),
        "dtype": DTYPE,
        "torch": torch.__version__,
        **facts,
    }
    write_json(folder / RECORD_FILE, record)
    print(json.dumps(record, indent=2, ensure_ascii=False))
