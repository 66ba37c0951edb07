"""Reads the table of token embeddings of a model on disk, without the rest of the model."""

import os
from collections.abc import Generator
from pathlib import Path

import numpy as np

from core.gguf import open_gguf, read_gguf_rows, read_gguf_tensor
from core.jobs import to_the_end
from core.tensor_shards import open_tensors

# Names of the table in checkpoints: this program's models and GPT-2's, then Llama's, BERT's.
NAMES = (
    *("wte.weight", "transformer.wte.weight", "model.embed_tokens.weight"),
    *("embed_tokens.weight", "embeddings.word_embeddings.weight"),
    "bert.embeddings.word_embeddings.weight",
)
GGUF_NAME = "token_embd.weight"


ROWS = 4096  # of the table, between two yields


def read_embeddings_steps(path: str | Path) -> Generator[float, None, np.ndarray]:
    """Reads the table of a checkpoint's folder, its model.safetensors, or a GGUF file.

    Yields the share that was read: a GGUF file is unpacked in blocks. Returns (V, C) float32.

    Raises ValueError, with a remedy, if the file has no such table, and OSError if it cannot be
    read.
    """
    path = Path(path)
    if path.suffix == ".gguf":
        return (yield from _gguf_blocks(path))
    if os.path.isdir(path):
        path = path / "model.safetensors"
    stored = open_tensors(path)
    name = next((one for one in NAMES if one in stored.tensors), None)
    if name is None:
        raise ValueError(
            f"{path} holds none of {', '.join(NAMES)}: choose a language model's checkpoint"
        )
    yield 0.0
    read = stored.read([name], framework="numpy")[name]
    yield 0.5
    if read.ndim != 2 or read.dtype == np.float32:
        return np.asarray(read, dtype=np.float32)
    table = np.empty(read.shape, dtype=np.float32)
    for start in range(0, len(read), ROWS):
        table[start : start + ROWS] = read[start : start + ROWS]
        yield 0.5 + 0.5 * start / len(read)
    return table


def _gguf_blocks(path: Path) -> Generator[float, None, np.ndarray]:
    file = open_gguf(path)
    yield 0.0
    tensor = file.tensors.get(GGUF_NAME)
    if tensor is None or len(tensor.shape) != 2 or tensor.start == tensor.stop:
        return read_gguf_tensor(file, GGUF_NAME)  # not a table, or empty
    size = tensor.shape[0]
    table = np.empty(tensor.shape, dtype=np.float32)
    for start in range(0, size, ROWS):
        stop = min(start + ROWS, size)
        table[start:stop] = read_gguf_rows(file, GGUF_NAME, start, stop)
        yield start / size
    return table


def read_embeddings(path: str | Path) -> np.ndarray:
    """Runs read_embeddings_steps to the end; returns the table."""
    return to_the_end(read_embeddings_steps(path))
