"""Tensors in one safetensors file, or in several shards: opened as one, and read by rows.

    model.safetensors                    all tensors; or instead
    model-00001-of-00002.safetensors     the rows of each tensor on the first of two ranks
    model-00002-of-00002.safetensors     and those on the second
    index.json                           the number of shards, and the rows in each

A tensor is split along its first dimension, in the order of the ranks; one that every rank has
completely is only in the first shard. Each rank writes its own shard, and reads the rows that it
needs, however many ranks wrote them. So no process ever holds the whole model for this, and a
reader needs no other process.

Errors: ValueError, with a remedy, for a shard that is missing, truncated or different from the
index; OSError if the disk or the permissions fail.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.fields import field, from_json, to_json
from core.files import quoted, quoted_some, read_json, write_json
from core.tensor_files import LARGEST_SIZE, MAX_DIMENSIONS, open_safetensors, read_tensors

INDEX_FILE = "index.json"
FORMAT = 1
MOST_SHARDS = 99_999  # limit of the name's format
OWN_TYPES = ("F32", "BF16", "F64")  # of the numbers in a checkpoint
COPY_AGAIN = "copy the whole folder again, or take another checkpoint"


@dataclass(frozen=True, kw_only=True)
class ShardedTensor:
    """The index entry of a tensor: its whole shape, and for each shard, starting with the first,
    the first row of its part.
    """

    shape: tuple[int, ...] = field(longest=MAX_DIMENSIONS, least=0, most=LARGEST_SIZE)
    starts: tuple[int, ...] = field(shortest=1, longest=MOST_SHARDS, least=0, most=LARGEST_SIZE)


@dataclass(frozen=True, kw_only=True)
class ShardedFile:
    """The index entries of the tensors of one logical file."""

    shards: int = field(least=1, most=MOST_SHARDS)
    tensors: Mapping[str, ShardedTensor]


@dataclass(frozen=True, kw_only=True)
class Index:
    """The index, by the name of the logical file: "model.safetensors"."""

    files: Mapping[str, ShardedFile]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows `start` to `stop` of a tensor, all rows of it in one file."""

    path: Path
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor on disk: its dtype ("F32"), its whole shape, and its parts in order."""

    dtype: str
    shape: tuple[int, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class StoredTensors:
    """Tensors whose file headers were checked, but not yet read."""

    path: Path
    tensors: Mapping[str, StoredTensor]

    def check_types(self, types: Collection[str] = OWN_TYPES) -> None:
        """Raises ValueError if a tensor is of another type than we write: numbers of another type
        in the same bytes are others.
        """
        for name, tensor in self.tensors.items():
            if tensor.dtype not in types:
                raise ValueError(
                    f"{self.path}: {quoted(name)} is of the type {tensor.dtype}, and a checkpoint "
                    f"holds {' or '.join(types)} alone: {COPY_AGAIN}"
                )

    def read(
        self,
        names: Sequence[str] | None = None,
        framework: str = "torch",
        rows: Mapping[str, tuple[int, int]] | None = None,
    ) -> dict[str, Any]:
        """Reads all tensors, or the named ones, like `read_tensors`; for those in `rows`, only the
        rows from a first one to before a last one.
        """
        wanted = list(self.tensors) if names is None else list(names)
        if missing := [name for name in wanted if name not in self.tensors]:
            raise ValueError(f"{self.path} has no tensor {quoted(missing[0])}: choose another one")
        by_file: dict[Path, dict[str, tuple[int, int] | None]] = {}
        for name in wanted:
            parts = self.tensors[name].parts
            first, last = (rows or {}).get(name) or (0, parts[-1].stop)
            needed = [part for part in parts if max(first, part.start) < min(last, part.stop)]
            for part in needed or parts[:1]:  # even zero rows have a dtype
                begin, end = max(first, part.start), min(last, part.stop)
                inside = (begin - part.start, end - part.start) if begin < end else (0, 0)
                whole = inside == (0, part.stop - part.start)
                by_file.setdefault(part.path, {})[name] = None if whole else inside
        pieces: dict[str, list[Any]] = {name: [] for name in wanted}
        for path in sorted(by_file):
            asked = by_file[path]
            only = {name: inside for name, inside in asked.items() if inside is not None}
            for name, piece in read_tensors(path, list(asked), framework, rows=only).items():
                pieces[name].append(piece)
        return {name: _joined(pieces.pop(name)) for name in wanted}


def _joined(pieces: list[Any]) -> Any:
    """Concatenates rows, one below the other."""
    if len(pieces) == 1:
        return pieces[0]
    if isinstance(pieces[0], np.ndarray):
        return np.concatenate(pieces)
    import torch

    return torch.cat(pieces)


def shard_file(path: Path, shard: int, shards: int) -> Path:
    """Returns the path of a shard, counted from 0, of the tensors of `path`."""
    return path.with_name(f"{path.stem}-{shard + 1:05d}-of-{shards:05d}{path.suffix}")


def are_stored(path: str | Path) -> bool:
    """Returns True if the file exists, or an index in its place."""
    path = Path(path)
    return os.path.isfile(path) or os.path.isfile(path.with_name(INDEX_FILE))


def open_tensors(path: str | Path) -> StoredTensors:
    """Opens a safetensors file, or else its shards: checks every header, reads no tensor."""
    path = Path(path)
    if os.path.isfile(path) or not are_stored(path):
        return StoredTensors(
            path,
            {
                name: StoredTensor(entry.dtype, entry.shape, (Part(path, 0, _rows(entry.shape)),))
                for name, entry in open_safetensors(path).tensors.items()
            },
        )
    found = _read_index(path.parent).files.get(path.name)
    if found is None:
        raise ValueError(f"{path.parent} holds no {path.name}, nor shards of it: {COPY_AGAIN}")
    parts = {name: _parts(path, found.shards, name, one) for name, one in found.tensors.items()}
    dtypes: dict[str, str] = {}
    for shard in range(found.shards):
        file = shard_file(path, shard, found.shards)
        if not file.is_file():
            raise ValueError(
                f"{path.parent} lacks {file.name}, one of the {found.shards:,} shards of "
                f"{path.name}: {COPY_AGAIN}"
            )
        there = open_safetensors(file).tensors
        expected = {
            name: _shape_of(found.tensors[name].shape, mine[shard])
            for name, mine in parts.items()
            if shard < len(mine)
        }
        differing = [
            name
            for name in {**expected, **there}
            if name not in there
            or there[name].shape != expected.get(name)
            or there[name].dtype != dtypes.setdefault(name, there[name].dtype)
        ]
        if differing:
            raise ValueError(
                f"{file} and {INDEX_FILE} differ about {quoted_some(differing)}: {COPY_AGAIN}"
            )
    return StoredTensors(
        path,
        {
            name: StoredTensor(dtypes[name], found.tensors[name].shape, mine)
            for name, mine in parts.items()
        },
    )


def _read_index(folder: Path) -> Index:
    path = folder / INDEX_FILE
    try:
        return from_json(Index, read_json(path), "index of shards", FORMAT, remedy="")
    except ValueError as error:
        raise ValueError(f"{path}: {error}; {COPY_AGAIN}") from error


def _parts(path: Path, shards: int, name: str, sharded: ShardedTensor) -> tuple[Part, ...]:
    """Returns the parts of a tensor's rows, which must cover every row once."""
    rows, starts = _rows(sharded.shape), sharded.starts
    if starts[0] or len(starts) > shards or list(starts) != sorted(starts) or starts[-1] > rows:
        raise ValueError(
            f"{path.with_name(INDEX_FILE)} describes {quoted(name)} wrongly: {COPY_AGAIN}"
        )
    return tuple(
        Part(shard_file(path, shard, shards), start, stop)
        for shard, (start, stop) in enumerate(zip(starts, (*starts[1:], rows), strict=True))
    )


def _rows(shape: tuple[int, ...]) -> int:
    """Returns the number of rows of a tensor; a single number counts as one."""
    return shape[0] if shape else 1


def _shape_of(whole: tuple[int, ...], part: Part) -> tuple[int, ...]:
    return (part.stop - part.start, *whole[1:]) if whole else ()


def write_index(folder: Path, names: Sequence[str], shards: int) -> None:
    """Writes the index, after every rank has written its shards: for the files `names`, each with
    `shards` shards. Until then the folder has nothing that a reader would open.
    """
    files = {}
    for name in names:
        shapes: dict[str, tuple[int, ...]] = {}
        starts: dict[str, list[int]] = {}
        for shard in range(shards):
            file = open_safetensors(shard_file(folder / name, shard, shards))
            for tensor, entry in file.tensors.items():
                before = shapes.get(tensor, (0,))[0]
                starts.setdefault(tensor, []).append(before)
                shape = entry.shape
                shapes[tensor] = (before + shape[0], *shape[1:]) if shape else ()
        files[name] = ShardedFile(
            shards=shards,
            tensors={
                tensor: ShardedTensor(shape=shape, starts=tuple(starts[tensor]))
                for tensor, shape in shapes.items()
            },
        )
    write_json(folder / INDEX_FILE, {"format": FORMAT, **to_json(Index(files=files))}, None)


def remove_shards(path: Path) -> None:
    """Deletes the shards of a file, if any, so that others can replace them."""
    index = path.with_name(INDEX_FILE)
    if not index.is_file():
        return
    files = dict(_read_index(path.parent).files)
    shards = files.pop(path.name).shards if path.name in files else 0
    write_json(index, {"format": FORMAT, **to_json(Index(files=files))}, None)
    for shard in range(shards):
        shard_file(path, shard, shards).unlink(missing_ok=True)
