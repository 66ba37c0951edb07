"""The table of token embeddings of a model on the disk, without loading the rest of it."""

from pathlib import Path

import numpy as np

from core.gguf import open_gguf, read_gguf_tensor
from core.tensor_files import open_safetensors, read_tensors

# What checkpoints call the table: this program's models and GPT-2's, then Llama's, BERT's.
NAMES = (
    *("wte.weight", "transformer.wte.weight", "model.embed_tokens.weight"),
    *("embed_tokens.weight", "embeddings.word_embeddings.weight"),
    "bert.embeddings.word_embeddings.weight",
)
GGUF_NAME = "token_embd.weight"


def read_embeddings(path: str | Path) -> np.ndarray:
    """(V, C) float32, of a checkpoint's folder, its model.safetensors, or a GGUF file.

    Raises ValueError, with the remedy, where the file holds no such table, and OSError where it
    cannot be read.
    """
    path = Path(path)
    if path.suffix == ".gguf":
        return np.asarray(read_gguf_tensor(open_gguf(path), GGUF_NAME), dtype=np.float32)
    if path.is_dir():
        path = path / "model.safetensors"
    there = open_safetensors(path).tensors
    name = next((one for one in NAMES if one in there), None)
    if name is None:
        raise ValueError(
            f"{path} holds none of {', '.join(NAMES)}: choose a language model's checkpoint"
        )
    return np.asarray(read_tensors(path, [name])[name], dtype=np.float32)
