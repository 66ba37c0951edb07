"""A model in a folder: config.json says its shape, model.safetensors holds its numbers, or shards
of it do.

Nothing is ever unpickled.
"""

from __future__ import annotations

from pathlib import Path

import torch

from core.files import quoted, quoted_some, read_json, write_json
from core.tensor_files import write_tensors
from core.tensor_shards import are_stored, open_tensors
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.parameters import parameter_count

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def own_parameters(model: GPT) -> dict[str, torch.Tensor]:
    """Every learned tensor once, under its name: a tied output head is `wte.weight`."""
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def save_model(folder: Path, model: GPT, dtype: str = "float32") -> None:
    """Writes config.json and model.safetensors.

    dtype "bfloat16" halves the file and keeps 8 of the 24 bits of each mantissa.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype {dtype!r} cannot be stored; use {' or '.join(DTYPES)}")
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.to(DTYPES[dtype]) for name, tensor in own_parameters(model).items()}
    write_tensors(folder / WEIGHTS_FILE, tensors, {"format": "pt"})
    write_json(folder / CONFIG_FILE, model.config.to_json())


def load_config(folder: Path) -> ModelConfig:
    """The config of the model in `folder`. Raises FileNotFoundError or ValueError."""
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} is no model folder: it holds no {CONFIG_FILE}; choose a checkpoint's folder"
        )
    values = read_json(path)
    try:
        return ModelConfig.from_json(values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def load_model(folder: Path) -> GPT:
    """The model in `folder`, fp32, in eval mode.

    Raises FileNotFoundError when a file is missing, and ValueError, with the remedy, when the
    config is impossible, the weights are truncated, are a pickle, hold NaN or infinity, or do not
    fit the config: every name and shape is checked.
    """
    folder = Path(folder)
    config = load_config(folder)
    path = folder / WEIGHTS_FILE
    if not are_stored(path):
        raise FileNotFoundError(
            f"{folder} holds no {WEIGHTS_FILE}; copy the whole checkpoint folder, or choose another"
        )
    stored = open_tensors(path)
    found = {name: torch.Size(tensor.shape) for name, tensor in stored.tensors.items()}
    if config.n_layer > len(found):  # a damaged number must not build layer after layer
        raise ValueError(
            f"{path} holds {len(found)} tensors, {CONFIG_FILE} asks for "
            f"{quoted(config.n_layer)} layers. "
            f"Copy both files from one checkpoint"
        )
    # Weights that do not fit are refused before they are read and before anything is allocated for
    # the model: on the meta device, whose first use takes a second, so only where the count of the
    # numbers tells so.
    fits = parameter_count(config) == sum(shape.numel() for shape in found.values())
    with torch.device("cpu" if fits else "meta"):
        model = GPT(config, torch.Generator() if fits else None)
    _check_fit(path, {name: p.shape for name, p in model.named_parameters()}, found)
    tensors = stored.read()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(tensors[name])
    check_finite(model, str(path))
    return model.eval()


def check_finite(model: GPT, name: str = "the model") -> None:
    """Raises ValueError where a weight is NaN or infinite: whatever is worked out from it is, too.

    The least and the largest of a tensor are found in one pass, and are NaN where one number is.
    """
    for parameter_name, weight in own_parameters(model).items():
        if not all(end.isfinite() for end in weight.aminmax()):
            wrong = int((~weight.isfinite()).sum())
            raise ValueError(
                f"{name}: {wrong:,} of the {weight.numel():,} numbers of {parameter_name} are NaN "
                "or infinite. Take an earlier checkpoint, or copy the file again"
            )


def _check_fit(path: Path, expected: dict[str, torch.Size], found: dict[str, torch.Size]) -> None:
    missing = sorted(set(expected) - set(found))
    surplus = sorted(set(found) - set(expected))
    if missing or surplus:
        raise ValueError(
            f"{path} does not belong to the {CONFIG_FILE} beside it: "
            f"missing {quoted_some(missing) or 'none'}; not expected "
            f"{quoted_some(surplus) or 'none'}. Copy both files from "
            f"one checkpoint"
        )
    for name, shape in expected.items():
        if found[name] != shape:
            raise ValueError(
                f"{path}: {name} has shape {quoted(tuple(found[name]))}, {CONFIG_FILE} asks for "
                f"{tuple(shape)}. Copy both files from one checkpoint"
            )
