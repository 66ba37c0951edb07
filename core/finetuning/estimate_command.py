"""`python -m core.finetuning --estimate`: prints what a fine-tuning run needs before it starts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from core.files import read_json
from core.finetuning.data_check import check_data
from core.finetuning.estimates import estimate_finetuning
from core.finetuning.loading import config_of
from core.finetuning.run_config import finetuning_config
from core.finetuning.settings import METHODS, FinetuningSettings, check_base, settings_of
from core.finetuning.tuning_data import batch_length
from core.numbers import format_bytes, format_count, format_duration, format_share
from core.training.config import TrainingConfig
from core.training.sizes import measure_speed

DESCRIPTION = """Works out what a fine-tuning takes on this machine: how many numbers learn, memory,
time, and the size of what is saved. A base is estimated for each method with its usual settings."""
TITLES = ("method", "learns", "of the model", "memory", "saved", "time")


def main(arguments: Sequence[str]) -> int:
    """Prints the table; returns the exit code: 0, or 2 for invalid arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m core.finetuning --estimate", description=DESCRIPTION
    )
    parser.add_argument("--estimate", nargs="?", const="", metavar="BASE", help="such as stories")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a run's config (JSON)")
    options = parser.parse_args(arguments)
    try:
        print(_table(_configs(options.estimate, options.config)))
    except (ValueError, OSError) as error:
        print("error: " + " ".join(str(error).split()), file=sys.stderr, flush=True)
        return 2
    return 0


def _configs(base: str, file: Path | None) -> list[TrainingConfig]:
    """Returns the runs to estimate. Raises ValueError or OSError, with a remedy."""
    if bool(base) == (file is not None):
        raise ValueError("give --estimate the name of a base, such as stories, or --config FILE")
    if file is None:
        return [finetuning_config(FinetuningSettings(base=base, method=one)) for one in METHODS]
    values = read_json(file)
    try:
        config = TrainingConfig.from_json(values)
        check_base(config, config_of(settings_of(config).base))
        check_data(settings_of(config), config.model.block_size)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    return [config]


def _table(configs: Sequence[TrainingConfig]) -> str:
    """Returns a table with a row for each run. Memory is the peak of one rank, tensors only."""
    first, speed = configs[0], measure_speed()
    settings = settings_of(first)
    rows = [TITLES]
    for config in configs:
        method, tokens = settings_of(config).method, batch_length(settings.base, settings.data)
        found = estimate_finetuning(config, tokens=tokens, speed=speed)
        rows.append((
            method, format_count(found.trainable), format_share(found.share),
            format_bytes(found.bytes_peak), format_bytes(found.bytes_saved),
            format_duration(found.seconds),
        ))  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"{settings.base} learns {settings.data}: {first.steps:,} steps of {first.batch_size} "
        f"sequences, at {speed:.2g} FLOP/s (fp32 matrix products, measured now)",
        *("  ".join(map(str.rjust, row, widths)) for row in rows),
    ]
    return "\n".join(lines)
