"""Small models with random numbers, and adapters on them that have learned something."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from core.finetuning.adapter import Adapter, add_lora
from core.finetuning.lora import LoRAConfig
from core.transformer.architectures import Model
from core.transformer.config import ModelConfig
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.gpt import GPT

GROUPED = ModelConfig(
    vocab_size=50, block_size=16, n_layer=2, n_head=4, n_kv_head=2, n_embd=32, mlp="swiglu",
    positions="rope", norm="rms_norm", bias=False, tie_weights=False,
)  # fmt: skip
BIASED = ModelConfig(vocab_size=50, block_size=16, n_layer=2, n_head=2, n_embd=16)
IDS = torch.arange(12).view(2, 6)


def model_of(config: ModelConfig) -> GPT:
    return GPT(config, torch.Generator().manual_seed(0)).eval()


def learned(model: Model, config: LoRAConfig) -> Adapter:
    """An adapter all of whose numbers have moved."""
    generator = torch.Generator().manual_seed(1)
    adapter = add_lora(model, config, generator=generator)
    with torch.no_grad():
        for parameter in adapter.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return adapter


def logits(model: nn.Module, ids: Tensor = IDS) -> Tensor:
    with torch.no_grad():
        return model(ids, ids) if isinstance(model, EncoderDecoder) else model(ids)
