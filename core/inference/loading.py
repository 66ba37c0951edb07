"""core.load: a model and its tokenizer by name or folder.

A folder may hold a few tensors of a model alone, those that a fine-tuning has changed. Its
config.json then has one entry more, "base": the name or the folder of the model they lie on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from core.files import quoted, quoted_some, read_json, write_json
from core.resources import resource
from core.tensor_shards import are_stored, open_tensors
from core.tokenization import Tokenizer, open_tokenizer
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.weights import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    check_finite,
    load_config,
    load_model,
)

BUNDLED = "stories"
TOKENIZER_FILE = "tokenizer.json"
BASE = "base"  # the entry of config.json
DEEPEST = 8  # bases that may lie on one another


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in eval mode, the tokenizer it was trained with, its config and its name."""

    model: GPT
    tokenizer: Tokenizer
    config: ModelConfig
    name: str


def load(name_or_folder: str | Path = BUNDLED) -> LoadedModel:
    """The bundled model ("stories"), or the one in a checkpoint folder, laid over its base.

    Raises FileNotFoundError when there is no such folder or a file is missing, and ValueError, with
    the remedy, when the files are broken or do not belong together, or a base is gone.
    """
    return _load(name_or_folder, DEEPEST)


def write_base(folder: Path, config: ModelConfig, base: str) -> None:
    """Writes the config.json of a folder whose model.safetensors lies on another model.

    base  "stories", or the path of a folder: absolute, or as seen from `folder`
    """
    write_json(folder / CONFIG_FILE, {**config.to_json(), BASE: base})


def _load(name_or_folder: str | Path, deepest: int) -> LoadedModel:
    bundled = str(name_or_folder) == BUNDLED
    folder = resource("models", BUNDLED) if bundled else Path(name_or_folder)
    if folder.is_file():
        raise FileNotFoundError(
            f"{folder} is a file: give the folder of a checkpoint, which holds {TOKENIZER_FILE}, "
            "config.json and model.safetensors"
        )
    if not folder.is_dir():
        raise FileNotFoundError(
            f"there is no model {str(name_or_folder)!r}: give a checkpoint's folder, or {BUNDLED!r}"
        )
    if (base := _base_of(folder)) is not None:
        return _load_over(folder, base, deepest)
    load_config(folder)  # first: it says whether this is a model at all
    tokenizer_path = folder / TOKENIZER_FILE
    if not tokenizer_path.is_file():
        raise FileNotFoundError(
            f"{folder} holds no {TOKENIZER_FILE}; copy the whole checkpoint folder"
        )
    tokenizer = open_tokenizer(tokenizer_path)
    model = load_model(folder)
    _check_vocabulary(folder, tokenizer, model.config)
    return LoadedModel(model, tokenizer, model.config, BUNDLED if bundled else folder.name)


def _check_vocabulary(folder: Path, tokenizer: Tokenizer, config: ModelConfig) -> None:
    """Raises ValueError where the model has no embedding for some of the tokenizer's pieces."""
    if tokenizer.vocab_size > config.vocab_size:
        raise ValueError(
            f"{folder}: the tokenizer has {tokenizer.vocab_size} pieces, the model "
            f"{config.vocab_size}; copy all files from one checkpoint"
        )


def _base_of(folder: Path) -> str | None:
    """What the config.json in a folder says that its tensors lie on; None: they are a model."""
    path = folder / CONFIG_FILE
    values = read_json(path) if path.is_file() else None
    if not isinstance(values, dict) or BASE not in values:
        return None
    if not isinstance(values[BASE], str) or not values[BASE]:
        raise ValueError(
            f"{path}: the entry {BASE!r} must be the name or the folder of a model, not "
            f"{quoted(values[BASE])}"
        )
    return values[BASE]


def _load_over(folder: Path, base: str, deepest: int) -> LoadedModel:
    """The base with the folder's tensors in the place of its own."""
    remedy = f"put it back, or write where it is now as {BASE!r} into {folder / CONFIG_FILE}"
    if deepest == 0:
        raise ValueError(f"{folder} lies on a base that lies on another, without end; {remedy}")
    try:
        under = _load(base if base == BUNDLED else folder / base, deepest - 1)
    except FileNotFoundError as error:
        raise ValueError(
            f"{folder} lies on the model {quoted(base)}, which is not there: {error}; {remedy}"
        ) from error
    path = folder / WEIGHTS_FILE
    if not are_stored(path):
        raise FileNotFoundError(f"{folder} holds no {WEIGHTS_FILE}; copy the whole folder")
    values = read_json(folder / CONFIG_FILE)
    config = ModelConfig.from_json({name: values[name] for name in values if name != BASE})
    tensors = open_tensors(path).read()
    parameters = dict(under.model.named_parameters())
    differing = [
        f"{name} {tuple(tensor.shape)}"
        for name, tensor in tensors.items()
        if name not in parameters or parameters[name].shape != tensor.shape
    ]
    why = ""
    if replace(config, dropout=under.config.dropout) != under.config:
        why = f"{CONFIG_FILE} describes another model"
    elif differing:
        why = f"it has no {quoted_some(differing)}"
    if why:
        raise ValueError(f"{folder} does not fit its base {quoted(base)}: {why}; {remedy}")
    with torch.no_grad():
        for name, tensor in tensors.items():
            parameters[name].copy_(tensor)
    check_finite(under.model, str(path))
    own = folder / TOKENIZER_FILE
    tokenizer = open_tokenizer(own) if own.is_file() else under.tokenizer
    _check_vocabulary(folder, tokenizer, under.config)
    return LoadedModel(under.model, tokenizer, under.config, folder.name)
