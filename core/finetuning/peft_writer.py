"""Writes an adapter as peft's two files: adapter_config.json and adapter_model.safetensors."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

import torch
from torch import Tensor

from core.files import replacing
from core.finetuning.lora import Adapted, DoRA, LowRank
from core.finetuning.lora_config import LoRAConfig
from core.finetuning.peft_config import CONFIG_FILE, LORA
from core.finetuning.peft_modules import (
    MAGNITUDE,
    PREFIX,
    WEIGHTS_FILE,
    A,
    B,
    ModuleTensors,
    modules_of,
    names_of,
)
from core.finetuning.targets import Target
from core.tensor_files import write_tensors
from core.transformer.architectures import Model
from core.transformer.foreign.families import Names
from core.transformer.foreign.parts import LAYER
from core.transformer.precision import full_precision


def write_adapter(
    model: Model,
    config: LoRAConfig,
    updates: Collection[LowRank],
    folder: str | Path,
    *,
    base: str | None = None,
    own_names: bool = False,
) -> None:
    """Writes these updates of the model: see `Adapter.save`."""
    folder = Path(folder)
    names = None if own_names else names_of(model.config)
    modules = modules_of(model.config, names)
    found = {name: _numbers_of(model, updates, target) for name, target in modules.items()}
    numbers = {name: one for name, one in found.items() if one is not None}
    sizes = {name: _rank_and_alpha(one, config.rslora) for name, one in numbers.items()}
    (r, alpha), _ = Counter(sizes.values()).most_common(1)[0]
    about = {
        "peft_type": LORA,
        "task_type": None if names is None else "CAUSAL_LM",  # needs methods of transformers
        "base_model_name_or_path": base,
        "inference_mode": True,
        "r": r,
        "lora_alpha": alpha,
        "lora_dropout": config.dropout,
        "target_modules": _target_modules(numbers, modules),
        "rank_pattern": {name: rank for name, (rank, _) in sizes.items() if rank != r},
        "alpha_pattern": {name: other for name, (_, other) in sizes.items() if other != alpha},
        "bias": "none",
        "fan_in_fan_out": any(_is_transposed(modules[name], names) for name in numbers),
        "use_rslora": config.rslora,
        "use_dora": config.dora,
    }
    tensors: dict[str, Tensor] = {}
    for name, one in numbers.items():
        kind = int(modules[name].is_table)
        tensors |= {f"{PREFIX}{name}.{A[kind]}": one.A, f"{PREFIX}{name}.{B[kind]}": one.B}
        if one.magnitude is not None:
            tensors[f"{PREFIX}{name}.{MAGNITUDE[0]}"] = one.magnitude
    with replacing(folder / CONFIG_FILE) as beside:  # in place once the numbers are
        beside.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        write_tensors(folder / WEIGHTS_FILE, tensors, {"format": "pt"})


@torch.no_grad()
def _numbers_of(model: Model, updates: Collection[LowRank], target: Target) -> ModuleTensors | None:
    """Combines all updates of the rows of a target; None if there are none."""
    matrix = model.get_submodule(target.module)
    if not isinstance(matrix, Adapted):
        return None
    beside: list[tuple[LowRank, slice, slice]] = []  # rows in the target, rows in the update
    for update in updates:
        if update not in matrix.updates:
            continue
        first = max(update.first, target.first)
        last = min(update.rows.stop, target.first + target.shape[0])
        if first < last:
            theirs = slice(first - target.first, last - target.first)
            own = slice(first - update.first, last - update.first)
            beside.append((update, theirs, own))
    if not beside:
        return None
    scaling, columns = beside[0][0].scaling, []
    for update, theirs, own in beside:
        column = update.B.new_zeros(target.shape[0], update.r)
        column[theirs] = update.B[own] * (update.scaling / scaling)
        columns.append(column)
    return ModuleTensors(
        A=torch.cat([update.A for update, _, _ in beside]),
        B=torch.cat(columns, dim=1),
        scaling=scaling,
        magnitude=_magnitude(matrix, target, beside) if isinstance(beside[0][0], DoRA) else None,
    )


def _magnitude(
    matrix: Adapted, target: Target, beside: list[tuple[LowRank, slice, slice]]
) -> Tensor:
    """Returns DoRA's lengths of all these rows: those not adapted keep the lengths of W's rows."""
    last = target.first + target.shape[0]
    weight = matrix.as_matrix(matrix.unmerged_weight)[target.first : last]
    magnitude = full_precision(weight).norm(dim=1)
    adapted = torch.zeros_like(magnitude, dtype=torch.bool)
    for update, theirs, own in beside:
        assert isinstance(update, DoRA)
        if adapted[theirs].any():
            raise ValueError(
                f"this DoRA adapter changes rows of {target.name} twice, and peft has one length "
                "for each row: adapt the matrix or its parts, not both"
            )
        magnitude[theirs], adapted[theirs] = update.magnitude[own], True
    return magnitude


def _rank_and_alpha(numbers: ModuleTensors, rslora: bool) -> tuple[int, float]:
    """Returns r, and the alpha that gives the scaling, to 12 digits, so that 16 is 16."""
    r = numbers.A.size(0)
    alpha = float(f"{numbers.scaling * (math.sqrt(r) if rslora else r):.12g}")
    return r, int(alpha) if alpha.is_integer() else alpha


def _target_modules(changed: Iterable[str], modules: Iterable[str]) -> list[str]:
    """Returns the last parts of the changed modules' names, or full names if others share them."""
    changed = list(changed)
    ends = sorted({name.rpartition(".")[2] for name in changed})
    meant = [name for name in modules if name.rpartition(".")[2] in ends]
    return ends if len(meant) == len(changed) else changed


def _is_transposed(target: Target, names: Names | None) -> bool:
    return names is not None and LAYER.sub("h.{n}.", target.module) in names.transposed
