"""What learns by each method, from configs alone: names and shapes, without a model.

A head says what it costs before anything starts: GPT-2 has 124,439,808 numbers, of which LoRA of
rank 8 on every c_attn leaves 294,912 to learn, BitFit 102,144.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from core.finetuning.adapter import check_rank
from core.finetuning.bottleneck import SUBLAYERS
from core.finetuning.settings import FinetuningSettings
from core.finetuning.targets import find_targets
from core.transformer.config import ModelConfig
from core.transformer.parameters import parameter_shapes

Shapes = Mapping[str, tuple[int, ...]]


def trainable_shapes(
    config: ModelConfig, settings: FinetuningSettings
) -> dict[str, tuple[int, ...]]:
    """The numbers that learn, by the name of their module and their own:
    "h.0.attn.c_attn.weight", "h.0.attn.c_attn.q.A", "wte.rows".

    Raises ValueError, with the remedy, for what `prepare` refuses.
    """
    shapes = _by_method(config, settings)
    if settings.classes:  # a classifier's head, and the tokens around its texts
        shapes |= {"score": (len(settings.classes), config.n_embd), "wte.rows": (3, config.n_embd)}
    return shapes


def _by_method(config: ModelConfig, settings: FinetuningSettings) -> dict[str, tuple[int, ...]]:
    own = parameter_shapes(config)
    match settings.method:
        case "lora":
            return _lora(config, settings)
        case "full":
            return own
        case "last-layers":
            return _last_layers(config, settings.last_layers)
        case "head" if settings.classes:
            return {}
        case "head":
            return {"lm_head.weight": (config.vocab_size, config.n_embd)}
        case "bitfit":
            biased = {name: shape for name, shape in own.items() if name.endswith(".bias")}
            if biased:
                return biased
            given = replace(config, bias=True, qkv_bias=None, o_bias=None)
            shapes = parameter_shapes(given)
            return {name: shape for name, shape in shapes.items() if name.endswith(".bias")}
        case "bottleneck":
            return _bottlenecks(config, settings.bottleneck_width)
        case "prompt":
            return {"wte.rows": (settings.prompt_tokens, config.n_embd)}
    raise AssertionError(settings.method)


def count(shapes: Shapes) -> int:
    """How many numbers there are."""
    return sum(math.prod(shape) for shape in shapes.values())


def _lora(config: ModelConfig, settings: FinetuningSettings) -> dict[str, tuple[int, ...]]:
    targets = find_targets(config, settings.lora.target_modules)
    check_rank(targets, settings.lora.r)
    shapes: dict[str, tuple[int, ...]] = {}
    for target in targets:
        out, width = target.shape
        shapes[f"{target.name}.A"] = (settings.lora.r, width)
        shapes[f"{target.name}.B"] = (out, settings.lora.r)
        if settings.lora.dora:
            shapes[f"{target.name}.magnitude"] = (out,)
    return shapes


def _last_layers(config: ModelConfig, layers: int) -> dict[str, tuple[int, ...]]:
    if layers > config.n_layer:
        raise ValueError(
            f"the last {layers} layers cannot learn: this model has {config.n_layer}; use 1 to "
            f"{config.n_layer}"
        )
    learn = [f"h.{layer}." for layer in range(config.n_layer - layers, config.n_layer)]
    own = parameter_shapes(config)
    return {name: own[name] for name in own if name.startswith((*learn, "ln_f."))}


def _bottlenecks(config: ModelConfig, m: int) -> dict[str, tuple[int, ...]]:
    C = config.n_embd
    each = {"down": (m, C), "down_bias": (m,), "up": (C, m), "up_bias": (C,)}
    return {
        f"{target.module}.{name}": shape
        for target in find_targets(config, SUBLAYERS)
        for name, shape in each.items()
    }
