"""What lies at a path that a person opens: a model, a run, a text or a tokenizer. No Qt."""

from __future__ import annotations

import contextlib
from pathlib import Path

from core.tensor_shards import are_stored
from explorer.runs.folders import is_run

WEIGHTS = "model.safetensors"


def is_model(path: Path) -> bool:
    """A folder that is no run's, or a checkpoint's file. A Trainer's checkpoint is a model, though
    it also tells of its run.
    """
    if path.is_dir():
        return are_stored(path / WEIGHTS) or not is_run(path)
    return path.is_file() and path.name in ("config.json", WEIGHTS)


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
