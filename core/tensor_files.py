"""Safetensors: opened within limits, read, and written completely or not at all.

The header is checked before it is used; nothing is ever unpickled.

Errors: ValueError, with a remedy, for invalid content; OSError if the disk or the permissions fail.
"""

import math
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from core.files import (
    GET_AGAIN,
    MEGABYTE,
    open_to_read,
    parse_json,
    quoted,
    quoted_some,
    read_numbers,
    replacing,
)

LONGEST_HEADER = 100 * MEGABYTE  # limit of the format
# A header describes each tensor in about 100 bytes and 9 values: enough for 50,000 tensors; the
# largest files have about ten thousand.
MAX_HEADER = 32 * MEGABYTE
MAX_VALUES = 500_000
MAX_DIMENSIONS = 8
LARGEST_SIZE = 1 << 48  # of a dimension, and of a position in the file
# Bytes of one element; BF16 and the 8-bit floats have no NumPy type.
ITEM_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 8),
}


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor of a safetensors file: its dtype ("F32", "BF16"), shape and position."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class TensorFile:
    """A safetensors file whose header was checked; no tensor has been read yet."""

    path: Path
    tensors: Mapping[str, TensorEntry]
    metadata: Mapping[str, str]


def open_safetensors(path: str | Path) -> TensorFile:
    """Reads and checks the header: 8 bytes of length, then JSON that points into the data after it.

    Raises ValueError for a pickle, a truncated file or a header that points outside the file.
    """
    path = Path(path)
    with open_to_read(path) as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(9)
        length = int.from_bytes(start[:8], "little")
        # A header of 640 bytes begins like a pickle (80 02): check for the "{" first.
        if len(start) < 9 or start[8:] != b"{" or not 2 <= length <= LONGEST_HEADER:
            raise ValueError(f"{path} {_what_it_is(start)}")
        if length > size - 8:
            raise ValueError(f"{path} was cut off inside its header: {GET_AGAIN}")
        if length > MAX_HEADER:
            raise ValueError(
                f"{path} has a header of {length:,} bytes, more than the {MAX_HEADER:,} that a "
                f"model can need: {GET_AGAIN}"
            )
        file.seek(8)
        raw = file.read(length)
    about = f"the header of {path}"
    header = parse_json(raw, about, max_values=MAX_VALUES, repeats=False)
    if not isinstance(header, dict):
        raise ValueError(f"{path} has a damaged header: {GET_AGAIN}")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict):
        raise ValueError(f"{path} has damaged metadata: {GET_AGAIN}")
    tensors = {name: _entry(path, name, entry, 8 + length) for name, entry in header.items()}
    needed = 8 + length
    for name, entry in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].stop)):
        if entry.start != needed:
            raise ValueError(
                f"{path}: {quoted(name)} overlaps another tensor or leaves a gap: {GET_AGAIN}"
            )
        needed = entry.stop
    if needed > size:
        raise ValueError(
            f"{path} was cut off: its header promises {needed:,} bytes, the file has {size:,}; "
            f"{GET_AGAIN}"
        )
    if needed < size:
        raise ValueError(f"{path} has {size - needed:,} bytes nobody described: {GET_AGAIN}")
    return TensorFile(path, tensors, {str(key): str(text) for key, text in metadata.items()})


def is_pickle(path: str | Path) -> bool:
    """Returns True if a file begins as a pickle, or as the archive in which torch keeps one,
    whatever its name says; False for a file that cannot be read.
    """
    try:
        with open_to_read(path) as file:
            return _begins_a_pickle(file.read(4))
    except (OSError, ValueError):
        return False


def _begins_a_pickle(start: bytes) -> bool:
    return start.startswith(b"PK") or (len(start) > 1 and start[0] == 0x80 and start[1] <= 5)


def _what_it_is(start: bytes) -> str:
    if not start:
        return f"is empty: {GET_AGAIN}"
    if _begins_a_pickle(start):
        return (
            "is a pickle (a torch.save file), whatever its name says; a pickle can run any code, "
            "so it is never opened: convert it to safetensors where you trust it"
        )
    if start.startswith(b"GGUF"):
        return "is a GGUF file, not safetensors: open it as a GGUF model"
    return f"is not a safetensors file: {GET_AGAIN}"


def _entry(path: Path, name: str, entry: object, data: int) -> TensorEntry:
    """Checks one header entry; `data` is the start of the tensors' bytes."""
    given = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = (given.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not _are_sizes(shape, MAX_DIMENSIONS) or not _are_sizes(offsets, 2) or len(offsets) != 2:
        raise _wrong(path, name)
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise ValueError(
            f"{path}: the tensor {quoted(name)} has the type {quoted(dtype)}, which is not known: "
            "convert it to F32 or BF16"
        )
    if offsets[1] - offsets[0] != math.prod(shape) * ITEM_BYTES[dtype]:
        raise _wrong(path, name)
    return TensorEntry(dtype, tuple(shape), data + offsets[0], data + offsets[1])


def _wrong(path: Path, name: str) -> ValueError:
    return ValueError(f"{path} describes the tensor {quoted(name)} wrongly: {GET_AGAIN}")


def _are_sizes(value: Any, most: int) -> TypeGuard[list[int]]:
    """Returns True for a list of at most `most` valid sizes. Without this check, multiplying
    200,000 large numbers would take an hour.
    """
    return (
        isinstance(value, list)
        and len(value) <= most
        and all(type(size) is int and 0 <= size < LARGEST_SIZE for size in value)
    )


def read_tensors(
    path: str | Path,
    names: Sequence[str] | None = None,
    framework: str = "numpy",
    max_bytes: int | None = None,
    rows: Mapping[str, tuple[int, int]] | None = None,
) -> dict[str, Any]:
    """Reads all tensors, or the named ones: NumPy arrays, or torch tensors on the CPU. For tensors
    in `rows`, reads only rows from a first one to before a last one.

    NumPy has no bfloat16: such a tensor becomes float32, which represents every bfloat16 exactly;
    open_safetensors(path).tensors[name].dtype gives the original type.

    Raises ValueError for a damaged file, an unknown name, tensors of more than max_bytes together,
    or another framework.
    """
    from safetensors import SafetensorError, safe_open

    if framework not in ("numpy", "torch"):
        raise ValueError(f'framework {framework!r} is not known: choose "numpy" or "torch"')
    checked = open_safetensors(path)
    wanted = list(checked.tensors) if names is None else list(names)
    missing = [name for name in wanted if name not in checked.tensors]
    if missing:
        raise ValueError(
            f"{path} has no tensor {quoted(missing[0])}; it holds "
            f"{quoted_some(list(checked.tensors)) or 'none'}: choose another one"
        )
    size = sum(checked.tensors[name].stop - checked.tensors[name].start for name in wanted)
    if max_bytes is not None and size > max_bytes:
        raise ValueError(
            f"{path} holds {size:,} bytes of tensors, more than the {max_bytes:,} that such a file "
            "can need: choose another file"
        )
    tensors = {}
    try:
        with safe_open(path, framework=framework) as file:
            for name in wanted:
                dtype = checked.tensors[name].dtype
                part = (rows or {}).get(name)
                if framework == "numpy" and dtype == "BF16":
                    tensors[name] = _widened(checked, name, part)
                elif framework == "numpy" and dtype.startswith("F8"):
                    raise ValueError(
                        f"{path}: NumPy has no type for {quoted(name)} ({quoted(dtype)}): read it "
                        "with torch"
                    )
                elif part is not None:
                    tensors[name] = file.get_slice(name)[slice(*part)]
                else:
                    tensors[name] = file.get_tensor(name)
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}): {GET_AGAIN}") from error
    return tensors


def _widened(file: TensorFile, name: str, rows: tuple[int, int] | None) -> np.ndarray:
    """Returns a bfloat16 tensor, or some of its rows, as float32."""
    shape = file.tensors[name].shape
    read = read_rows(file, name, *(rows or (0, math.prod(shape[:1]))))
    return read if shape else read.reshape(())


# The format of a weight's numbers in the file; a bfloat16 is the upper half of a float32.
WEIGHT_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


def read_rows(file: TensorFile, name: str, first: int, last: int) -> np.ndarray:
    """Returns rows `first` to before `last` of one tensor, as float32, without reading the rest.

    Raises ValueError for an unknown name or rows out of range, and for types other than floats of
    16 bits or more.
    """
    entry = file.tensors.get(name)
    if entry is None:
        raise ValueError(f"{file.path} has no tensor {quoted(name)}: choose another one")
    if entry.dtype not in WEIGHT_TYPES:
        raise ValueError(
            f"{file.path}: the tensor {quoted(name)} is of the type {quoted(entry.dtype)}, and a "
            f"weight is one of {', '.join(WEIGHT_TYPES)}: convert it to one of them"
        )
    shape = entry.shape or (1,)
    if not 0 <= first <= last <= shape[0]:
        raise ValueError(
            f"{file.path}: the tensor {quoted(name)} of the shape {quoted(entry.shape)} has no "
            f"rows {first} to {last}: choose others"
        )
    row = math.prod(shape[1:])  # numbers
    place = entry.start + first * row * ITEM_BYTES[entry.dtype]
    kind, count = WEIGHT_TYPES[entry.dtype], (last - first) * row
    found = read_numbers(file.path, kind, count, place)
    if entry.dtype == "BF16":
        found = (found.astype(np.uint32) << 16).view(np.float32)
    with np.errstate(over="ignore"):  # a number beyond float32 becomes infinite
        return found.astype(np.float32, copy=False).reshape(last - first, *shape[1:])


@contextmanager
def _disk_errors(path: str | Path) -> Iterator[None]:
    """Turns the library's disk errors into OSErrors, with the system's number and text."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        told = re.search(r"\(os error (\d+)\)", str(error))
        if told is None:
            raise
        number = int(told[1])
        raise OSError(number, os.strerror(number), str(path)) from error


def write_tensors(
    path: str | Path, tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes NumPy arrays or torch tensors (all of one kind) as safetensors, all or nothing.

    Raises ValueError if both kinds are mixed, and if two torch tensors share memory: a tied weight
    is saved once.
    """
    torch = sys.modules.get("torch")
    about = dict(metadata) if metadata else None  # {} makes the library write a broken header
    with replacing(path) as temporary:
        if torch is not None and any(isinstance(value, torch.Tensor) for value in tensors.values()):
            from safetensors.torch import save_file as save_torch

            if not all(isinstance(value, torch.Tensor) for value in tensors.values()):
                raise ValueError("torch tensors and other arrays are mixed: convert one kind")
            whole = {name: value.detach().contiguous() for name, value in tensors.items()}
            try:
                with _disk_errors(path):
                    save_torch(whole, temporary, metadata=about)
            except RuntimeError as error:
                if "share memory" not in str(error):
                    raise
                raise ValueError(
                    "two tensors share memory: save a tied weight under one name only"
                ) from error
        else:
            from safetensors.numpy import save_file as save_numpy

            arrays = {name: np.asarray(value, order="C") for name, value in tensors.items()}
            with _disk_errors(path):
                save_numpy(arrays, temporary, metadata=about)
