"""What is estimated of a fine-tuning against what it takes: the most memory, and a step's time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import torch

from core.finetuning.estimates import FinetuningEstimate, estimate_finetuning
from core.finetuning.lora import LoRAConfig
from core.finetuning.methods import prepare
from core.finetuning.settings import FINETUNING, FinetuningSettings
from core.training.config import TrainingConfig
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from tests.benchmarks.harness import Report
from tests.core.training.estimates.peak_memory import peak_of

SEQUENCES, TOKENS = 4, 100
ALL = LoRAConfig(r=4, target_modules=("all-linear",))
METHODS = {
    "LoRA": FinetuningSettings(),
    "LoRA on all matrices": FinetuningSettings(lora=ALL),
    "DoRA on all matrices": FinetuningSettings(lora=replace(ALL, dora=True)),
    "QLoRA": FinetuningSettings(quantize="nf4"),
    **{
        name: FinetuningSettings(method=name)
        for name in ("full", "last-layers", "head", "bitfit", "bottleneck", "prompt")
    },
}
SHAPES = {
    "stories": ModelConfig(
        vocab_size=1536, block_size=256, n_layer=4, n_head=6, n_embd=192, bias=False
    ),
    "a small Llama": ModelConfig(
        vocab_size=8000, block_size=256, n_layer=6, n_head=9, n_kv_head=3, n_embd=288, n_inner=768,
        norm="rms_norm", positions="rope", mlp="swiglu", bias=False,
    ),
}  # fmt: skip


def fast(report: Report) -> None:
    torch.set_num_threads(1)
    for name, shape in SHAPES.items():
        speed, least = _speed(), {}
        for method, settings in METHODS.items():
            step, held = _ready(shape, settings)
            found = _estimate(shape, settings, speed)
            step()  # the first makes the optimizer's states
            peak = held + found.bytes_optimizer + peak_of(step)
            apart = 100 * abs(found.bytes_peak / peak - 1)
            report.at_most(f"{name}, {method}: peak ({peak / 1e6:.0f} MB), off by", apart, 10, "%")
            # What other programs do on this machine is not counted.
            least[method] = min(_seconds(step) for _ in range(6))
        speed = max(speed, _speed())
        for method, seconds in least.items():
            estimate = _estimate(shape, METHODS[method], speed).seconds_per_step
            apart = 100 * abs(estimate / seconds - 1)
            report.tell(f"{name}, {method}: a step ({1e3 * seconds:.0f} ms), off by", apart, "%")


def _estimate(shape: ModelConfig, settings: FinetuningSettings, speed: float) -> FinetuningEstimate:
    config = TrainingConfig(
        model=shape, task=FINETUNING, settings=settings.to_json(), batch_size=SEQUENCES
    )
    return estimate_finetuning(config, tokens=TOKENS, speed=speed)


def _ready(shape: ModelConfig, settings: FinetuningSettings) -> tuple[Callable[[], None], int]:
    """An optimizer step, and the bytes of the model."""
    generator = torch.Generator().manual_seed(0)
    tuning = prepare(GPT(shape, generator).train(), settings, generator)
    model = tuning.model
    assert isinstance(model, GPT)
    optimizer = torch.optim.AdamW(tuning.parameters.values(), fused=True)
    drawn = torch.randint(shape.vocab_size, (2, SEQUENCES, TOKENS), generator=generator)
    ids, targets = tuning.batch(*drawn)

    def step() -> None:
        loss, number = model.loss(ids, targets)
        (loss / number).backward()
        torch.nn.utils.clip_grad_norm_(tuning.parameters.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    tensors = {id(one): one for one in (*model.parameters(), *model.buffers())}
    return step, sum(one.nbytes for one in tensors.values())


def _seconds(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def _speed() -> float:
    """FLOP/s, as `core.training.sizes.measure_speed`, of this thread's own time."""
    a, b = torch.randn(512, 256), torch.randn(256, 256)
    return 2.0 * 512 * 256 * 256 / min(_seconds(lambda: a @ b) for _ in range(60))
