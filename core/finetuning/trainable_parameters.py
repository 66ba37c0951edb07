"""The trainable parameters of each method, from configs alone: names and shapes, without a model.

They are known before anything starts: of GPT-2's 124,439,808 numbers, LoRA of rank 8 on every
c_attn trains 294,912, BitFit 102,144.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

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
    """Returns the shapes of trainable parameters, by their full names: "h.0.attn.c_attn.weight",
    "h.0.attn.c_attn.q.A", "wte.rows".

    Raises ValueError, with a remedy, for settings that `prepare` rejects.
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
    """Returns the total number of numbers in the shapes."""
    return sum(math.prod(shape) for shape in shapes.values())


def adapter_parameter_count(config: Config, lora: LoRAConfig | None = None) -> int:
    """Returns how many numbers `add_lora` trains in a model of this config, without the model.

    GPT-2 with rank 8 on every c_attn: 294,912. Raises ValueError as `add_lora`.
    """
    return count(lora_shapes(config, lora or LoRAConfig()))


def lora_shapes(config: Config, lora: LoRAConfig) -> dict[str, tuple[int, ...]]:
    """Returns, per matrix, A (r, in) and B (out, r), and with DoRA its row lengths, (out,)."""
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


@dataclass(frozen=True, slots=True)
class LoRACount:
    """How many numbers LoRA trains in the matrices of one kind.

    end     name of the matrices without their layer: "attn.c_attn"; its parts q, k and v together
            are one matrix with one A, but each has an A of its own if it is chosen alone
    layers  how many matrices there are, each (out, width), with A (r, width) and B (out, r)
    dora    whether the length of each row is trained, too
    """

    end: str
    layers: int
    r: int
    width: int
    out: int
    dora: bool = False

    @property
    def total(self) -> int:
        """All numbers: layers x (r x (in + out)), and with DoRA out more for each matrix."""
        return self.layers * (self.r * (self.width + self.out) + self.dora * self.out)


def lora_counts(config: Config, lora: LoRAConfig) -> list[LoRACount]:
    """Returns the counts of each kind of matrix, in the model's order; their totals add up to
    `adapter_parameter_count`. Raises ValueError as `add_lora`.
    """
    targets = find_targets(config, lora.target_modules)
    check_rank(targets, lora.r)
    kinds = Counter((target.end, target.shape) for target in targets)
    return [
        LoRACount(end, layers, lora.r, width, out, lora.dora)
        for (end, (out, width)), layers in kinds.items()
    ]


def _bottleneck_shapes(config: ModelConfig, m: int) -> dict[str, tuple[int, ...]]:
    C = config.n_embd
    each = {"down": (m, C), "down_bias": (m,), "up": (C, m), "up_bias": (C,)}
    return {
        f"{target.module}.{name}": shape
        for target in find_targets(config, SUBLAYERS)
        for name, shape in each.items()
    }
