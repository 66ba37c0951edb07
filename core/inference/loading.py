"""core.load: a model and its tokenizer by name, folder or file.

A folder can also hold only the tensors that a fine-tuning has changed. Its config.json then has
an additional entry, "base": the name or the folder of the original model.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from core.files import quoted, quoted_some, read_json, write_json
from core.gguf import open_gguf
from core.inference.model_places import BUNDLED, place_of
from core.inference.usage import (
    UNKNOWN,
    Usage,
    usage_of_checkpoint,
    usage_of_folder,
    usage_of_gguf,
)
from core.jobs import to_the_end
from core.memory import check_memory, shortage
from core.tensor_files import is_pickle
from core.tensor_shards import are_stored, open_tensors
from core.tokenization import Tokenizer, open_tokenizer
from core.tokenization.ids import IdTokenizer
from core.tokenization.opening import tokenizer_in
from core.transformer.architectures import Config, Model, gpt_of
from core.transformer.config import ModelConfig
from core.transformer.foreign.reading import (
    ForeignModel,
    ReadProgress,
    look_at_folder,
    look_at_gguf,
    read_foreign_steps,
)
from core.transformer.foreign.sources import CONVERT
from core.transformer.parameters import parameter_count
from core.transformer.weights import (
    CONFIG_FILE,
    DTYPES,
    WEIGHTS_FILE,
    check_dtype,
    check_finite,
    load_config,
    load_model,
)

TOKENIZER_FILE = "tokenizer.json"
BASE = "base"  # the entry of config.json
DEEPEST = 8  # bases in a chain
FOREIGN = ("model_type", "architectures")  # entries of config.json in transformers
GGUF_TOKENIZER = "tokenizer.ggml.model"


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in eval mode, the tokenizer it was trained with, its config and its name; the tokens
    that end a text, and the chat template, if it has one.
    """

    model: Model
    tokenizer: Tokenizer
    config: Config
    name: str
    usage: Usage = UNKNOWN


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The part of a LoadedModel that reads and writes text; it is available without the weights."""

    name: str
    tokenizer: Tokenizer
    usage: Usage


def load(name_or_path: str | Path = BUNDLED, dtype: str = "float32") -> LoadedModel:
    """Returns a model without adapters or other tuned parts, by name, folder or file. `core.load`
    also opens those: names, dtypes and errors are the same (see `core.finetuning.loading`).
    """
    return to_the_end(load_steps(name_or_path, dtype))


def load_steps(
    name_or_path: str | Path = BUNDLED, dtype: str = "float32"
) -> Generator[ReadProgress, None, LoadedModel]:
    """Loads as a job with progress, which can be closed; our checkpoints are read in one step."""
    check_dtype(dtype)
    return (yield from _load_steps(name_or_path, dtype, DEEPEST))


def config_of(name_or_path: str | Path = BUNDLED) -> Config:
    """Returns the config of a model, without reading its weights. Raises as `load` does."""
    path, _ = place_of(name_or_path)
    foreign = _look_at(path)
    return load_config(path) if foreign is None else foreign.description.config


def vocabulary_of(name_or_path: str | Path = BUNDLED, deepest: int = DEEPEST) -> Vocabulary:
    """Returns the tokenizer of a model for `load`, and its usage, without reading any weights.
    Raises as `load` does.

    deepest  limit for the chain of bases below it
    """
    path, name = place_of(name_or_path)
    if (foreign := _look_at(path)) is not None:
        return Vocabulary(name, *_foreign_vocabulary(path, foreign.description.config))
    own, base = path / TOKENIZER_FILE, _base_of(path)
    if own.is_file():
        tokenizer = open_tokenizer(own)
        return Vocabulary(name, tokenizer, usage_of_checkpoint(tokenizer))
    if base is None or not deepest:
        raise FileNotFoundError(
            f"{path} holds no {TOKENIZER_FILE}; copy the whole checkpoint folder"
        )
    return vocabulary_of(base if base == BUNDLED else path / base, deepest - 1)


def write_base(folder: Path, config: ModelConfig, base: str) -> None:
    """Writes the config.json of a folder whose model.safetensors changes a base model.

    base  "stories", or the path of a folder: absolute, or relative to `folder`
    """
    write_json(folder / CONFIG_FILE, {**config.to_json(), BASE: base})


def _load_steps(
    name_or_path: str | Path, dtype: str, deepest: int
) -> Generator[ReadProgress, None, LoadedModel]:
    path, name = place_of(name_or_path)
    foreign = _look_at(path)
    if foreign is not None:
        return (yield from _load_foreign_steps(path, foreign, dtype, name))
    if (base := _base_of(path)) is not None:
        return (yield from _load_over_steps(path, base, dtype, deepest))
    config = load_config(path)  # first, because it fails for a folder without a model
    words = vocabulary_of(name_or_path)
    _check_memory(config, dtype, path)
    model = load_model(path).to(DTYPES[dtype])
    _check_vocabulary(path, words.tokenizer, model.config)
    return LoadedModel(model, words.tokenizer, model.config, name, words.usage)


def _look_at(path: Path) -> ForeignModel | None:
    """Returns a model of another program, or None for a folder that is our own or has no model."""
    if path.is_file():
        if is_pickle(path):
            raise ValueError(f"{path} is a pickle: {CONVERT}")
        if path.suffix == ".safetensors" or path.name == CONFIG_FILE:
            raise ValueError(f"{path} is a part of a model: give the folder that it lies in")
        return look_at_gguf(path)
    values = _config_of(path)
    return look_at_folder(path) if any(key in values for key in FOREIGN) else None


def _config_of(folder: Path) -> dict[str, Any]:
    """Returns the contents of a folder's config.json, or {} if there is none."""
    path = folder / CONFIG_FILE
    values = read_json(path) if path.is_file() else None
    return values if isinstance(values, dict) else {}


def _load_foreign_steps(
    path: Path, foreign: ForeignModel, dtype: str, name: str
) -> Generator[ReadProgress, None, LoadedModel]:
    config = foreign.description.config
    tokenizer, usage = _foreign_vocabulary(path, config)
    _check_vocabulary(path, tokenizer, config)
    _check_memory(config, dtype, path)
    model = yield from read_foreign_steps(foreign, dtype)
    return LoadedModel(model, tokenizer, config, name, usage)


def _foreign_vocabulary(path: Path, config: ModelConfig) -> tuple[Tokenizer, Usage]:
    """Returns tokenizer and usage of a model of another program."""
    if path.is_file():
        metadata = open_gguf(path).metadata
        has_tokenizer = GGUF_TOKENIZER in metadata
        usage = usage_of_gguf(metadata, config.vocab_size)
    else:
        has_tokenizer = tokenizer_in(path) is not None
        usage = usage_of_folder(path, config.vocab_size)
    tokenizer = open_tokenizer(path) if has_tokenizer else IdTokenizer(config.vocab_size)
    return tokenizer, usage


def _check_memory(config: Config, dtype: str, path: Path) -> None:
    """Raises ValueError if the weights alone exceed this machine's memory: the operating system
    would kill the program.
    """
    needed = parameter_count(config) * DTYPES[dtype].itemsize
    fits = dtype != "bfloat16" and not shortage("", needed // 2, "")
    half = 'choose dtype="bfloat16", which takes half of it, or ' if fits else "choose "
    check_memory(f"{path} in {dtype}", needed, f"{half}a smaller model")


def _check_vocabulary(folder: Path, tokenizer: Tokenizer, config: Config) -> None:
    """Raises ValueError if the model lacks embeddings for some of the tokenizer's pieces."""
    stacks = (config,) if isinstance(config, ModelConfig) else (config.encoder, config.decoder)
    there = min(stack.vocab_size for stack in stacks)
    if tokenizer.vocab_size > there:
        raise ValueError(
            f"{folder}: the tokenizer has {tokenizer.vocab_size} pieces, the model {there}; copy "
            "all files from one checkpoint"
        )


def _base_of(folder: Path) -> str | None:
    """Returns the base in a folder's config.json, or None if its tensors are a whole model."""
    values = _config_of(folder)
    if BASE not in values:
        return None
    if not isinstance(values[BASE], str) or not values[BASE]:
        raise ValueError(
            f"{folder / CONFIG_FILE}: the entry {BASE!r} must be the name or the folder of a "
            f"model, not {quoted(values[BASE])}"
        )
    return values[BASE]


def _load_over_steps(
    folder: Path, base: str, dtype: str, deepest: int
) -> Generator[ReadProgress, None, LoadedModel]:
    """Returns the base with the folder's tensors in place of its own."""
    remedy = f"put it back, or write where it is now as {BASE!r} into {folder / CONFIG_FILE}"
    if deepest == 0:
        raise ValueError(f"{folder} needs a base that needs another, without end; {remedy}")
    try:
        place = base if base == BUNDLED else folder / base
        under = yield from _load_steps(place, dtype, deepest - 1)
    except FileNotFoundError as error:
        raise ValueError(
            f"{folder} needs the base model {quoted(base)}, which is not there: {error}; {remedy}"
        ) from error
    path = folder / WEIGHTS_FILE
    if not are_stored(path):
        raise FileNotFoundError(f"{folder} holds no {WEIGHTS_FILE}; copy the whole folder")
    values = read_json(folder / CONFIG_FILE)
    config = ModelConfig.from_json({name: values[name] for name in values if name != BASE})
    stored = open_tensors(path)
    stored.check_types()
    tensors = stored.read()
    parameters = dict(under.model.named_parameters())
    differing = [
        f"{name} {tuple(tensor.shape)}"
        for name, tensor in tensors.items()
        if name not in parameters or parameters[name].shape != tensor.shape
    ]
    why = ""
    dropout = gpt_of(under.model).config.dropout
    if replace(config, dropout=dropout) != under.config:
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
    return LoadedModel(under.model, tokenizer, under.config, folder.name, under.usage)
