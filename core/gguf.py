"""Reads GGUF files, llama.cpp's format for a model and its tokenizer: metadata, then tensors.

A file consists of: "GGUF", a version, the counts of tensors and metadata entries, the entries (key,
type, value), a description of each tensor, padding, and the tensors' bytes. Everything is little
endian. Files are read as needed: the metadata at once, a tensor by its name.

Quantized tensors are blocks of numbers that share a scale, which `gguf_blocks` unpacks. Errors:
ValueError, with a remedy, for a file that is broken, truncated or malicious.

Source: ggml's docs/gguf.md.
"""

import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from core.files import GET_AGAIN, MEGABYTE, open_to_read, quoted, quoted_some, read_numbers
from core.gguf_blocks import UNPACK

MAGIC = b"GGUF"
MAX_METADATA = 64 * MEGABYTE  # bytes of metadata; the largest vocabularies need 10
MAX_ENTRIES = 1 << 16  # metadata entries, and tensors
MAX_VALUES = 1_500_000  # strings and lists in them; 262,144 pieces have half a million merges
MAX_NESTING = 4  # arrays in arrays
MAX_DIMENSIONS = 8

# Metadata types by their number; 8 is a string, 9 an array.
SCALARS: dict[int, np.dtype[Any]] = {
    0: np.dtype("u1"),
    1: np.dtype("i1"),
    2: np.dtype("<u2"),
    3: np.dtype("<i2"),
    4: np.dtype("<u4"),
    5: np.dtype("<i4"),
    6: np.dtype("<f4"),
    7: np.dtype("?"),
    10: np.dtype("<u8"),
    11: np.dtype("<i8"),
    12: np.dtype("<f8"),
}
STRING, ARRAY = 8, 9

# Tensor types by their number: name, numbers in a block, bytes of a block.
TENSOR_TYPES = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    30: ("BF16", 1, 2),
}


@dataclass(frozen=True, slots=True)
class GGUFTensor:
    """One tensor: its type ("Q8_0"), shape in NumPy's order (rows first), position in the file."""

    type: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class GGUFFile:
    """An opened file: numbers, strings, lists of strings and NumPy arrays by key; its tensors."""

    path: Path
    metadata: Mapping[str, Any]
    tensors: Mapping[str, GGUFTensor]


def open_gguf(path: str | Path) -> GGUFFile:
    """Reads the metadata and the positions of the tensors, but no tensor.

    Raises ValueError for a file that is not GGUF, is truncated, or points outside itself.
    """
    path = Path(path)
    with open_to_read(path) as file:
        reader = _Reader(path, file)
        if reader.take(4) != MAGIC:
            raise ValueError(f"{path} is not a GGUF file: {GET_AGAIN}")
        version = reader.number("<I")
        if version not in (2, 3):
            raise ValueError(
                f"{path} is a GGUF file of version {version}, where 2 and 3 can be read: convert "
                "it again with a current llama.cpp"
            )
        n_tensors, n_entries = reader.number("<Q"), reader.number("<Q")
        if max(n_tensors, n_entries) > MAX_ENTRIES:
            raise ValueError(f"{path} promises {max(n_tensors, n_entries):,} entries: {GET_AGAIN}")
        metadata = {}
        for _ in range(n_entries):
            key = reader.string()
            metadata[key] = reader.value(reader.number("<I"))
        described = {}
        for _ in range(n_tensors):
            name = reader.string()
            described[name] = reader.tensor(name)
        alignment = metadata.get("general.alignment", 32)
        if type(alignment) is not int or not 1 <= alignment <= MEGABYTE:
            raise ValueError(f"{path} has a damaged alignment: {GET_AGAIN}")
        data = math.ceil(reader.place / alignment) * alignment
    tensors = {}
    for name, tensor in described.items():
        if data + tensor.stop > reader.size:
            raise ValueError(
                f"{path} was cut off: its tensor {quoted(name)} ends at byte "
                f"{data + tensor.stop:,}, the file at {reader.size:,}; {GET_AGAIN}"
            )
        place = (data + tensor.start, data + tensor.stop)
        tensors[name] = GGUFTensor(tensor.type, tensor.shape, *place)
    return GGUFFile(path, metadata, tensors)


class _Reader:
    """Reads one value after another, never past the end or the limit on metadata."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self.file = file
        self.size = os.fstat(file.fileno()).st_size
        self.place = 0
        self.values_left = MAX_VALUES

    def take(self, count: int) -> bytes:
        if self.place + count > min(self.size, MAX_METADATA):
            raise ValueError(f"{self.path} was cut off, or its header is damaged: {GET_AGAIN}")
        self.place += count
        return self.file.read(count)

    def number(self, format: str) -> int:
        return struct.unpack(format, self.take(struct.calcsize(format)))[0]

    def string(self) -> str:
        # A piece of a vocabulary may be a part of a character.
        return self.take(self.number("<Q")).decode("utf-8", "replace")

    def strings(self, count: int) -> list[str]:
        """Reads `count` strings. There may be a million, so each must be cheap."""
        read, length_of = self.file.read, struct.Struct("<Q").unpack
        end, place = min(self.size, MAX_METADATA), self.place
        found = []
        for _ in range(count):
            length = length_of(read(8))[0] if place + 8 <= end else end
            place += 8 + length
            if place > end:
                raise ValueError(f"{self.path} was cut off, or its header is damaged: {GET_AGAIN}")
            found.append(read(length).decode("utf-8", "replace"))
        self.place = place
        return found

    def value(self, kind: int, depth: int = 0) -> Any:
        if kind == STRING:
            return self.string()
        if kind == ARRAY:
            item, count = self.number("<I"), self.number("<Q")
            if depth >= MAX_NESTING:
                raise ValueError(f"{self.path} holds arrays nested too deep: {GET_AGAIN}")
            if item in SCALARS:
                return np.frombuffer(self.take(count * SCALARS[item].itemsize), SCALARS[item])
            if count * 8 > self.size - self.place:  # each item starts with its length
                raise ValueError(f"{self.path} was cut off, or is damaged: {GET_AGAIN}")
            self.values_left -= count
            if self.values_left < 0:
                raise ValueError(
                    f"{self.path} holds more than {MAX_VALUES:,} strings, which no vocabulary "
                    f"needs: {GET_AGAIN}"
                )
            if item == STRING:
                return self.strings(count)
            return [self.value(item, depth + 1) for _ in range(count)]
        if kind not in SCALARS:
            raise ValueError(f"{self.path} holds a value of the unknown type {kind}: {GET_AGAIN}")
        return np.frombuffer(self.take(SCALARS[kind].itemsize), SCALARS[kind])[0].item()

    def tensor(self, name: str) -> GGUFTensor:
        """Reads a tensor's description; its position is relative to the start of the tensors."""
        n_dimensions = self.number("<I")
        if n_dimensions > MAX_DIMENSIONS:
            raise ValueError(
                f"{self.path} describes the tensor {quoted(name)} wrongly: {GET_AGAIN}"
            )
        shape = tuple(self.number("<Q") for _ in range(n_dimensions))[::-1]
        kind, start = self.number("<I"), self.number("<Q")
        if kind not in TENSOR_TYPES:
            return GGUFTensor(f"type {kind}", shape, start, start)
        type_name, block, block_bytes = TENSOR_TYPES[kind]
        if shape and shape[-1] % block:
            raise ValueError(
                f"{self.path}: the rows of {quoted(name)} are no whole blocks: {GET_AGAIN}"
            )
        return GGUFTensor(type_name, shape, start, start + math.prod(shape) // block * block_bytes)


def read_gguf_tensor(file: GGUFFile, name: str) -> np.ndarray:
    """Returns one tensor as float32, dequantized.

    Raises ValueError for an unknown name and for an unsupported type.
    """
    tensor = _readable(file, name)
    return _read(file, tensor, tensor.start, tensor.stop).reshape(tensor.shape)


def read_gguf_rows(file: GGUFFile, name: str, first: int, last: int) -> np.ndarray:
    """Returns the rows from `first` to before `last` of a table (V, C), as read_gguf_tensor does;
    for a vector, its numbers.

    Raises ValueError as that does, and if the tensor has no such rows.
    """
    tensor = _readable(file, name)
    if len(tensor.shape) not in (1, 2) or not 0 <= first <= last <= tensor.shape[0]:
        raise ValueError(
            f"{file.path}: the tensor {quoted(name)} of the shape {quoted(tensor.shape)} has no "
            f"rows {first} to {last}: choose others"
        )
    if len(tensor.shape) == 1:  # one row of blocks
        return read_gguf_tensor(file, name)[first:last]
    row = (tensor.stop - tensor.start) // max(1, tensor.shape[0])  # bytes; whole blocks
    found = _read(file, tensor, tensor.start + first * row, tensor.start + last * row)
    return found.reshape(last - first, tensor.shape[1])


def _readable(file: GGUFFile, name: str) -> GGUFTensor:
    if name not in file.tensors:
        raise ValueError(
            f"{file.path} has no tensor {quoted(name)}; it holds "
            f"{quoted_some(list(file.tensors)) or 'none'}: choose another one"
        )
    tensor = file.tensors[name]
    if tensor.type not in UNPACK:
        raise ValueError(
            f"{file.path}: the tensor {quoted(name)} is of the type {tensor.type}, which cannot "
            f"be read: choose a file with one of {', '.join(UNPACK)}"
        )
    return tensor


def _read(file: GGUFFile, tensor: GGUFTensor, start: int, stop: int) -> np.ndarray:
    """Returns the numbers of a tensor's blocks between two positions in the file."""
    data = read_numbers(file.path, "u1", stop - start, start)
    with np.errstate(
        invalid="ignore"
    ):  # a damaged scale may be infinite; the result is checked later
        return UNPACK[tensor.type](data).ravel()
