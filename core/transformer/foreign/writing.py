"""A `GPT` as a folder that transformers loads, as GPT-2 or as a Llama (or Qwen 2 or 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.files import write_json
from core.tensor_files import write_tensors
from core.transformer.foreign.families import Family
from core.transformer.foreign.parts import parts_of
from core.transformer.foreign.settings import biased_modules, config_json, nearest_family
from core.transformer.gpt import GPT
from core.transformer.weights import CONFIG_FILE, WEIGHTS_FILE, own_parameters


def write_foreign(model: GPT, folder: Path, more: Mapping[str, Any] | None = None) -> Family:
    """Writes config.json and model.safetensors, in the model's own dtype; returns the family.

    more  additional entries of config.json, such as the ids of special tokens

    Raises ValueError, with the reason, for a model that transformers cannot compute, and OSError
    if the disk is full or access is denied.
    """
    family = nearest_family(model.config)
    tensors = foreign_tensors(model, family)
    dtype = str(model.wte.weight.dtype).removeprefix("torch.")
    settings = {**config_json(family, model.config), "torch_dtype": dtype, **(more or {})}
    write_tensors(folder / WEIGHTS_FILE, tensors, {"format": "pt"})
    write_json(folder / CONFIG_FILE, settings)
    return family


def foreign_tensors(model: GPT, family: Family) -> dict[str, Tensor]:
    """Returns the model's tensors as the family's files store them.

    Biases that the family has and the model lacks are 0. Raises ValueError if the model has nonzero
    biases that the family lacks, and as `own_parameters`.
    """
    own = own_parameters(model)
    left = dict(own)
    biased = biased_modules(family, config_json(family, model.config))
    with_biases = replace(model.config, bias=True, qkv_bias=None, o_bias=None)
    tensors = {}
    for part in parts_of(with_biases, family.json_names, biased):
        left.pop(part.parameter, None)
        if part.parameter in own:
            rows = own[part.parameter][part.first : part.last]
            tensors[part.name] = (rows.mT if part.transposed else rows).contiguous()
        else:
            tensors[part.name] = torch.zeros(part.shape, dtype=model.wte.weight.dtype)
    for name, parameter in left.items():
        if parameter.any():
            raise ValueError(
                f"transformers has no {name} in {family.architecture}, and this model's is not 0: "
                "export a model without biases"
            )
    return tensors
