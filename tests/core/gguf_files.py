"""Writes small GGUF files for tests, independently of the reader."""

import struct
from typing import Any


def string(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def value(content: Any) -> bytes:
    """A type number and a value: str, bool, int (i32), float, or a list of one of them."""
    kind, data = body(content)
    return struct.pack("<I", kind) + data


def body(content: Any) -> tuple[int, bytes]:
    if isinstance(content, bool):
        return 7, bytes([content])
    if isinstance(content, str | bytes):
        return 8, string(content)
    if isinstance(content, int):
        return 5, struct.pack("<i", content)
    if isinstance(content, float):
        return 6, struct.pack("<f", content)
    items = [body(item) for item in content]
    kind = items[0][0] if items else 8
    return 9, struct.pack("<IQ", kind, len(items)) + b"".join(data for _, data in items)


def gguf(
    metadata: dict[str, Any],
    tensors: dict[str, tuple[int, tuple[int, ...], bytes]] | None = None,
    version: int = 3,
) -> bytes:
    """A file; tensors by name: (type number, shape with rows first, bytes)."""
    tensors = tensors or {}
    header = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, content in metadata.items():
        header += string(key) + value(content)
    wanted = metadata.get("general.alignment")
    alignment = wanted if isinstance(wanted, int) and wanted > 0 else 32
    data = b""
    for name, (kind, shape, content) in tensors.items():
        data += b"\0" * (-len(data) % alignment)
        header += string(name) + struct.pack("<I", len(shape))
        header += b"".join(struct.pack("<Q", size) for size in reversed(shape))
        header += struct.pack("<IQ", kind, len(data))
        data += content
    return header + b"\0" * (-len(header) % alignment) + data
