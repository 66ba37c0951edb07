"""Recognizes what the user opens at a path: a model, a run, a text or a tokenizer. No Qt."""

from __future__ import annotations

import contextlib
from pathlib import Path

from core.gguf import open_gguf
from core.tensor_shards import are_stored
from core.transformer.foreign.sources import PICKLES
from explorer.runs.folders import is_run

CONFIG, WEIGHTS = "config.json", "model.safetensors"
OF_MODELS = (".safetensors", ".gguf", *PICKLES)


def is_model(path: Path) -> bool:
    """A folder that is no run's, or a file of a model, also one that cannot be opened: that is said
    then. A Trainer's checkpoint is a model, though it also tells of its run.
    """
    if path.is_dir():
        return are_stored(path / WEIGHTS) or not is_run(path)
    return path.is_file() and (path.name == CONFIG or path.suffix.lower() in OF_MODELS)


def model_place(path: Path) -> Path:
    """What is opened where a person names a file: the folder that a part of a model lies in."""
    is_part = path.is_file() and path.suffix.lower() in (".json", ".safetensors")
    return path.parent if is_part and (path.parent / CONFIG).is_file() else path


def is_vocabulary(path: Path) -> bool:
    """Whether it is a GGUF file of a tokenizer alone."""
    if path.suffix.lower() != ".gguf":
        return False
    with contextlib.suppress(ValueError):
        return not open_gguf(path).tensors
    return False


def is_tokenizer(path: Path) -> bool:
    """What is neither a tokenizer nor a text goes where texts go, which says what it is."""
    from core.tokenization import opening

    with contextlib.suppress(ValueError):
        return opening.is_tokenizer(path)
    return False


def begin_text(path: Path) -> None:
    """Reads how a text begins. Raises ValueError or OSError where it is none."""
    from core.data.chunks import read_characters
    from core.data.text import check_text_file

    next(read_characters(check_text_file(path)), None)


def begin_run(folder: Path) -> None:
    """Reads what a run says of itself. Raises ValueError or OSError where it is none."""
    from core.training import open_run

    open_run(folder)
