"""`python -m core.training --estimate ...`: reads the arguments, prints a table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from core.files import quoted, read_json
from core.training.config import TrainingConfig
from core.training.estimates.communication import Link
from core.training.estimates.devices import GB, device
from core.training.estimates.memory import RECOMPUTATIONS, ZERO_STAGES
from core.training.estimates.plan import PRECISIONS, Setup, plan
from core.training.estimates.report import plan_table, run_table
from core.training.sizes import estimate, measure_relative, measure_speed
from core.transformer.config import ModelConfig
from core.transformer.parameters import parameter_count
from core.transformer.presets import PRESETS, preset

# Larger values are taken as typing errors.
MOST_COUNT = 1_000_000_000  # of devices and sequences
MOST = 1e30  # of tokens, prices and rates
DESCRIPTION = """Works out before a training run starts what it will take: parameters, memory,
communication, time, cost and the loss to expect. A config alone is estimated for this machine;
with --device, and for a preset, for a cluster."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of an estimate. Defaults come from the config, or are the usual ones."""
    parser.add_argument(
        "--estimate",
        nargs="?",
        const="",
        metavar="PRESET",
        help=f"print what training takes, and end: of --config, or of {', '.join(PRESETS)}",
    )
    parser.add_argument("--config", type=Path, help="a training config (JSON)")
    parser.add_argument("--device", help='such as "A100 SXM 80GB"; a wrong name lists all')
    parser.add_argument("--devices", type=_count, default=1, help="how many (default: 1)")
    parser.add_argument(
        "--zero", type=_stage, default=0, metavar="STAGE", help="0 (default), 1, 2, or 3 (FSDP)"
    )
    parser.add_argument(
        "--pipeline", type=_count, default=1, metavar="STAGES", help="that share the layers"
    )
    parser.add_argument("--batch", type=_count, help="sequences of a step, on all devices")
    parser.add_argument(
        "--micro-batch", type=_count, help="sequences that a device computes at once (default: 1)"
    )
    parser.add_argument("--tokens", type=_positive, help="tokens of the whole training, as 300e9")
    parser.add_argument("--precision", help=f"{', '.join(PRECISIONS)} (default: bf16)")
    parser.add_argument(
        "--recompute",
        metavar="KIND",
        help=f"activations computed again: {', '.join(RECOMPUTATIONS)} (default: a config's own, "
        "else selective)",
    )
    parser.add_argument(
        "--efficiency", type=_positive, default=0.4, help="share of the peak reached (default: 0.4)"
    )
    parser.add_argument("--link", type=_positive, help="GB/s between two devices, in one direction")
    parser.add_argument(
        "--per-machine", type=_count, metavar="N", help="devices of one machine (default: all)"
    )
    parser.add_argument(
        "--network", type=_positive, help="GB/s between two machines, for all devices of one"
    )
    parser.add_argument("--price", type=_positive, help="of a device for an hour, in $")


def main(arguments: Sequence[str]) -> int:
    """Prints the table; returns the exit code: 0, or 2 for invalid arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m core.training --estimate", description=DESCRIPTION
    )
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        print(table(options))
    except (ValueError, OSError) as error:
        print("error: " + " ".join(str(error).split()), file=sys.stderr, flush=True)
        return 2
    return 0


def table(options: argparse.Namespace) -> str:
    """Returns the table for the options. Raises ValueError or OSError, with a remedy."""
    name, file = options.estimate, options.config
    if name and file is not None:
        raise ValueError("give --estimate a preset's name or --config FILE, not both")
    if file is not None:
        config = _read(file)
        if options.device is None and options.devices == 1:
            speed, relative = measure_speed(), measure_relative()
            text = run_table(config, estimate(config, speed, relative), speed)
            return f"note: {note}\n{text}" if (note := _note(config, relative)) else text
        setup = _setup(options, config)
    elif name:
        setup = _setup(options, None)
    else:
        raise ValueError(
            f"there is nothing to estimate; give --config FILE, or --estimate with one of "
            f"{', '.join(PRESETS)}"
        )
    return plan_table(setup, plan(setup))


def _note(config: TrainingConfig, relative: Mapping[str, float]) -> str:
    """Returns a note for the user on the config's precision on this machine."""
    from core.training.precision import precision_note
    from core.training.strategies import device_for

    device = device_for(config.device, 0, config.ranks)
    return precision_note(config.precision, device, relative)


def _preset(name: str) -> ModelConfig:
    found = preset(name)
    if not isinstance(found, ModelConfig):
        raise ValueError(
            f"{name} is an encoder-decoder, and plans are of models that continue a text; use one "
            f"of {', '.join(PRESETS)}"
        )
    return found


def _read(file: Path) -> TrainingConfig:
    values = read_json(file)
    try:
        return TrainingConfig.from_json(values)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error


def _setup(options: argparse.Namespace, config: TrainingConfig | None) -> Setup:
    """Returns a setup of the arguments, else the config, else the usual values: 20 tokens a
    parameter, and a batch of one micro-batch on each device.
    """
    model = _preset(options.estimate) if config is None else config.model
    micro_batch = options.micro_batch or 1
    usual_batch = options.devices * micro_batch
    tokens, batch, precision, optimizer = None, usual_batch, "bf16", "adamw"
    recompute = "selective"
    if config is not None:
        tokens, optimizer = float(config.tokens_per_step * config.steps), config.optimizer
        batch, precision = config.batch_size * config.micro_batches, config.precision
        recompute = "full" if config.activation_checkpointing else "none"
        if options.micro_batch is None and config.batch_size % options.devices == 0:
            micro_batch = config.batch_size // options.devices
    if options.tokens is None and tokens is None:
        tokens = 20.0 * parameter_count(model)
    return Setup(
        model=model,
        tokens=options.tokens or tokens or 0.0,
        batch_size=options.batch or batch,
        micro_batch=micro_batch,
        devices=options.devices,
        device=None if options.device is None else device(options.device),
        stage=options.zero,
        pipeline=options.pipeline,
        precision=options.precision or precision,
        recompute=options.recompute or recompute,
        optimizer=optimizer,
        efficiency=options.efficiency,
        link=None if options.link is None else Link(options.link * GB),
        per_machine=options.per_machine,
        network=None if options.network is None else Link(options.network * GB),
        price=options.price,
        own_run=config is not None,
    )


def _count(text: str) -> int:
    digits = text.isascii() and text.isdecimal() and len(text) <= 10
    if not digits or not 1 <= int(text) <= MOST_COUNT:
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is no whole number from 1 to {MOST_COUNT:,}; use 8"
        )
    return int(text)


def _stage(text: str) -> int:
    if text not in map(str, ZERO_STAGES):
        raise argparse.ArgumentTypeError(f"ZeRO has no stage {quoted(text)}; use 0, 1, 2 or 3")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text[:30])
    except ValueError:
        value = 0.0
    if not 0 < value <= MOST:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is no positive number; use 300e9")
    return value
