"""core.load: a model and its tokenizer by name or folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.resources import resource
from core.tokenization import Tokenizer, open_tokenizer
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.weights import load_model

BUNDLED = "stories"
TOKENIZER_FILE = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in eval mode, the tokenizer it was trained with, its config and its name."""

    model: GPT
    tokenizer: Tokenizer
    config: ModelConfig
    name: str


def load(name_or_folder: str | Path = BUNDLED) -> LoadedModel:
    """The bundled model ("stories"), or the one in a checkpoint folder.

    Raises FileNotFoundError when there is no such folder or a file is missing, and ValueError, with
    the remedy, when the files are broken or do not belong together.
    """
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
    tokenizer_path = folder / TOKENIZER_FILE
    if not tokenizer_path.is_file():
        raise FileNotFoundError(
            f"{folder} holds no {TOKENIZER_FILE}; copy the whole checkpoint folder"
        )
    tokenizer = open_tokenizer(tokenizer_path)
    model = load_model(folder)
    if tokenizer.vocab_size > model.config.vocab_size:
        raise ValueError(
            f"{folder}: the tokenizer has {tokenizer.vocab_size} pieces, the model "
            f"{model.config.vocab_size}; copy all files from one checkpoint"
        )
    return LoadedModel(model, tokenizer, model.config, BUNDLED if bundled else folder.name)
