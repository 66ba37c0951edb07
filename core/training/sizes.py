"""What a run will cost, before it starts: parameters, memory, arithmetic, time."""

from __future__ import annotations

import time
from dataclasses import dataclass

from core.training.config import TrainingConfig
from core.transformer.config import ModelConfig

# A laptop core's fp32 matrix products, where nobody has measured: `measure_speed` does.
USUAL_SPEED = 8e10
# bf16 arithmetic where the CPU has it (avx512_bf16): 2.65 times on wide layers, 1.5 on small ones.
BF16_SPEEDUP = 1.5
# Share of the matrix products' speed that a whole small step reaches: norms, softmax, the optimizer
# and the calls themselves take the rest.
EFFICIENCY = 0.45


@dataclass(frozen=True, slots=True)
class Estimate:
    """parameters; bytes of weights, gradients, AdamW's averages and kept activations; FLOPs a token
    (forward and backward); seconds a step. `seconds` is for the whole run.
    """

    parameters: int
    bytes_model: int
    bytes_gradients: int
    bytes_optimizer: int
    bytes_activations: int
    flops_per_token: float
    seconds_per_step: float
    seconds: float

    @property
    def bytes(self) -> int:
        """Everything together, beside what Python and torch themselves need."""
        parts = (self.bytes_model, self.bytes_gradients, self.bytes_optimizer)
        return sum(parts) + self.bytes_activations


def estimate(config: TrainingConfig, speed: float = USUAL_SPEED) -> Estimate:
    """Pure arithmetic: nothing is allocated. `speed`: FLOP/s of fp32 matrix products."""
    model = config.model
    count = model_parameters(model)
    flops = flops_per_token(model)
    if config.precision == "bf16":
        speed *= BF16_SPEEDUP
    per_step = flops * config.tokens_per_step / (speed * EFFICIENCY)
    return Estimate(
        parameters=count,
        bytes_model=4 * count,
        bytes_gradients=4 * count,
        bytes_optimizer=8 * count,
        bytes_activations=activation_bytes(config),
        flops_per_token=flops,
        seconds_per_step=per_step,
        seconds=per_step * config.steps,
    )


def model_parameters(model: ModelConfig) -> int:
    """Numbers that are learned, tied ones once."""
    from core.transformer.gpt import parameter_count  # loads torch, which a window may not want yet

    return parameter_count(model)


def flops_per_token(model: ModelConfig) -> float:
    """Forward and backward: 6 a weight in a matrix product, and 12 L H D T for attention.

    Chowdhery et al. 2022 (PaLM), appendix B. The token embedding is looked up, not multiplied,
    but its transpose is the output head, so tied weights count once.
    """
    width = model.n_head * model.head_width
    block = model.n_embd * 4 * width + 2 * model.n_embd * model.inner_width
    weights = model.n_layer * block + model.vocab_size * model.n_embd
    return 6.0 * weights + 12.0 * model.n_layer * width * model.block_size


def activation_bytes(config: TrainingConfig) -> int:
    """What the forward pass keeps for the backward pass, of one micro-batch (fp32 or bf16).

    A block keeps its two norms' inputs and outputs, q, k, v, the heads' output, the hidden layer
    before and after its bend, and what each sublayer adds; the end keeps logits and their softmax
    in fp32 (Korthikanti et al. 2022, section 4.1, without the attention weights that a fused kernel
    does not keep).
    """
    model = config.model
    tokens = config.batch_size * model.block_size
    width = model.n_head * model.head_width
    block = 6 * model.n_embd + 4 * width + 2 * model.inner_width
    item = 2 if config.precision == "bf16" else 4
    kept = model.n_layer * block + 2 * model.n_embd
    return tokens * (item * kept + 2 * 4 * model.vocab_size)


def measure_speed(seconds: float = 0.03) -> float:
    """FLOP/s of this machine's fp32 matrix products, with torch's threads as they are set."""
    import torch

    generator = torch.Generator().manual_seed(0)
    a = torch.randn(512, 256, generator=generator)
    b = torch.randn(256, 256, generator=generator)
    flops = 2.0 * 512 * 256 * 256
    for _ in range(3):  # the first calls also set torch up
        torch.mm(a, b)
    best, start = float("inf"), time.perf_counter()
    while time.perf_counter() - start < seconds or best == float("inf"):
        before = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - before)
    return flops / best
