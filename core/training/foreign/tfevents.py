"""TensorBoard event files: scalars, read without TensorBoard.

A file is a sequence of records (TensorFlow's record format):

    length  8 bytes, little-endian      check  4 bytes: masked CRC-32C of the length
    data    `length` bytes              check  4 bytes: masked CRC-32C of the data

Each record's data is a protobuf message, `Event`, of which this reads (tensorflow/core/util/
event.proto, framework/summary.proto and tensor.proto)

    Event        1 wall_time double, 2 step int64, 3 file_version, 5 summary, 7 session_log
    Summary      1 value, repeated
    Value        1 tag, 2 simple_value float, 8 tensor
    TensorProto  1 dtype, 4 tensor_content, 5 float_val, 6 double_val
    SessionLog   1 status: 1 is START

Histograms, images, texts and graphs are skipped.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from core.files import GET_AGAIN, MEGABYTE, open_to_read
from core.training.foreign.series import LAST_STEP, Collector, Log

MARK = "tfevents"  # in the name of every event file
MOST_BYTES = 512 * MEGABYTE  # of one file
MOST_RECORDS = 1_000_000  # of one file, and values in them
MOST_READ = MEGABYTE  # a larger record holds images or a graph and is skipped unread
MOST_FIELDS = 100  # of a message; Event and Value have fewer than ten
MOST_FILES = 1000
HEADER = struct.Struct("<QI")
CHECK = struct.Struct("<I")
DOUBLE, FLOAT = struct.Struct("<d"), struct.Struct("<f")
VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5  # protobuf's wire types
START = 1  # status of a session: the run was resumed
OF_DTYPE = {1: FLOAT, 2: DOUBLE}  # TensorFlow's numbers for float32 and float64


def _crc_table() -> tuple[int, ...]:
    """Returns the CRC-32C (Castagnoli) of every byte; polynomial 0x1EDC6F41, bit-reversed."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_TABLE = _crc_table()


def crc32c(data: bytes) -> int:
    """Returns the CRC-32C checksum: RFC 3720, appendix B.4."""
    table, crc = _TABLE, 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def masked_crc(data: bytes) -> int:
    """Returns the checksum as records store it: rotated by 15 bits plus a constant, because the CRC
    of data that contains its own CRC is unreliable.
    """
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def event_files(folder: Path) -> list[Path]:
    """Returns the event files of a folder, the oldest first: their names begin with the time."""
    return sorted(path for path in folder.iterdir() if MARK in path.name and path.is_file())


class EventLog:
    """The event files of a run's folder, or one of them; each read continues the previous one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._begin()

    def _begin(self) -> None:
        self._collector = Collector(self.path)
        self._files: dict[Path, _EventFile] = {}

    def files(self) -> list[Path]:
        """Raises ValueError, with a remedy, for too many."""
        found = event_files(self.path) if self.path.is_dir() else [self.path]
        if len(found) > MOST_FILES:
            raise ValueError(
                f"{self.path} holds {len(found):,} event files, more than {MOST_FILES:,}: open a "
                "folder with fewer"
            )
        return found

    def read(self) -> Log:
        """Raises ValueError, with a remedy, for a file that is not an event file."""
        files = self.files()
        if any(file.is_another for file in self._files.values()):
            self._begin()
        for path in files:
            self._files.setdefault(path, _EventFile(path)).read(self._collector)
        damaged = sum(file.damaged for file in self._files.values())
        return Log(self._collector.series(), damaged)


class _EventFile:
    """One growing file; a torn last record is read once complete."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._records = 0
        self._left_out = 0
        self._broken = False
        self._sound: set[bytes] = set()  # headers with a correct checksum

    @property
    def damaged(self) -> int:
        """Number of records left out; all after a damaged length count as one."""
        return self._left_out + self._broken

    @property
    def is_another(self) -> bool:
        """Whether the file is gone or has shrunk: earlier results are no longer valid."""
        return not self.path.exists() or self.path.stat().st_size < self._offset

    def read(self, into: Collector) -> None:
        with open_to_read(self.path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MOST_BYTES:
                raise ValueError(
                    f"{self.path} holds {size:,} bytes, more than the {MOST_BYTES:,} that are read "
                    "of an event file: choose another, or log scalars alone"
                )
            file.seek(self._offset)
            while not self._broken and self._next(file, size, into):
                if self._records > MOST_RECORDS:
                    raise ValueError(
                        f"{self.path} holds more than {MOST_RECORDS:,} records: choose another, or "
                        "log less often"
                    )

    def _next(self, file: BinaryIO, size: int, into: Collector) -> bool:
        """Reads a complete record; returns False if there is none yet, or the file is broken."""
        header = file.read(HEADER.size)
        if len(header) < HEADER.size:
            return False
        length, check = HEADER.unpack(header)
        if header not in self._sound:  # most records have one of a few lengths
            if masked_crc(header[:8]) != check:
                if self._offset == 0:
                    raise ValueError(f"{self.path} is no TensorBoard event file: {GET_AGAIN}")
                self._broken = True
                return False
            if len(self._sound) < 1000:
                self._sound.add(header)
        end = self._offset + HEADER.size + length + CHECK.size
        if end > size:
            return False
        if length > MOST_READ:
            file.seek(end)
        else:
            self._take(file.read(length), file.read(CHECK.size), into)
        self._offset = end
        return True

    def _take(self, data: bytes, check: bytes, into: Collector) -> None:
        """Adds a record's numbers. Only used records are checked: a checksum in Python is slow."""
        self._records += 1
        try:
            event = _Event(data)
        except ValueError:
            self._left_out += 1
            return
        self._records += event.values
        if not event.scalars and not event.starts:
            return
        if CHECK.pack(masked_crc(data)) != check or not 0 <= event.step < LAST_STEP:
            self._left_out += 1
            return
        if event.starts:
            into.drop_from(event.step)
        for tag, value in event.scalars:
            into.add(tag, event.step, value, event.time)


class _Event:
    """A record's data: its time and step, its numbers by tag, and whether a session starts.

    `values` counts all of its values, of any type. Raises ValueError for an invalid message.
    """

    def __init__(self, data: bytes) -> None:
        self.time, self.step, self.starts, self.values = math.nan, 0, False, 0
        self.scalars: list[tuple[str, float]] = []
        for number, wire, value in _fields(data, MOST_FIELDS):
            if number == 1 and wire == EIGHT_BYTES:
                (self.time,) = DOUBLE.unpack(value)
            elif number == 2 and wire == VARINT:
                self.step = value
            elif number == 5 and wire == BYTES:
                self._summary(value)
            elif number == 7 and wire == BYTES:
                self.starts = (1, VARINT, START) in _fields(value, MOST_FIELDS)

    def _summary(self, data: bytes) -> None:
        for number, wire, value in _fields(data, MOST_RECORDS):
            if number == 1 and wire == BYTES:
                self.values += 1
                if (found := _scalar(value)) is not None:
                    self.scalars.append(found)


def _scalar(data: bytes) -> tuple[str, float] | None:
    """Returns tag and number of a summary's value; None for anything but one number."""
    tag, number = "", None
    for at, wire, value in _fields(data, MOST_FIELDS):
        if at == 1 and wire == BYTES:
            tag = value.decode("utf-8", "replace")
        elif at == 2 and wire == FOUR_BYTES:
            (number,) = FLOAT.unpack(value)
        elif at == 8 and wire == BYTES:
            number = _tensor_number(value)
    return None if number is None else (tag, number)


def _tensor_number(data: bytes) -> float | None:
    """Returns the number of a tensor that holds one, as TensorFlow 2 writes scalars."""
    dtype, content = 0, b""
    for at, wire, value in _fields(data, MOST_FIELDS):
        if at == 1 and wire == VARINT:
            dtype = value
        elif at in (4, 5, 6) and wire in (BYTES, FOUR_BYTES, EIGHT_BYTES):
            content = value  # float_val and double_val: packed or one alone, the same bytes
    form = OF_DTYPE.get(dtype)
    if form is None or len(content) != form.size:
        return None
    number: float = form.unpack(content)[0]
    return number


def _fields(data: bytes, most: int) -> Iterator[tuple[int, int, Any]]:
    """Yields number, wire type and value of each field of a protobuf message.

    Raises ValueError for a message that ends within a field, an unknown wire type, and more than
    `most` fields.
    """
    at, end = 0, len(data)
    for _ in range(most):
        if at >= end:
            return
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = _varint(data, at)
            yield number, wire, value
            continue
        if wire == BYTES:
            size, at = _varint(data, at)
        elif wire in (EIGHT_BYTES, FOUR_BYTES):
            size = 8 if wire == EIGHT_BYTES else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + size > end:
            raise ValueError("a field has no end")
        yield number, wire, data[at : at + size]
        at += size
    if at < end:
        raise ValueError(f"more than {most} fields")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Returns a whole number of up to 64 bits, 7 per byte, and the position after it."""
    if at < len(data) and data[at] < 0x80:  # most take one byte
        return data[at], at + 1
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at
    raise ValueError("a number has no end")
