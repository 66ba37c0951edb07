"""What a run costs on this machine, before it starts: parameters, memory, arithmetic, time.

The formulas are in `core.training.estimates`; the constants fitted to this program's own steps on a
CPU are here.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from core.data.first_lesson import lesson_shape, text_share
from core.numbers import format_number
from core.training.config import TrainingConfig
from core.training.estimates.activations import Kept, kept
from core.training.estimates.communication import data_parallel
from core.training.estimates.flops import flops_per_token, muon_flops
from core.training.estimates.memory import model_state, numbers_remembered, shard
from core.transformer.parameters import parameter_count

# FLOP/s of a laptop core's fp32 matrix products, if not measured by `measure_speed`.
USUAL_SPEED = 8e10
# Speed of a CPU in 16 bits relative to fp32, if not measured by `measure_relative`: with bf16
# arithmetic (avx512_bf16) 2.65 on wide layers, 1.5 on small; fp16, computed in software, 1/20 to
# 1/12. Without the arithmetic, bf16 is as slow as fp16.
CPU_SPEED = {"bf16": 1.5, "fp16": 1 / 15}
MOST_RELATIVE = 1.5  # a step has more than the products that are measured
SLOWER = 0.5  # a lower relative speed has a note
# Besides matrix products, a step moves data and computes elementwise functions: a byte of
# activations takes as long as this many FLOPs, a layer's calls this many seconds. Fitted to the
# steps of 14 shapes, from width 16 to 384: each within a quarter of its estimate.
FLOPS_PER_BYTE = 83.0
CALLS_PER_LAYER = 4.1e-4
# To generate and tokenize a story; the tokens of a file are only read.
STORY_SECONDS = 4e-4
# Share of a step that an evaluation's batch takes, which needs no gradients.
FORWARD_SHARE = 0.3
# Assumed batches of an evaluation that reads the whole split.
WHOLE_SPLIT = 40
# What a training process holds besides the tensors of an estimate: Python, PyTorch, the corpus.
# Measured on Linux with torch 2.13 for CPUs; the window of the app adds some 100 MB.
PROCESS_BYTES = 350_000_000
DISK_SPEED = 2e8  # bytes a second, for writing a checkpoint
BEGINNING = 1.0  # seconds to prepare corpus, tokenizer and optimizer


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated cost of a run. Bytes are those of one rank.

    parameters        of the whole model
    bytes_...         weights, gradients, optimizer state, activations saved for backward
    flops_per_token   forward and backward
    seconds           of the whole run, with its evaluations, samples, pictures of the heads and
                      checkpoints
    ranks             number of ranks
    sent              bytes that each rank sends in a step
    """

    parameters: int
    bytes_model: int
    bytes_gradients: int
    bytes_optimizer: int
    bytes_activations: int
    flops_per_token: float
    seconds_per_step: float
    seconds: float
    ranks: int = 1
    sent: float = 0.0

    @property
    def bytes(self) -> int:
        """Bytes that one rank needs, apart from Python and torch themselves."""
        parts = (self.bytes_model, self.bytes_gradients, self.bytes_optimizer)
        return sum(parts) + self.bytes_activations

    @property
    def bytes_of_all(self) -> int:
        """Bytes that all ranks need together."""
        return self.ranks * self.bytes


def estimate(
    config: TrainingConfig, speed: float = USUAL_SPEED, relative: Mapping[str, float] = CPU_SPEED
) -> Estimate:
    """Returns the estimate; allocates nothing. `speed`: FLOP/s of fp32 matrix products; `relative`:
    the speed of other precisions relative to fp32, from `measure_relative`.
    """
    model = config.model
    count = parameter_count(model)
    flops = flops_per_token(model)
    activations = activation_bytes(config)
    per_step = step_seconds(config, speed, relative)
    whole = model_state(count, numbers_remembered(model, config.optimizer), "fp32")
    stage = 3 if config.parallel == "fsdp2" else 0
    held = shard(whole, stage, config.ranks)
    sent = data_parallel(whole.weights, whole.gradients, stage, config.ranks, config.micro_batches)
    return Estimate(
        parameters=count,
        bytes_model=round(held.weights),
        bytes_gradients=round(held.gradients),
        bytes_optimizer=round(held.optimizer),
        bytes_activations=activations,
        flops_per_token=flops,
        seconds_per_step=per_step,
        seconds=BEGINNING
        + per_step * config.steps
        + lesson_extra_seconds(config, speed, relative)
        + looking_seconds(config, per_step, flops, _speed_at(config, speed, relative))
        + checkpoint_seconds(config, count),
        ranks=config.ranks,
        sent=sent.bytes,
    )


def step_seconds(
    config: TrainingConfig, speed: float = USUAL_SPEED, relative: Mapping[str, float] = CPU_SPEED
) -> float:
    """Returns seconds per step, all of its phases; `speed` and `relative` as in `estimate`."""
    speed = _speed_at(config, speed, relative)
    moved = kept(config.model, config.batch_size, config.precision).total  # by all ranks together
    work = arithmetic(config)
    work += FLOPS_PER_BYTE * moved * config.micro_batches
    work += muon_flops(config.model) if config.optimizer == "muon" else 0.0
    calls = CALLS_PER_LAYER * config.model.n_layer * config.micro_batches
    told = STORY_SECONDS if config.corpus == "stories" else 0.0
    return work / speed + calls + told * config.batch_size * config.micro_batches


def lesson_extra_seconds(
    config: TrainingConfig, speed: float = USUAL_SPEED, relative: Mapping[str, float] = CPU_SPEED
) -> float:
    """Returns by how many seconds the steps of a first lesson take longer than as many others:
    below 0, unless it reads many windows of stories.
    """
    count = min(config.copying_steps, config.steps)
    if not count:
        return 0.0
    sequences, length = lesson_shape(config.model.block_size, config.batch_size)
    short = replace(config.model, block_size=length)
    alike = config.change({"model": short, "batch_size": sequences, "copying_steps": 0})
    shares = [text_share(step, config.copying_steps) for step in range(count)]
    told = STORY_SECONDS * sequences * config.micro_batches if config.corpus == "stories" else 0.0
    copying = step_seconds(alike, speed, relative) - told  # reads no story
    return count * (copying - step_seconds(config, speed, relative)) + told * sum(shares)


def _speed_at(config: TrainingConfig, speed: float, relative: Mapping[str, float]) -> float:
    """Returns FLOP/s in the run's precision, given `speed` in fp32."""
    usual = CPU_SPEED.get(config.precision, 1.0)
    return speed * min(relative.get(config.precision, usual), MOST_RELATIVE)


def slow_note(precision: str, relative: float) -> str:
    """Returns a note on a precision of this speed relative to fp32 on a CPU; "" for a fast one."""
    if relative > SLOWER:
        return ""
    times = format_number(1 / relative, 2)
    return f"This processor computes {precision} in software: about {times} times slower than fp32"


def efficiency(
    config: TrainingConfig, speed: float = USUAL_SPEED, relative: Mapping[str, float] = CPU_SPEED
) -> float:
    """Returns the share of the processor's FLOP/s that a step reaches with the model's own
    arithmetic, recomputation included; `speed` and `relative` as in `estimate`.
    """
    reached = arithmetic(config) / step_seconds(config, speed, relative)
    return reached / _speed_at(config, speed, relative)


def arithmetic(config: TrainingConfig) -> float:
    """Returns the FLOPs of a step's matrix products. Recomputing the activations is a second
    forward pass: a third more.
    """
    again = 4 / 3 if config.activation_checkpointing else 1.0
    return flops_per_token(config.model) * config.tokens_per_step * again


def looking_seconds(config: TrainingConfig, per_step: float, flops: float, speed: float) -> float:
    """Returns the seconds of all of a run's evaluations, samples and pictures of the heads."""
    model = config.model
    batch = FORWARD_SHARE * per_step / config.micro_batches
    evaluation = 2 * (config.evaluate_batches or WHOLE_SPLIT) * batch
    # Each generated token takes a forward pass over those before it, on average half of them.
    pass_per_token = flops / 3 * min(config.sample_tokens / 2, model.block_size) / speed
    token = pass_per_token + CALLS_PER_LAYER * model.n_layer
    picture = 2 * token  # the attention weights of every head, and a file
    return (
        (times_due(config.steps, config.evaluate_every) + 1) * evaluation
        + (times_due(config.steps, config.sample_every) if config.sample_every else 0)
        * config.sample_tokens
        * token
        + (times_due(config.steps, config.probe_every) if config.probe_every else 0) * picture
    )


def checkpoint_seconds(config: TrainingConfig, parameters: int) -> float:
    """Returns the seconds to save weights and optimizer state (AdamW: two averages) in fp32."""
    size = 4 * (parameters + numbers_remembered(config.model, config.optimizer))
    return times_due(config.steps, config.checkpoint_every) * size / DISK_SPEED


def times_due(steps: int, every: int) -> int:
    """Returns how often something happens every so many steps (0: never), and at the end."""
    return 1 if not every else -(-steps // every)


def sequences_per_rank(config: TrainingConfig) -> int:
    """Returns the sequences of a rank's micro-batch; if uneven, those of the rank with the most."""
    return -(-config.batch_size // config.ranks)


def activation_bytes(config: TrainingConfig) -> int:
    """Returns the bytes that one rank's forward pass over its part of a micro-batch saves."""
    return kept_activations(config).total


def kept_activations(config: TrainingConfig) -> Kept:
    """Returns these bytes, by part of the model."""
    return kept(
        config.model,
        sequences_per_rank(config),
        config.precision,
        recompute=config.activation_checkpointing,
    )


LEAST_PRODUCTS = 15


def measure_speed(seconds: float = 0.06) -> float:
    """Returns FLOP/s of this machine's fp32 matrix products, with torch's current threads.

    A value between the best product and the median one: other programs also slow down a run, but
    may have ended when it begins. A product that was delayed for long has no extra weight.
    """
    import torch

    generator = torch.Generator().manual_seed(0)
    a = torch.randn(512, 256, generator=generator)
    b = torch.randn(256, 256, generator=generator)
    flops = 2.0 * 512 * 256 * 256
    for _ in range(3):  # the first calls also set torch up
        torch.mm(a, b)
    took: list[float] = []
    while sum(took) < seconds or len(took) < LEAST_PRODUCTS:
        start = time.perf_counter()
        torch.mm(a, b)
        took.append(time.perf_counter() - start)
    return flops / math.sqrt(min(took) * statistics.median(took))


def measure_relative(
    seconds: float = 0.02, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Returns this processor's speed in "bf16" and "fp16" relative to fp32: below 1, it is slower.

    It times what most of a step consists of, forward and backward through an MLP with its norm, on
    torch's current threads. A processor without 16-bit arithmetic takes 8 to 13 times as long, and
    for whole steps of widths 64 to 256, 6 to 14 times. `seconds`: for each precision, unless three
    passes take longer.
    """
    import torch
    from torch.nn import functional as F

    generator = torch.Generator().manual_seed(0)
    shapes = ((128, 128), (512, 128), (128, 512), (128,))
    x, up, down, gains = (
        torch.randn(shape, generator=generator).requires_grad_() for shape in shapes
    )

    def once(dtype: torch.dtype | None) -> float:
        begun = clock()
        with torch.enable_grad(), torch.autocast("cpu", dtype, enabled=dtype is not None):
            hidden = F.gelu(F.linear(F.layer_norm(x, (128,), gains), up))
            loss = (x + F.linear(hidden, down)).square().sum()
        torch.autograd.grad(loss, (x, up, down, gains))
        return clock() - begun

    def shortest(dtype: torch.dtype | None) -> float:
        once(dtype)  # the first call also sets torch up
        took = [once(dtype)]
        while len(took) < 3 or (sum(took) < seconds and len(took) < LEAST_PRODUCTS):
            took.append(once(dtype))
        return max(min(took), 1e-9)

    whole = shortest(None)
    return {
        name: whole / shortest(dtype)
        for name, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16))
    }
