"""A model in a folder: config.json has its shape, model.safetensors its numbers, in one file or in
shards.

Nothing is ever unpickled.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import torch

from core.files import quoted, quoted_some, read_json, write_json
from core.tensor_files import write_tensors
from core.tensor_shards import are_stored, open_tensors
from core.transformer.architectures import Config, Model
from core.transformer.config import EncoderDecoderConfig, ModelConfig, config_from_json
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.gpt import GPT
from core.transformer.parameters import parameter_shapes

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
# Those of real models stay below a thousand. A norm squares and adds up its inputs, and a product
# of two weights is squared again: from here on, even float32 overflows.
LARGEST_WEIGHT = 1e9
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def check_dtype(dtype: str) -> None:
    """Raises ValueError, with the names in `DTYPES`, for another dtype of weights."""
    if dtype not in DTYPES:
        raise ValueError(f"weights cannot be of dtype {dtype!r}; use {' or '.join(DTYPES)}")


def own_parameters(model: Model) -> dict[str, torch.Tensor]:
    """Returns every parameter once, by its name: a tied output head is its `wte.weight`.

    Raises ValueError for a model that differs from its config: it has adapters, or its matrices are
    quantized.
    """
    tensors = {name: parameter.detach() for name, parameter in model.named_parameters()}
    expected = parameter_shapes(model.config)
    differing = [name for name, one in tensors.items() if expected.get(name) != tuple(one.shape)]
    if differing or (missing := [name for name in expected if name not in tensors]):
        raise ValueError(
            "this model is no plain one any more: it "
            + (f"has {quoted_some(differing)}" if differing else f"lacks {quoted_some(missing)}")
            + "; write what was learned into its matrices (adapter.remove(merged=True)) or take it "
            "off, and make full matrices of quantized ones (dequantize_model)"
        )
    return tensors


def save_model(folder: Path, model: Model, dtype: str = "float32") -> None:
    """Writes config.json and model.safetensors.

    dtype "bfloat16" halves the file and keeps 8 of the 24 bits of each mantissa.

    Raises ValueError as `own_parameters` does.
    """
    check_dtype(dtype)
    tensors = {name: tensor.to(DTYPES[dtype]) for name, tensor in own_parameters(model).items()}
    folder.mkdir(parents=True, exist_ok=True)
    write_tensors(folder / WEIGHTS_FILE, tensors, {"format": "pt"})
    write_json(folder / CONFIG_FILE, model.config.to_json())


def load_config(folder: Path) -> Config:
    """Returns the config of the model in `folder`. Raises FileNotFoundError or ValueError."""
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise FileNotFoundError(
            f"{folder} is no model folder: it holds no {CONFIG_FILE}; choose a checkpoint's folder"
        )
    values = read_json(path)
    try:
        return config_from_json(values)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def load_model(folder: Path) -> Model:
    """Returns the model in `folder`, fp32, in eval mode.

    Raises FileNotFoundError if a file is missing, and ValueError, with a remedy, if the config is
    invalid, or if the weights are truncated, are a pickle, contain NaN or infinity, or do not match
    the config: every name and shape is checked.
    """
    folder = Path(folder)
    config = load_config(folder)
    path = folder / WEIGHTS_FILE
    if not are_stored(path):
        raise FileNotFoundError(
            f"{folder} holds no {WEIGHTS_FILE}; copy the whole checkpoint folder, or choose another"
        )
    stored = open_tensors(path)
    stored.check_types()
    found = {name: tensor.shape for name, tensor in stored.tensors.items()}
    stacks = (config,) if isinstance(config, ModelConfig) else (config.encoder, config.decoder)
    n_layer = sum(stack.n_layer for stack in stacks)
    if n_layer > len(found):  # a damaged number must not list layer after layer
        raise ValueError(
            f"{path} holds {len(found)} tensors, {CONFIG_FILE} asks for "
            f"{quoted(n_layer)} layers. "
            f"Copy both files from one checkpoint"
        )
    shapes = parameter_shapes(config)
    _check_fit(path, shapes, found)
    tensors = {name: torch.empty(shape) for name, shape in shapes.items()}
    for name, read in stored.read().items():
        tensors[name].copy_(read)
    if isinstance(config, ModelConfig):
        model: Model = model_of(config, tensors)
    else:
        model = encoder_decoder_model_of(config, tensors)
    check_finite(model, str(path))
    return model.eval()


def model_of(config: ModelConfig, tensors: dict[str, torch.Tensor]) -> GPT:
    """Creates a model with these tensors: all of `parameter_shapes(config)` by name.

    They are used without a copy, in their dtype, so that no second model is in memory.
    """
    with torch.device("meta"):  # shapes without numbers
        model = GPT(config)
    tied = {"lm_head.weight": tensors["wte.weight"]} if config.tie_weights else {}
    model.load_state_dict({**tensors, **tied}, assign=True)
    if config.tie_weights:
        model.lm_head.weight = model.wte.weight
    return model


def encoder_decoder_model_of(
    config: EncoderDecoderConfig, tensors: dict[str, torch.Tensor]
) -> EncoderDecoder:
    """Creates an encoder-decoder with these tensors, like `model_of`."""
    with torch.device("meta"):
        model = EncoderDecoder(config)
    named = dict(tensors)
    if config.share_embeddings:
        named["decoder.wte.weight"] = named["encoder.wte.weight"]
    if config.decoder.tie_weights:
        named["lm_head.weight"] = named["decoder.wte.weight"]
    model.load_state_dict(named, assign=True)
    model.tie_weights()
    return model


def check_finite(model: Model, name: str = "the model") -> None:
    """Raises ValueError if a weight is NaN, infinite or beyond LARGEST_WEIGHT: so are all results
    that depend on it.

    The minimum and maximum of a tensor take one pass, and are NaN if any number is.
    """
    for parameter_name, weight in model.named_parameters():
        check_numbers(weight.detach(), parameter_name, name)


def check_numbers(weight: torch.Tensor, parameter_name: str, name: str) -> None:
    """Checks one parameter of the model called `name`, as `check_finite` does."""
    least, most = (float(end) for end in weight.aminmax())
    if not math.isfinite(least) or not math.isfinite(most):
        wrong = int((~weight.isfinite()).sum())
        raise ValueError(
            f"{name}: {wrong:,} of the {weight.numel():,} numbers of {parameter_name} are NaN "
            "or infinite. Take an earlier checkpoint, or copy the file again"
        )
    if max(-least, most) > LARGEST_WEIGHT:
        raise ValueError(
            f"{name}: the numbers of {parameter_name} reach {max(-least, most):.1e}; beyond "
            f"{LARGEST_WEIGHT:.0e}, what is computed with them overflows. Take an earlier "
            "checkpoint, or copy the file again"
        )


def _check_fit(
    path: Path, expected: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]
) -> None:
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
                f"{path}: {name} has shape {quoted(found[name])}, {CONFIG_FILE} asks for "
                f"{shape}. Copy both files from one checkpoint"
            )
