"""What a fine-tuning will take, before it starts: numbers that learn, memory, file, time.

Everything is arithmetic on configs: no model is built and nothing is opened, so that the numbers
move as a slider does. The formulas of training from scratch are those of `core.training`; here is
what is different where most of a model is frozen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from core.finetuning.nf4 import nf4_bytes
from core.finetuning.pass_cost import Work, work_of
from core.finetuning.settings import QUESTIONS, FinetuningSettings, settings_of
from core.finetuning.targets import ALL_LINEAR, find_targets
from core.finetuning.trainable_parameters import Shapes, count, trainable_shapes
from core.optimization.groups import is_inner
from core.optimization.optimizers import OPTIMIZERS, optimizer
from core.training.config import TrainingConfig
from core.training.estimates.activations import FULL, number_bytes, temporaries
from core.training.sizes import (
    BEGINNING,
    CPU_SPEED,
    FLOPS_PER_BYTE,
    USUAL_SPEED,
    WHOLE_SPLIT,
    sequences_per_rank,
    times_due,
)
from core.transformer.config import ModelConfig
from core.transformer.parameters import parameter_count, parameter_shapes

# A batch of questions about our own stories is about so wide, for the tokenizers of the bundled
# model and of SmolLM2.
QUESTION_TOKENS = 120
# Fitted to the steps of 5 shapes, from width 64 to 768, by 17 methods each: where a step takes more
# than 20 ms, within a tenth. A model's products take longer than those that `measure_speed` times;
# seconds of a layer's calls, and of what is called for each tensor that learns.
PRODUCTS = 1.08
CALLS_PER_LAYER = 9.6e-4
CALLS_PER_TENSOR = 6.5e-5


@dataclass(frozen=True, slots=True)
class FinetuningEstimate:
    """What a fine-tuning takes. Bytes are those of one rank, and of tensors alone.

    trainable          numbers that learn
    parameters         of the model, with those that the method adds
    bytes_saved        of what a checkpoint or an adapter file holds
    bytes_weights      of the model, quantized or not, and of what the method adds
    bytes_gradients, bytes_optimizer
                       of what learns
    bytes_activations  what forward keeps for backward
    bytes_peak         the most of all that at once, with what comes and goes in between
    flops              of an optimizer step
    seconds            of the whole run, with its evaluations and samples
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
    seconds: float

    @property
    def share(self) -> float:
        """How much of the model learns, 0 to 1."""
        return self.trainable / self.parameters


def estimate_finetuning(
    config: TrainingConfig, *, tokens: int | None = None, speed: float = USUAL_SPEED
) -> FinetuningEstimate:
    """The estimate for a config that `finetuning_config` made, on a CPU.

    tokens  how long a text is, padding counted; None: as long as questions about our own stories
            are, and other data may be. A soft prompt comes on top
    speed   FLOP/s of fp32 matrix products: see `core.training.sizes.measure_speed`

    Raises ValueError, with the remedy, for another config and for settings that its base cannot be
    tuned with.
    """
    settings, model = settings_of(config), config.model
    shapes = trainable_shapes(model, settings)
    most = settings.context_in(model.block_size)
    usual = QUESTION_TOKENS if settings.data == QUESTIONS else most
    length = settings.prompt_length + min(tokens or usual, most)
    sequences = sequences_per_rank(config)
    work = work_of(
        model,
        shapes,
        sequences,
        length,
        precision=config.precision,
        recompute=config.activation_checkpointing,
        quantized=settings.is_quantized,
        dropout=settings.lora.dropout if settings.method == "lora" else 0.0,
    )
    trainable, whole = count(shapes), parameter_count(model) + _added(model, shapes)
    weights = FULL * whole
    if settings.is_quantized:
        weights -= sum(FULL * size - nf4_bytes(size) for size in quantized_sizes(model))
    gradients, state = FULL * trainable, FULL * remembered(shapes, config.optimizer)
    parts = config.ranks if config.parallel == "fsdp2" else 1
    held = (weights + state + (gradients if config.micro_batches > 1 else 0)) // parts
    short = replace(model, block_size=length)
    written_out = _written_out(model, shapes, settings.is_quantized)
    passing = _most(short, shapes, work, sequences, config.precision, written_out)
    per_step = config.micro_batches * pass_seconds(model, shapes, work, config.precision, speed)
    return FinetuningEstimate(
        trainable=trainable,
        parameters=whole,
        bytes_saved=gradients,
        bytes_weights=weights // parts,
        bytes_gradients=gradients // parts,
        bytes_optimizer=state // parts,
        bytes_activations=work.kept + work.loss,
        bytes_peak=held + passing,
        flops=config.micro_batches * (work.forward + work.backward),
        seconds_per_step=per_step,
        seconds=BEGINNING
        + config.steps * per_step
        + _looking_seconds(config, settings, shapes, work, speed),
    )


def remembered(shapes: Shapes, name: str) -> int:
    """How many numbers an optimizer keeps for those that learn. Raises ValueError for an unknown
    optimizer.
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


def _added(model: ModelConfig, shapes: Shapes) -> int:
    """How many of the numbers that learn are new: not the model's own."""
    own = parameter_shapes(model)
    return count({name: shape for name, shape in shapes.items() if name not in own})


def _most(
    model: ModelConfig, shapes: Shapes, work: Work, sequences: int, precision: str, written_out: int
) -> int:
    """The most bytes at once beside weights and optimizer: in a block that keeps nothing, where the
    loss is worked out, at both ends of backward, or when all gradients are there.
    """
    item, C, V = number_bytes(precision), model.n_embd, model.vocab_size
    hidden = model.inner_width * (3 if model.mlp == "swiglu" else 2)
    tokens, learned = sequences * model.block_size, FULL * count(shapes)
    # Gradients of tables, of which a tied one gets two.
    head = FULL * V * C if {"wte.weight", "lm_head.weight"} & shapes.keys() else 0
    table = 2 * head if model.tie_weights and "wte.weight" in shapes else 0
    passing = temporaries(model, sequences, item, "cpu").backward + written_out
    return max(
        written_out + tokens * (2 * FULL * C + item * hidden),
        work.kept + work.loss + 2 * tokens * FULL * V,
        work.kept + tokens * item * V + head,
        work.kept + head + passing,
        learned + work.kept // model.n_layer + passing,
        learned + table + tokens * FULL * C,
    )


def _written_out(model: ModelConfig, shapes: Shapes, is_quantized: bool) -> int:
    """Bytes of the largest matrix that is written out in between: of NF4 its codes, its levels and
    its numbers; of DoRA B A, s B A and W + s B A.
    """
    largest = max(quantized_sizes(model))
    is_dora = any(name.endswith(".magnitude") for name in shapes)
    return largest * max(10 * is_quantized, 12 * is_dora)


def pass_seconds(
    model: ModelConfig, shapes: Shapes, work: Work, precision: str, speed: float
) -> float:
    """Seconds of forward, backward and optimizer over a micro-batch. `speed`: FLOP/s of fp32."""
    calls = CALLS_PER_LAYER * model.n_layer + CALLS_PER_TENSOR * len(shapes)
    arithmetic = PRODUCTS * (work.forward + work.backward) + FLOPS_PER_BYTE * work.moved
    return arithmetic / (speed * CPU_SPEED.get(precision, 1.0)) + calls


def _looking_seconds(
    config: TrainingConfig, settings: FinetuningSettings, shapes: Shapes, work: Work, speed: float
) -> float:
    """Seconds of all evaluations (two splits, and what may be forgotten) and of all samples."""
    model, precision = config.model, config.precision
    batches = [work, work]
    if settings.base_data:  # in texts as long as they may be
        most = settings.context_in(model.block_size)
        batches.append(work_of(model, shapes, sequences_per_rank(config), most))
    forward = [replace(one, backward=0.0, moved=one.moved / 3) for one in batches]
    once = sum(pass_seconds(model, shapes, one, precision, speed) for one in forward)
    evaluations = 1 + times_due(config.steps, config.evaluate_every)
    samples = times_due(config.steps, config.sample_every) if config.sample_every else 0
    token = 2.0 * parameter_count(model) / speed + CALLS_PER_LAYER * model.n_layer
    return (
        evaluations * (config.evaluate_batches or WHOLE_SPLIT) * once
        + samples * config.sample_tokens * token
    )
