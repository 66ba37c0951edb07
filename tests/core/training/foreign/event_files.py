"""Writes TensorBoard event files, independently of what reads them: bit by bit, no table."""

from __future__ import annotations

import struct
from pathlib import Path


def crc32c(data: bytes) -> int:
    """Long division by the polynomial, a bit at a time."""
    crc = 0xFFFFFFFF
    for bit in (byte >> place & 1 for byte in data for place in range(8)):
        crc = crc >> 1 ^ (0x82F63B78 if (crc ^ bit) & 1 else 0)
    return crc ^ 0xFFFFFFFF


def check(data: bytes) -> bytes:
    crc = crc32c(data)
    turned = (crc >> 15) | (crc << 17 & 0xFFFFFFFF)
    return struct.pack("<I", (turned + 0xA282EAD8) % (1 << 32))


def record(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return length + check(length) + data + check(data)


def varint(value: int) -> bytes:
    value %= 1 << 64  # a negative number has ten bytes
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def of_bytes(number: int, data: bytes) -> bytes:
    """A field that holds bytes, a text or another message."""
    return varint(number << 3 | 2) + varint(len(data)) + data


def event(step: int, body: bytes = b"", time: float = 0.0) -> bytes:
    return b"\x09" + struct.pack("<d", time) + b"\x10" + varint(step) + body


def scalar(tag: str, value: float) -> bytes:
    """As torch writes it: a summary with a simple_value."""
    return of_bytes(5, of_bytes(1, of_bytes(1, tag.encode()) + b"\x15" + struct.pack("<f", value)))


def tensor(tag: str, value: float, double: bool = False) -> bytes:
    """As TensorFlow 2 writes it: a tensor with its content as bytes."""
    content = struct.pack("<d" if double else "<f", value)
    held = b"\x08" + varint(2 if double else 1) + of_bytes(4, content)
    return of_bytes(5, of_bytes(1, of_bytes(1, tag.encode()) + of_bytes(8, held)))


def histogram(tag: str) -> bytes:
    return of_bytes(5, of_bytes(1, of_bytes(1, tag.encode()) + of_bytes(5, b"\x11" + bytes(8))))


FIRST = record(event(0, of_bytes(3, b"brain.Event:2")))
START = of_bytes(7, b"\x08\x01")  # a session that begins


def write_events(path: Path, *records: bytes) -> Path:
    """A file of the records of these events, after the one that every file begins with."""
    path.write_bytes(FIRST + b"".join(map(record, records)))
    return path
