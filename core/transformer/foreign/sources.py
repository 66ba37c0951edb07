"""The tensors of a foreign model: in safetensors files in a folder, or in one GGUF file.

Both are opened within limits by `core.tensor_files` and `core.gguf`, and read a few rows at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.files import GET_AGAIN, names_in, quoted, quoted_some, read_json
from core.gguf import GGUFFile, read_gguf_rows
from core.tensor_files import TensorFile, is_pickle, open_safetensors, read_rows

WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
SHARD = re.compile(r"[\w.-]{1,200}\.safetensors")  # a file in the index's folder, not a path
MOST_SHARDS = 1000
PICKLES = (".bin", ".pt", ".pth", ".ckpt")
CONVERT = (
    "a pickle can run any code, so it is never opened. Where you trust it, convert it with "
    "transformers: AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(NEW_FOLDER)"
)


@dataclass(frozen=True, slots=True)
class Source:
    """Shapes of all tensors by name; rows(name, first, last) reads some of one as float32."""

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    rows: Callable[[str, int, int], np.ndarray]


def safetensors_source(folder: Path) -> Source:
    """Returns the tensors of a folder: model.safetensors, or the shards that its index names.

    Raises FileNotFoundError if there is neither, and ValueError, with a remedy, for pickles, for
    damaged files, and for an index that does not match its shards.
    """
    place: dict[str, TensorFile] = {}
    if (folder / WEIGHTS_FILE).exists():
        opened = open_safetensors(folder / WEIGHTS_FILE)
        place = dict.fromkeys(opened.tensors, opened)
    elif (folder / INDEX_FILE).exists():
        place = _shards(folder)
    elif pickles := [
        name
        for name in sorted(names_in(folder))
        if name.endswith(PICKLES) and is_pickle(folder / name)
    ]:
        raise ValueError(f"{folder} holds its weights as a pickle, {quoted(pickles[0])}: {CONVERT}")
    else:
        raise FileNotFoundError(
            f"{folder} holds no {WEIGHTS_FILE} and no {INDEX_FILE}; copy the whole folder, or "
            "choose another"
        )
    shapes = {name: file.tensors[name].shape for name, file in place.items()}
    return Source(folder, shapes, lambda name, *rows: read_rows(place[name], name, *rows))


def _shards(folder: Path) -> dict[str, TensorFile]:
    """Returns the file that contains each tensor."""
    path = folder / INDEX_FILE
    index = read_json(path)
    placed = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(placed, dict) or not all(
        isinstance(name, str) and SHARD.fullmatch(name) for name in placed.values()
    ):
        raise ValueError(f"{path} does not say in which files the tensors lie: {GET_AGAIN}")
    names = sorted(set(placed.values()))
    if len(names) > MOST_SHARDS:
        raise ValueError(f"{path} names {len(names):,} files, more than any model has: {GET_AGAIN}")
    if absent := [name for name in names if not (folder / name).exists()]:
        raise FileNotFoundError(
            f"{folder} lacks {quoted_some(absent)}, which {INDEX_FILE} names; copy the whole folder"
        )
    place: dict[str, TensorFile] = {}
    for name in names:
        opened = open_safetensors(folder / name)
        for tensor in opened.tensors:
            if placed.get(tensor) != name:
                raise ValueError(
                    f"{folder / name} holds {quoted(tensor)}, which {INDEX_FILE} does not place "
                    f"there: {GET_AGAIN}"
                )
        place |= dict.fromkeys(opened.tensors, opened)
    if absent := [name for name in placed if name not in place]:
        raise ValueError(
            f"{path} promises {quoted_some(absent)}, in none of its files: {GET_AGAIN}"
        )
    return place


def gguf_source(file: GGUFFile) -> Source:
    """Returns the tensors of a GGUF file, which are dequantized when they are read."""
    shapes = {name: tensor.shape for name, tensor in file.tensors.items()}
    return Source(file.path, shapes, lambda name, *rows: read_gguf_rows(file, name, *rows))
