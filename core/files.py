"""Reads untrusted files, and writes files that a power cut cannot corrupt.

Everything read here is checked against limits first: it must be a regular file, not a pipe or
device, of limited size, and JSON must also have limited counts of values, depth and digits.
Everything written goes to a temporary file first and is then renamed, so a reader finds the old
file or the new one, never half of one.

Errors, all with a remedy: ValueError for invalid content; OSError if the disk or the permissions
fail.
"""

import errno
import json
import math
import os
import reprlib
import secrets
import shutil
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any

import numpy as np

MEGABYTE = 1 << 20
GET_AGAIN = "get the file again, or choose another one"
LONGEST_SHOWN = 1000  # characters of a path
QUOTED = 40  # characters of a file's content that an error message shows
BEGINNING, END = 12, 27  # how many of them come from either end of a longer text
LONG_NUMBER = 10**20  # whole numbers from here on are shown by their number of digits


def quoted(value: object) -> str:
    """Returns a short form of a value from a file, which may have millions of characters.

    A long text keeps more of its end than of its beginning, since paths end in the file's name.

    >>> quoted("/home/mira/models/stories-3/checkpoints/step-000100/tokenizer.json")
    "'/home/mira/m…/step-000100/tokenizer.json' (66 characters)"
    >>> quoted(10**6000)
    'a number of 6,001 digits'
    """
    if isinstance(value, str | bytes):
        if len(value) <= QUOTED:
            return repr(value)
        if isinstance(value, bytes):
            return f"{value[:BEGINNING] + b'...' + value[-END:]!r} ({len(value):,} bytes)"
        return f"{value[:BEGINNING] + '…' + value[-END:]!r} ({len(value):,} characters)"
    if type(value) is int:
        return (
            f"{value:,}" if abs(value) < LONG_NUMBER else f"a number of {_digits(value):,} digits"
        )
    text = _SHORT.repr(value)
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}…"


def _digits(value: int) -> int:
    """Returns its number of decimal digits, give or take one: Python refuses to print thousands."""
    return int(value.bit_length() * math.log10(2)) + 1


class _Short(reprlib.Repr):
    """Python's own, with nested and endless values shortened for an error message."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxlist, self.maxtuple, self.maxdict = 4, QUOTED, QUOTED, QUOTED
        self.maxstring = self.maxother = 3 * QUOTED  # of longer ones it shows both ends

    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if abs(x) < LONG_NUMBER else quoted(x)


_SHORT = _Short()


def quoted_some(names: Sequence[str]) -> str:
    """Returns the first three of a file's names, and the number of others.

    >>> quoted_some(["a", "b", "c", "d", "e"])
    "'a', 'b', 'c' and 2 more"
    """
    rest = len(names) - 3
    return ", ".join(map(quoted, names[:3])) + (f" and {rest:,} more" if rest > 0 else "")


MAY_WRITE = "choose a folder that you may write to"
NOT_WRITTEN = {
    errno.ENOSPC: "make room on the disk, or choose another folder",
    errno.EDQUOT: "make room on the disk, or choose another folder",
    errno.EFBIG: "allow larger files (ulimit -f), or choose a folder on another disk",
    errno.EROFS: MAY_WRITE,
    errno.EACCES: MAY_WRITE,
    errno.EPERM: MAY_WRITE,
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EISDIR: "choose another name",
    errno.ENOTDIR: "choose another folder",
    errno.EEXIST: "choose another folder",
}


def not_written(path: Path, error: OSError) -> OSError:
    """Returns the same error about the file that the user knows, with a remedy; an error that
    already has one is returned unchanged.
    """
    if not error.strerror and error.errno is not None:
        return error
    remedy = NOT_WRITTEN.get(error.errno or 0, MAY_WRITE)
    why = error.strerror or error
    told = type(error)(f"{named(path)} cannot be written ({why}): {remedy}")
    told.errno = error.errno
    return told


def is_about_writing(error: OSError) -> bool:
    """Returns True if only writing can cause the error, even if files were also read."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Raises each OSError of the block as one about writing `path`, with a remedy."""
    try:
        yield
    except OSError as error:
        raise not_written(Path(path), error) from error


def not_read(path: Path, error: OSError) -> str:
    """Returns why a file chosen by the user cannot be read, with a remedy."""
    if isinstance(error, FileNotFoundError):
        return f"there is no {named(path)}: choose another file"
    why = error.strerror or error
    return f"{named(path)} cannot be read ({why}): choose a file that you may read"


def named(path: Path) -> str:
    """Returns a path as a message shows it: of one that no system allows, both ends."""
    return str(path) if len(str(path)) <= LONGEST_SHOWN else quoted(str(path))


def check_path(path: str | Path) -> None:
    """Raises ValueError for a path that no file can have: one with a zero byte."""
    if "\0" in str(path):
        raise ValueError(f"{quoted(str(path))} is no path of a file: choose another one")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yields a temporary path in the same folder; its file replaces `path` at the end.

    If the block fails, the temporary file is removed and the old file is unchanged. Raises OSError
    if the disk or the permissions fail.
    """
    check_path(path)
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
        # The replaced file's permissions, or those that the system gave to this new one: some
        # libraries put a file there that only its owner can read.
        kept = (path if path.exists() else temporary).stat().st_mode & 0o777
        yield temporary
        temporary.chmod(kept)
        _flush_to_disk(temporary)
        os.replace(temporary, path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and _is_about(error, temporary, path):
            raise not_written(path, error) from error
        raise


def _is_about(error: OSError, temporary: Path, path: Path) -> bool:
    """Returns True if the error is about the file being written, not one that the block reads."""
    if not isinstance(error.filename, str | Path):
        return error.filename is None
    return Path(error.filename) in (temporary, path, *path.parents)


def _flush_to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: str | Path, content: bytes | str) -> None:
    """Writes a whole file (text as UTF-8), or leaves the old one unchanged and raises OSError."""
    data = content.encode() if isinstance(content, str) else content
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: str | Path, value: object, indent: int | None = 2) -> None:
    """Writes JSON as UTF-8, completely or not at all."""
    write_atomically(path, json.dumps(value, indent=indent, ensure_ascii=False) + "\n")


# -- reading untrusted files --------------------------------------------------------------------

# Limits on a JSON file. Bytes alone are not enough: 60 MB of "[]," are twenty million lists, which
# take 1.5 GB and nine seconds.
MAX_BYTES = 64 * MEGABYTE
MAX_VALUES = 1_000_000  # the app's own files have a few thousand
MAX_DEPTH = 32
MAX_DIGITS = 1000  # of a whole number: reading takes time quadratic in its length


def open_file(path: str | Path, flags: int = 0) -> int:
    """Opens a regular file for reading, or with `flags` of `os.open`; returns its handle.

    Rejects pipes, which would block, and devices, which may have no end.

    Raises ValueError for these and for a folder, and OSError, with a remedy, for a missing file or
    missing permission.
    """
    check_path(path)
    try:
        _check_is_file(path, os.stat(path).st_mode)
        # Another file may have taken its place: opens without blocking, and checks again.
        without_waiting = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        handle = os.open(path, (flags or os.O_RDONLY) | without_waiting, 0o666)
    except OSError as error:
        if flags:
            raise not_written(Path(path), error) from error
        raise _not_read(path, error) from error
    try:
        _check_is_file(path, os.fstat(handle).st_mode)
    except ValueError:
        os.close(handle)
        raise
    return handle


def _check_is_file(path: str | Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        remedy = "put the file itself there, or choose another one"
        raise ValueError(f"{path} is {what}, not a file: {remedy}")


def _not_read(path: str | Path, error: OSError) -> OSError:
    told = type(error)(not_read(Path(path), error))
    told.errno = error.errno
    return told


class _Reading(FileIO):
    """A file whose errors have a remedy: not every file that opens gives its content."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(open_file(path))
        self._path = path

    def readinto(self, buffer: Any) -> int:
        try:
            count = super().readinto(buffer)
            if count is None:  # the system's log, with nothing new in it
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        except OSError as error:
            raise _not_read(self._path, error) from error
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except OSError as error:
            raise _not_read(self._path, error) from error

    def readall(self) -> bytes:
        try:
            content = super().readall()
        except OSError as error:
            raise _not_read(self._path, error) from error
        return content or b""


def open_to_read(path: str | Path) -> BufferedReader:
    """Opens a file for reading bytes. Raises as `open_file`, and so does reading."""
    return BufferedReader(_Reading(path))


def copy_file(source: str | Path, target: str | Path) -> None:
    """Copies a file to a new one. Raises as `open_file`, and FileExistsError."""
    with open_to_read(source) as file, writing(target), open(target, "xb") as copy:
        shutil.copyfileobj(file, copy)


def names_in(folder: str | Path) -> list[str]:
    """Returns the names in a folder; none if there is no such folder or it cannot be listed."""
    try:
        return os.listdir(folder)
    except (OSError, ValueError):
        return []


def read_numbers(path: str | Path, dtype: str, count: int, offset: int) -> np.ndarray:
    """Reads `count` numbers from a position in a file on. Raises ValueError if there are fewer, and
    as `open_file`.
    """
    with open_to_read(path) as file:
        found = np.fromfile(file, dtype, count, offset=offset)
    if len(found) < count:
        raise ValueError(f"{path} was cut off while it was read: {GET_AGAIN}")
    return found


def mapped(
    path: str | Path, dtype: Any, max_bytes: int | None = None, remedy: str = GET_AGAIN
) -> np.ndarray:
    """Returns the whole records in a growing file, (n,), without reading them. Raises ValueError if
    it holds more than max_bytes, and as `open_file`.
    """
    kind = np.dtype(dtype)
    with open_to_read(path) as file:
        size = file.seek(0, os.SEEK_END)
        if max_bytes is not None and size > max_bytes:
            raise ValueError(
                f"{path} holds {size:,} bytes, more than the {max_bytes:,} that are read of such a "
                f"file: {remedy}"
            )
        count = size // kind.itemsize
        return np.memmap(file, kind, "r", shape=(count,)) if count else np.empty(0, kind)


def read_bytes(path: str | Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Reads a whole nonempty file of at most max_bytes. Raises ValueError or OSError."""
    with open_to_read(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise ValueError(f"{path} is empty: {GET_AGAIN}")
        if size > max_bytes:
            raise ValueError(
                f"{path} holds {size:,} bytes, more than the {max_bytes:,} that such a file can "
                "need: choose another file"
            )
        return file.read(size)  # no more, even if it is growing


def read_text(path: str | Path, max_bytes: int = MAX_BYTES) -> str:
    """Reads a whole UTF-8 text file, with or without a byte order mark. Raises as `read_bytes`."""
    return _text_of(read_bytes(path, max_bytes), path)


def read_json(
    path: str | Path,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_values: int = MAX_VALUES,
) -> Any:
    """Reads a JSON file within limits on bytes, depth of nesting and count of values.

    Raises ValueError, with the problem and a remedy, and OSError.
    """
    return parse_json(read_bytes(path, max_bytes), path, max_depth, max_values)


def parse_json(
    content: bytes,
    source: object,
    max_depth: int = MAX_DEPTH,
    max_values: int = MAX_VALUES,
    *,
    repeats: bool = True,
) -> Any:
    """Parses UTF-8 JSON, nested at most max_depth deep, with at most max_values values.

    repeats  whether an object may name a key twice: the last one counts

    Raises ValueError with the problem, a remedy, and `source`, the name of its origin.
    """
    if holds_more_values(content, max_values):
        raise ValueError(
            f"{source} holds more than {max_values:,} values, which no such file needs: {GET_AGAIN}"
        )
    text = _text_of(content, source)
    try:
        pairs = None if repeats else _different
        value = json.loads(text, parse_int=_whole_number, object_pairs_hook=pairs)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ValueError(
            f"{source} is not valid JSON ({error.msg}, {where}): it may have been cut off; "
            f"{GET_AGAIN}"
        ) from None
    except RecursionError:
        raise ValueError(f"{source} is nested too deep: {GET_AGAIN}") from None
    except _Repeated as error:
        raise ValueError(f"{source} describes {quoted(error.key)} twice: {GET_AGAIN}") from None
    except ValueError:  # from _whole_number
        raise ValueError(f"{source} holds a number too long to read: {GET_AGAIN}") from None
    level = [value]
    for _ in range(max_depth):
        level = [inner for outer in level for inner in _containers(outer)]
        if not level:
            return value
    raise ValueError(f"{source} is nested more than {max_depth} deep: {GET_AGAIN}")


def holds_more_values(content: bytes, most: int) -> bool:
    """Returns True if JSON has more than `most` values, before creating any: one after each comma
    and each bracket. An object counts three times, as it takes as much memory.
    """

    def count(json: bytes) -> int:
        return json.count(b",") + json.count(b"[") + 3 * json.count(b"{")

    return count(content) > most and sum(map(count, _outside_texts(content))) > most


def _outside_texts(content: bytes) -> Iterator[bytes]:
    """Yields JSON without its strings, in parts: strings lie between unescaped quotes."""
    json, quotes = content.replace(b"\\\\", b"").replace(b'\\"', b""), 0
    for start in range(0, len(json), MEGABYTE):
        part = np.frombuffer(json[start : start + MEGABYTE], np.uint8)
        so_far = quotes + np.cumsum(part == ord('"'))
        quotes = int(so_far[-1])
        yield part[so_far % 2 == 0].tobytes()


class _Repeated(ValueError):
    """A key that an object names twice."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def _different(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Repeated(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return found


def _whole_number(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError
    return int(digits)


def _containers(value: object) -> list[Any]:
    """Returns the lists and objects directly inside a value."""
    if isinstance(value, dict):
        return [inner for inner in value.values() if isinstance(inner, dict | list)]
    if isinstance(value, list):
        return [inner for inner in value if isinstance(inner, dict | list)]
    return []


def _text_of(content: bytes, source: object) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{source} is not text in UTF-8 (byte {error.start:,}): {GET_AGAIN}"
        ) from None


def open_to_append(path: str | Path) -> int:
    """Returns a handle that appends to a file, which is created if missing.

    Raises ValueError for a pipe, a device or a folder, and OSError if the disk or the permissions
    fail.
    """
    check_path(path)
    with writing(path), suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    return open_file(path, os.O_WRONLY | os.O_APPEND)


def append_line(path: str | Path, value: object) -> None:
    """Appends one line of JSON in a single write, so that other processes see whole lines.

    Raises OSError, with a remedy, if the disk accepts only a part; that part is removed again.
    """
    line = json.dumps(value, separators=(",", ":")).encode() + b"\n"
    handle = open_to_append(path)
    try:
        with writing(path):
            _append_whole(handle, line)
    finally:
        os.close(handle)


def _append_whole(handle: int, line: bytes) -> None:
    written = 0
    try:
        while written < len(line):  # after a partial write, the next one raises the reason
            written += os.write(handle, line[written:])
    except OSError:
        end = os.lseek(handle, 0, os.SEEK_CUR)
        if written and end == os.fstat(handle).st_size:
            os.ftruncate(handle, end - written)
        raise


def cut_torn_line(path: str | Path) -> int:
    """Removes an incomplete last line, left by a crash; returns how many bytes were removed."""
    path = Path(path)
    if not path.exists():
        return 0
    with os.fdopen(open_file(path, os.O_RDWR), "r+b") as file:
        size = keep = file.seek(0, os.SEEK_END)
        while keep > 0:
            start = max(0, keep - 65536)
            file.seek(start)
            newline = file.read(keep - start).rfind(b"\n")
            keep = start + newline + 1
            if newline >= 0:
                break
        if keep < size:  # otherwise others may have appended a line since
            file.truncate(keep)
        return size - keep
