"""What a fine-tuning will take, before it starts: numbers that learn, memory, file, time.

Everything is arithmetic on configs: no model is built and nothing is opened, so that the numbers
move as a slider does. The formulas of training from scratch are those of `core.training`; here is
what is different where most of a model is frozen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Protocol

from core.finetuning.methods import Chosen
from core.finetuning.nf4 import nf4_bytes
from core.finetuning.targets import ALL_LINEAR, find_targets
from core.finetuning.trainable import Shapes, count, trainable_shapes
from core.finetuning.work import Work, work_of
from core.optimization.groups import is_inner
from core.optimization.optimizers import OPTIMIZERS, optimizer
from core.training.estimates.activations import FULL, number_bytes, temporaries
from core.training.sizes import CALLS_PER_LAYER, CPU_SPEED, FLOPS_PER_BYTE, USUAL_SPEED
from core.transformer.config import ModelConfig
from core.transformer.parameters import parameter_count, parameter_shapes

CALLS_PER_TENSOR = 1e-4  # seconds beside the arithmetic, of each tensor that learns


class Planned(Chosen, Protocol):
    """What a run's settings say, and in how many bits the frozen matrices are: "none" or "nf4"."""

    @property
    def quantize(self) -> str: ...


@dataclass(frozen=True, slots=True)
class FinetuningEstimate:
    """What a fine-tuning takes; bytes of one rank.

    trainable          numbers that learn
    parameters         of the model, with those that the method adds
    bytes_saved        of the tensors that a checkpoint or an adapter file holds
    bytes_weights      of the model, quantized or not, and what the method adds
    bytes_gradients, bytes_optimizer
                       of what learns
    bytes_activations  what forward keeps for backward
    bytes_peak         the most of all that at once, with what comes and goes in between
    flops              of an optimizer step
    seconds_per_step   data not counted
    """

    trainable: int
    parameters: int
    bytes_saved: int
    bytes_weights: int
    bytes_gradients: int
    bytes_optimizer: int
    bytes_activations: int
    bytes_peak: int
    flops: float
    seconds_per_step: float

    @property
    def share(self) -> float:
        """How much of the model learns, 0 to 1."""
        return self.trainable / self.parameters


def estimate_method(
    model: ModelConfig,
    settings: Planned,
    *,
    sequences: int,
    tokens: int,
    micro_batches: int = 1,
    optimizer: str = "adamw",
    precision: str = "fp32",
    device: str = "cpu",
    recompute: bool = False,
    speed: float = USUAL_SPEED,
) -> FinetuningEstimate:
    """The estimate for a base of that config.

    sequences  texts in a micro-batch
    tokens     that each is long, padding counted; a soft prompt comes on top
    speed      FLOP/s of fp32 matrix products: `core.training.sizes.measure_speed`

    Raises ValueError, with the remedy, for settings that this base cannot be tuned with.
    """
    shapes = trainable_shapes(model, settings)
    is_quantized = settings.quantize != "none"
    is_lora = settings.method == "lora"
    length = tokens + (settings.prompt_tokens if settings.method == "prompt" else 0)
    work = work_of(
        model, shapes, sequences, length,
        precision=precision, device=device, recompute=recompute, quantized=is_quantized,
        dropout=settings.lora.dropout if is_lora else 0.0,
    )  # fmt: skip
    trainable, base, new = count(shapes), parameter_count(model), added(model, shapes)
    weights = FULL * (base + new)
    if is_quantized:
        weights -= sum(FULL * one - nf4_bytes(one) for one in quantized_sizes(model))
    state = FULL * remembered(shapes, optimizer)
    gradients = FULL * trainable
    kept = work.kept + work.loss
    always = weights + state + (gradients if micro_batches > 1 else 0)
    return FinetuningEstimate(
        trainable=trainable,
        parameters=base + new,
        bytes_saved=gradients,
        bytes_weights=weights,
        bytes_gradients=gradients,
        bytes_optimizer=state,
        bytes_activations=kept,
        bytes_peak=always + _most(
            model, shapes, work, sequences, length, precision, device, is_quantized
        ),
        flops=micro_batches * work.flops,
        seconds_per_step=step_seconds(model, shapes, work, micro_batches, precision, speed),
    )


def added(model: ModelConfig, shapes: Shapes) -> int:
    """How many of the numbers that learn are new: not the model's own."""
    own = parameter_shapes(model)
    return count({name: shape for name, shape in shapes.items() if name not in own})


def remembered(shapes: Shapes, name: str) -> int:
    """Numbers that the optimizer of this name keeps of those that learn. Raises ValueError for an
    unknown optimizer.
    """
    rule = optimizer(name)
    others = OPTIMIZERS["adamw"] if rule.matrices_only else rule
    return sum(
        math.prod(shape) * len(fields((rule if is_inner(one, len(shape)) else others).state))
        for one, shape in shapes.items()
    )


def quantized_sizes(model: ModelConfig) -> list[int]:
    """Numbers of each matrix that `quantize_model` quantizes."""
    return [math.prod(target.shape) for target in find_targets(model, [ALL_LINEAR])]


def _most(
    model: ModelConfig, shapes: Shapes, work: Work, sequences: int, tokens: int,
    precision: str, device: str, is_quantized: bool,
) -> int:  # fmt: skip
    """The most bytes at once beside weights and optimizer: where the loss is worked out, at both
    ends of backward, or when all gradients are there.
    """
    item, C, V = number_bytes(precision), model.n_embd, model.vocab_size
    read = sequences * tokens
    short = replace(model, block_size=tokens)
    learned = FULL * count(shapes)
    # Gradients of tables, of which a tied one gets two.
    head = FULL * V * C if {"wte.weight", "lm_head.weight"} & shapes.keys() else 0
    table = 2 * head if model.tie_weights and "wte.weight" in shapes else 0
    passing = temporaries(short, sequences, item, device).backward
    passing += _written_out(model, shapes, is_quantized)
    return max(
        work.kept + work.loss + 2 * read * FULL * V,
        work.kept + read * item * V + head,
        work.kept + head + passing,
        learned + work.kept // model.n_layer + passing,
        learned + table + read * FULL * C,
    )


def _written_out(model: ModelConfig, shapes: Shapes, is_quantized: bool) -> int:
    """Bytes of the largest matrix that is written out in between: of NF4 its codes, its levels and
    its numbers; of DoRA B A, s B A and W + s B A.
    """
    largest = max(quantized_sizes(model))
    is_dora = any(name.endswith(".magnitude") for name in shapes)
    return largest * max(10 * is_quantized, 12 * is_dora)


def step_seconds(
    model: ModelConfig, shapes: Shapes, work: Work, micro_batches: int, precision: str, speed: float
) -> float:
    """One optimizer step. `speed`: FLOP/s of fp32 products."""
    calls = CALLS_PER_LAYER * model.n_layer + CALLS_PER_TENSOR * len(shapes)
    arithmetic = work.flops + FLOPS_PER_BYTE * work.moved
    return micro_batches * (arithmetic / (speed * CPU_SPEED.get(precision, 1.0)) + calls)
