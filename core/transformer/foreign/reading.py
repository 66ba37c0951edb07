"""Conversion of a foreign model to a `GPT`: inspected first, then read a few rows at a time.

The memory needed is known before anything is allocated, and reading never needs more than the
model and a few megabytes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from core.files import read_json
from core.gguf import GGUFFile, open_gguf
from core.jobs import to_the_end
from core.transformer.foreign.families import Names
from core.transformer.foreign.parts import Part, check_parts, parts_of, without_prefix
from core.transformer.foreign.settings import Description, describe_gguf, describe_json
from core.transformer.foreign.sources import Source, gguf_source, safetensors_source
from core.transformer.gpt import GPT
from core.transformer.parameters import parameter_count, parameter_shapes
from core.transformer.weights import CONFIG_FILE, DTYPES, check_numbers, model_of

CHUNK = 1 << 20  # numbers to read at once, which need some arrays of 4 MB


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """A model that was inspected and matches its settings, with no tensor read so far."""

    description: Description
    source: Source
    parts: list[Part]


def look_at_folder(folder: Path) -> ForeignModel:
    """Inspects a folder of transformers: config.json, and safetensors in one file or several.

    Raises FileNotFoundError and ValueError, with a remedy, for a model that cannot be opened.
    """
    path = folder / CONFIG_FILE
    description = describe_json(read_json(path), str(path))
    return _looked_at(description, description.family.json_names, safetensors_source(folder))


def look_at_gguf(file: GGUFFile | Path) -> ForeignModel:
    """Inspects a GGUF file. Raises ValueError, with a remedy, if it cannot be opened."""
    file = file if isinstance(file, GGUFFile) else open_gguf(file)
    description = describe_gguf(file)
    return _looked_at(description, description.family.gguf_names, gguf_source(file))


def _looked_at(description: Description, names: Names, source: Source) -> ForeignModel:
    config, what = description.config, str(source.path)
    if config.n_layer > len(source.shapes):  # a damaged number must not list layer after layer
        raise ValueError(
            f"{what} holds {len(source.shapes)} tensors, its settings ask for {config.n_layer:,} "
            "layers. Get all of its files from one place"
        )
    names = without_prefix(names, source.shapes)
    if config.tie_weights and _has_own_head(source, names):
        config = replace(config, tie_weights=False)
        description = replace(description, config=config)
    parts = parts_of(config, names, description.biased)
    check_parts(parts, source.shapes, names, config, what)
    for part in parts:
        source.rows(part.name, 0, 0)  # raises if its type cannot be read
    return ForeignModel(description, source, parts)


def _has_own_head(source: Source, names: Names) -> bool:
    """Returns whether the file stores an output head that differs from the embeddings.

    transformers keeps it then, whatever the settings say of tied weights (version 5,
    PreTrainedModel.tie_weights).
    """
    table, head = (f"{names.tensors[module][0]}.weight" for module in ("wte", "lm_head"))
    if head not in source.shapes or table not in source.shapes:
        return False
    shape = source.shapes[table]
    if source.shapes[head] != shape or len(shape) != 2:
        return True  # and is refused for its shape
    step = max(1, CHUNK // max(1, shape[1]))
    for first in range(0, shape[0], step):
        last = min(first + step, shape[0])
        if not np.array_equal(source.rows(table, first, last), source.rows(head, first, last)):
            return True
    return False


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """The number of the model's parameters read so far."""

    done: int
    total: int


def read_foreign_steps(
    model: ForeignModel, dtype: str = "float32"
) -> Generator[ReadProgress, None, GPT]:
    """Returns the model, in eval mode; yields after every million numbers.

    Raises ValueError for weights that are NaN or infinite.
    """
    config = model.description.config
    shapes = parameter_shapes(config)
    tensors = {name: torch.empty(shape, dtype=DTYPES[dtype]) for name, shape in shapes.items()}
    total, done = parameter_count(config), 0
    for name in set(shapes) - {part.parameter for part in model.parts}:
        tensors[name].zero_()  # a bias that the file lacks
    for part in model.parts:
        target = tensors[part.parameter][part.first : part.last]
        for read in _fill(target, part, model.source):
            done += read
            yield ReadProgress(done, total)
    for name, tensor in tensors.items():
        check_numbers(tensor, name, str(model.source.path))
        yield ReadProgress(total, total)
    return model_of(config, tensors).eval()


def read_foreign(model: ForeignModel, dtype: str = "float32") -> GPT:
    """Runs `read_foreign_steps` to the end."""
    return to_the_end(read_foreign_steps(model, dtype))


def _fill(target: Tensor, part: Part, source: Source) -> Iterator[int]:
    """Copies a tensor of the file into its place in our layout; yields the number of values copied
    each time.
    """
    rows = part.shape[0]
    row = target.numel() // rows
    step = max(1, CHUNK // row)
    for first in range(0, rows, step):
        last = min(first + step, rows)
        read = torch.from_numpy(source.rows(part.name, first, last))
        (target.mT[first:last] if part.transposed else target[first:last]).copy_(read)
        if last == rows and part.heads:
            target.copy_(apart(target, part.heads))
        yield (last - first) * row


def apart(rows: Tensor, heads: int) -> Tensor:
    """Moves the rows of each head, in adjacent pairs, to its first and second half.

    (H D, ...) -> the same. llama.cpp rotates dimensions 0 and 1 together, 2 and 3, ...; `rotate`
    and transformers i and i + D / 2, so the rows of one are interleaved in files for the other.
    """
    pairs = rows.unflatten(0, (heads, -1, 2))  # (H, D / 2, 2, ...)
    return pairs.transpose(1, 2).flatten(0, 2)  # (H, 2, D / 2, ...) -> (H D, ...)
