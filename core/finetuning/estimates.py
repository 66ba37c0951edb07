"""What a fine-tuning run will need: numbers that learn, memory, file size, time.

Everything is arithmetic on configs: no model is built and no file is opened, so the estimates
follow a slider as it moves. The formulas of training from scratch are in `core.training`; this
module adds what differs when most of a model is frozen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from core.finetuning.lora_config import ALL_LINEAR
from core.finetuning.nf4 import nf4_bytes
from core.finetuning.pass_cost import Work, work_of
from core.finetuning.settings import QUESTIONS, FinetuningSettings, settings_of
from core.finetuning.targets import find_targets
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

# Typical width of a batch of questions about the app's own stories, with the tokenizers of the
# bundled model and of SmolLM2.
QUESTION_TOKENS = 120
# Fitted to steps of 5 shapes, from width 64 to 768, by 17 methods each; for steps above 20 ms,
# accurate to a tenth. PRODUCTS: a model's products are slower than those that `measure_speed`
# times. CALLS: seconds of the calls of a layer, and of those for each trainable tensor.
PRODUCTS = 1.08
CALLS_PER_LAYER = 9.6e-4
CALLS_PER_TENSOR = 6.5e-5


@dataclass(frozen=True, slots=True)
class FinetuningEstimate:
    """What a fine-tuning run needs. Bytes are those of one rank, tensors only.

    trainable          numbers that learn
    parameters         of the model, including those that the method adds
    bytes_saved        size of a checkpoint's weights or an adapter file
    bytes_weights      of the model, quantized or not, and of the method's own parameters
    bytes_gradients, bytes_optimizer
                       of the trainable parameters
    bytes_activations  kept by forward for backward
    bytes_peak         the largest sum of all these at one time, with temporaries
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
        """Share of the model's numbers that learn, 0 to 1."""
        return self.trainable / self.parameters


def estimate_finetuning(
    config: TrainingConfig, *, tokens: int | None = None, speed: float = USUAL_SPEED
) -> FinetuningEstimate:
    """Estimates a config that `finetuning_config` made, on a CPU.

    tokens  length of a text with padding; None: that of questions about the app's own stories, and
            of other data the longest possible. A soft prompt adds to it
    speed   FLOP/s of fp32 matrix products: see `core.training.sizes.measure_speed`

    Raises ValueError, with a remedy, for any other config and for settings unfit for the base.
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
    """Returns how many numbers an optimizer stores for the trainable ones. Raises ValueError for an
    unknown optimizer.
    """
    rule = optimizer(name)
    others = OPTIMIZERS["adamw"] if rule.matrices_only else rule
    return sum(
        math.prod(shape) * len(fields((rule if is_inner(one, len(shape)) else others).state))
        for one, shape in shapes.items()
    )


def quantized_sizes(model: ModelConfig) -> list[int]:
    """Returns the size of each matrix that `quantize_model` quantizes."""
    return [math.prod(target.shape) for target in find_targets(model, [ALL_LINEAR])]


def _added(model: ModelConfig, shapes: Shapes) -> int:
    """Returns how many of the trainable numbers the method adds to the model's own."""
    own = parameter_shapes(model)
    return count({name: shape for name, shape in shapes.items() if name not in own})


def _most(
    model: ModelConfig, shapes: Shapes, work: Work, sequences: int, precision: str, written_out: int
) -> int:
    """Returns the peak of bytes besides weights and optimizer state: in a block that keeps nothing,
    at the loss, at either end of backward, or when all gradients exist.
    """
    item, C, V = number_bytes(precision), model.n_embd, model.vocab_size
    hidden = model.inner_width * (3 if model.mlp == "swiglu" else 2)
    tokens, learned = sequences * model.block_size, FULL * count(shapes)
    # Gradients of embedding tables; a tied table gets two.
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
    """Returns the bytes of the largest temporary matrix: for NF4 its codes, levels and numbers; for
    DoRA B A, s B A and W + s B A.
    """
    largest = max(quantized_sizes(model))
    is_dora = any(name.endswith(".magnitude") for name in shapes)
    return largest * max(10 * is_quantized, 12 * is_dora)


def pass_seconds(
    model: ModelConfig, shapes: Shapes, work: Work, precision: str, speed: float
) -> float:
    """Returns seconds of forward, backward and optimizer on a micro-batch. `speed`: fp32 FLOP/s."""
    calls = CALLS_PER_LAYER * model.n_layer + CALLS_PER_TENSOR * len(shapes)
    arithmetic = PRODUCTS * (work.forward + work.backward) + FLOPS_PER_BYTE * work.moved
    return arithmetic / (speed * CPU_SPEED.get(precision, 1.0)) + calls


def _looking_seconds(
    config: TrainingConfig, settings: FinetuningSettings, shapes: Shapes, work: Work, speed: float
) -> float:
    """Returns seconds of all evaluations (two splits, and the base's data) and all samples."""
    model, precision = config.model, config.precision
    batches = [work, work]
    if settings.base_data:  # in texts of the maximum length
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
