"""What learns by each method, from configs alone: names and shapes, without a model.

So it is known before anything starts: GPT-2 has 124,439,808 numbers, of which LoRA of rank 8 on
every c_attn leaves 294,912 to learn, BitFit 102,144.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.finetuning.adapter import check_rank
from core.finetuning.bottleneck import SUBLAYERS
from core.finetuning.lora_config import LoRAConfig
from core.finetuning.selection import selected_config, selected_names
from core.finetuning.settings import FinetuningSettings
from core.finetuning.targets import find_targets
from core.transformer.architectures import Config
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
    C = config.n_embd
    match settings.method:
        case "lora":
            shapes = lora_shapes(config, settings.lora)
        case "bottleneck":
            shapes = _bottleneck_shapes(config, settings.bottleneck_width)
        case "prompt":
            shapes = {"wte.rows": (settings.prompt_tokens, C)}
        case "head" if settings.classes:
            shapes = {}
        case selection:
            tuned = selected_config(config, selection)
            names = selected_names(tuned, selection, settings.last_layers)
            own = parameter_shapes(tuned)
            shapes = {name: own[name] for name in names}
    if settings.classes:  # a classifier's head, and the tokens around its texts
        shapes |= {"score": (len(settings.classes), C), "wte.rows": (3, C)}
    return shapes


def count(shapes: Shapes) -> int:
    """How many numbers there are."""
    return sum(math.prod(shape) for shape in shapes.values())


def adapter_parameter_count(config: Config, lora: LoRAConfig | None = None) -> int:
    """How many numbers `add_lora` makes a model of this config learn, without the model.

    GPT-2 with rank 8 on every c_attn: 294,912. Raises ValueError as `add_lora` does.
    """
    return count(lora_shapes(config, lora or LoRAConfig()))


def lora_shapes(config: Config, lora: LoRAConfig) -> dict[str, tuple[int, ...]]:
    """Of each matrix A (r, in) and B (out, r), and with DoRA the lengths of its rows, (out,)."""
    targets = find_targets(config, lora.target_modules)
    check_rank(targets, lora.r)
    shapes: dict[str, tuple[int, ...]] = {}
    for target in targets:
        out, width = target.shape
        shapes[f"{target.name}.A"] = (lora.r, width)
        shapes[f"{target.name}.B"] = (out, lora.r)
        if lora.dora:
            shapes[f"{target.name}.magnitude"] = (out,)
    return shapes


def _bottleneck_shapes(config: ModelConfig, m: int) -> dict[str, tuple[int, ...]]:
    C = config.n_embd
    each = {"down": (m, C), "down_bias": (m,), "up": (C, m), "up_bias": (C,)}
    return {
        f"{target.module}.{name}": shape
        for target in find_targets(config, SUBLAYERS)
        for name, shape in each.items()
    }
