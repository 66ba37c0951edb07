"""Reading files that strangers made, and writing files that a power cut cannot tear.

Everything read here is bounded before it is trusted: JSON by its size and depth, safetensors by its
header. Nothing is ever unpickled. Everything written is first written beside its place and then
moved into it, so a reader finds the old file or the new one, never half of one.

Errors: ValueError, with the remedy, for a file that is not what it should be; OSError where the
disk or the rights fail.
"""

import errno
import json
import math
import os
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

MEGABYTE = 1 << 20
MAX_HEADER = 100 * MEGABYTE  # the safetensors format's own limit
GET_AGAIN = "get the file again, or choose another one"

# Bytes of one element; BF16 and the 8-bit floats have no NumPy type.
ITEM_BYTES = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2"), 1),
    **dict.fromkeys(("U16", "I16", "F16", "BF16"), 2),
    **dict.fromkeys(("U32", "I32", "F32"), 4),
    **dict.fromkeys(("U64", "I64", "F64", "C64"), 8),
}


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Gives a temporary path beside `path`; what was written there replaces `path` at the end.

    When the block fails the temporary file is removed and the old file is as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        temporary.touch(exist_ok=False)
        yield temporary
        temporary.chmod(_mode_for(path))  # some libraries write for the owner's eyes only
        _flush_to_disk(temporary)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _flush_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _mode_for(path: Path) -> int:
    """The rights of the file that is replaced; those of any new file where there is none."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def write_atomically(path: str | Path, content: bytes | str) -> None:
    """Writes a whole file (text as UTF-8), or leaves the old one as it was and raises OSError."""
    data = content.encode() if isinstance(content, str) else content
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: str | Path, value: object, indent: int | None = 2) -> None:
    """Writes JSON as UTF-8, whole or not at all."""
    write_atomically(path, json.dumps(value, indent=indent, ensure_ascii=False) + "\n")


def read_json(path: str | Path, max_bytes: int = 64 * MEGABYTE, max_depth: int = 32) -> Any:
    """Reads a JSON file of at most max_bytes, nested at most max_depth deep.

    Raises ValueError that says what is wrong with the file and what to do.
    """
    path = Path(path)
    size = path.stat().st_size
    if size == 0:
        raise ValueError(f"{path} is empty, but should hold JSON: {GET_AGAIN}")
    if size > max_bytes:
        raise ValueError(
            f"{path} holds {size:,} bytes, more than the {max_bytes:,} that such a file can need: "
            "choose another file"
        )
    try:
        value = json.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text, so it is not JSON: {GET_AGAIN}") from None
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path} is not valid JSON ({error.msg}, line {error.lineno}): it may have been cut "
            f"off; {GET_AGAIN}"
        ) from None
    except RecursionError:
        raise ValueError(f"{path} is nested too deep: {GET_AGAIN}") from None
    except ValueError:  # a number of thousands of digits
        raise ValueError(f"{path} holds a number too long to read: {GET_AGAIN}") from None
    level = [value]
    for _ in range(max_depth):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return value
    raise ValueError(f"{path} is nested more than {max_depth} deep: {GET_AGAIN}")


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def append_line(path: str | Path, value: object) -> None:
    """Adds one line of JSON with a single write, so that readers and other writers see whole lines.

    Raises OSError when the disk takes only a part of it; that part is cut off again.
    """
    line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, 0o666)
    try:
        written = os.write(handle, line)
        if written < len(line):
            end = os.lseek(handle, 0, os.SEEK_CUR)
            if end == os.fstat(handle).st_size:
                os.ftruncate(handle, end - written)
            raise OSError(errno.ENOSPC, f"only {written} of {len(line)} bytes fit", str(path))
    finally:
        os.close(handle)


def cut_torn_line(path: str | Path) -> int:
    """Removes a last line that has no end, as a crash leaves it; returns how many bytes went."""
    path = Path(path)
    if not path.exists():
        return 0
    with path.open("r+b") as file:
        size = keep = file.seek(0, os.SEEK_END)
        while keep > 0:
            start = max(0, keep - 65536)
            file.seek(start)
            newline = file.read(keep - start).rfind(b"\n")
            keep = start + newline + 1
            if newline >= 0:
                break
        if keep < size:  # else others may have added a line since
            file.truncate(keep)
        return size - keep


@dataclass(frozen=True, slots=True)
class TensorEntry:
    """One tensor of a safetensors file: its dtype ("F32", "BF16"), shape and place in the file."""

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
    """Reads and checks the header: 8 bytes of length, JSON, then the data it points into.

    Raises ValueError for a pickle, a truncated file or a header that points outside the file.
    """
    path = Path(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(9)
        length = int.from_bytes(start[:8], "little")
        # A header of 640 bytes begins like a pickle (80 02): look for the "{" before judging.
        if len(start) < 9 or start[8:] != b"{" or not 2 <= length <= MAX_HEADER:
            raise ValueError(f"{path} {_what_it_is(start)}")
        if length > size - 8:
            raise ValueError(f"{path} was cut off inside its header: {GET_AGAIN}")
        file.seek(8)
        raw = file.read(length)
    try:
        header = json.loads(raw)
    except (ValueError, RecursionError):
        raise ValueError(f"{path} has a damaged header: {GET_AGAIN}") from None
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
                f"{path}: {name!r} overlaps another tensor or leaves a gap: {GET_AGAIN}"
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


def _what_it_is(start: bytes) -> str:
    if not start:
        return f"is empty: {GET_AGAIN}"
    if start.startswith(b"PK") or (start[0] == 0x80 and len(start) > 1 and start[1] <= 5):
        return (
            "is a pickle (a torch.save file), whatever its name says; a pickle can run any code, "
            "so it is never opened: convert it to safetensors where you trust it"
        )
    if start.startswith(b"GGUF"):
        return "is a GGUF file, not safetensors: open it as a GGUF model"
    return f"is not a safetensors file: {GET_AGAIN}"


def _entry(path: Path, name: str, entry: object, data: int) -> TensorEntry:
    """Checks one header entry; `data` is where the tensors' bytes begin."""
    wrong = ValueError(f"{path} describes the tensor {name!r} wrongly: {GET_AGAIN}")
    if not isinstance(entry, dict):
        raise wrong
    dtype: Any = entry.get("dtype")
    shape: Any = entry.get("shape")
    offsets: Any = entry.get("data_offsets")
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise wrong
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise ValueError(
            f"{path}: the tensor {name!r} has the type {dtype!r}, which is not known: convert "
            "it to F32 or BF16"
        )
    if offsets[1] - offsets[0] != math.prod(shape) * ITEM_BYTES[dtype]:
        raise wrong
    return TensorEntry(dtype, tuple(shape), data + offsets[0], data + offsets[1])


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and item >= 0 for item in value)


def read_tensors(
    path: str | Path, names: Sequence[str] | None = None, framework: str = "numpy"
) -> dict[str, Any]:
    """Reads all tensors, or those named: NumPy arrays, or torch tensors on the CPU.

    NumPy has no bfloat16: such a tensor comes as float32, which holds every bfloat16 exactly;
    open_safetensors(path).tensors[name].dtype says what it was.

    Raises ValueError for a damaged file, a name that is not in it, or another framework.
    """
    from safetensors import SafetensorError, safe_open

    if framework not in ("numpy", "torch"):
        raise ValueError(f'framework {framework!r} is not known: choose "numpy" or "torch"')
    checked = open_safetensors(path)
    wanted = list(checked.tensors) if names is None else list(names)
    missing = [name for name in wanted if name not in checked.tensors]
    if missing:
        raise ValueError(
            f"{path} has no tensor {missing[0]!r}; it holds {len(checked.tensors)}, "
            f"such as {', '.join(list(checked.tensors)[:3])}"
        )
    tensors = {}
    try:
        with safe_open(path, framework=framework) as file:
            for name in wanted:
                dtype = checked.tensors[name].dtype
                if framework == "numpy" and dtype == "BF16":
                    tensors[name] = _widened(checked, name)
                elif framework == "numpy" and dtype.startswith("F8"):
                    raise ValueError(
                        f"{path}: NumPy has no type for {name!r} ({dtype}): read it with torch"
                    )
                else:
                    tensors[name] = file.get_tensor(name)
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged ({error}): {GET_AGAIN}") from error
    return tensors


def _widened(file: TensorFile, name: str) -> np.ndarray:
    """A bfloat16 tensor as float32: its 16 bits are the upper half of the 32."""
    entry = file.tensors[name]
    count = (entry.stop - entry.start) // 2
    halves = np.fromfile(file.path, dtype="<u2", count=count, offset=entry.start)
    return (halves.astype(np.uint32) << 16).view(np.float32).reshape(entry.shape)


def write_tensors(
    path: str | Path, tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None
) -> None:
    """Writes NumPy arrays or torch tensors (all of one kind) as safetensors, whole or not at all.

    Raises ValueError when both kinds are mixed, and when two torch tensors share memory: a tied
    weight is saved once.
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
            save_numpy(arrays, temporary, metadata=about)
