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
    """True for a folder that is not a run's, or a model file, even one that cannot be opened:
    opening reports that. A Trainer's checkpoint is a model, although it also describes its run.
    """
    if path.is_dir():
        return are_stored(path / WEIGHTS) or not is_run(path)
    return path.is_file() and (path.name == CONFIG or path.suffix.lower() in OF_MODELS)


def model_place(path: Path) -> Path:
    """Returns the place to open: for a part of a model, its folder."""
    is_part = path.is_file() and path.suffix.lower() in (".json", ".safetensors")
    return path.parent if is_part and (path.parent / CONFIG).is_file() else path


def is_vocabulary(path: Path) -> bool:
    """True for a GGUF file that contains only a tokenizer."""
    if path.suffix.lower() != ".gguf":
        return False
    with contextlib.suppress(ValueError):
        return not open_gguf(path).tensors
    return False


def is_tokenizer(path: Path) -> bool:
    """True for a tokenizer; anything else is opened as a text, which reports its errors."""
    from core.tokenization import opening

    with contextlib.suppress(ValueError):
        return opening.is_tokenizer(path)
    return False


def begin_text(path: Path) -> None:
    """Reads the beginning of a text. Raises ValueError or OSError if it is not one."""
    from core.data.chunks import read_characters
    from core.data.text import check_text_file

    next(read_characters(check_text_file(path)), None)


def begin_run(folder: Path) -> None:
    """Reads the description of a run. Raises ValueError or OSError if it is not one."""
    from core.training import open_run

    open_run(folder)
