"""Reads files of pieces with a bound on memory, and says what a wrong file is instead."""

from pathlib import Path
from typing import Any

from core.files import GET_AGAIN, MEGABYTE, read_json

MAX_FILE = 100 * MEGABYTE  # the largest tokenizer known, Gemma 3's, takes a third of it
MAX_VALUES = 12_000_000  # of JSON; Gemma 3 has 2 million
MAX_PIECES = 1 << 21  # the largest vocabularies have a tenth of it


def read_bytes(path: Path) -> bytes:
    """The whole file. Raises ValueError where it is empty, or larger than any tokenizer."""
    size = path.stat().st_size
    if size == 0:
        raise ValueError(f"{path} is empty: {GET_AGAIN}")
    if size > MAX_FILE:
        raise ValueError(
            f"{path} holds {size / 1e6:,.0f} MB, more than the {MAX_FILE / 1e6:,.0f} MB that a "
            "tokenizer can need: choose the tokenizer's file, not the model's"
        )
    return path.read_bytes()


def read_lines(path: Path) -> list[str]:
    """The lines of a text file in UTF-8, without their ends, at most MAX_PIECES of them."""
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8: {GET_AGAIN}") from None
    lines = text.replace("\r\n", "\n").split("\n")  # pieces may hold U+2028 and the like
    if lines and not lines[-1]:
        lines.pop()
    if len(lines) > MAX_PIECES:
        raise ValueError(
            f"{path} has {len(lines):,} lines, more than the {MAX_PIECES:,} pieces that a "
            f"vocabulary can have: {GET_AGAIN}"
        )
    return lines


def read_bounded_json(path: Path) -> Any:
    """A JSON file of at most MAX_FILE bytes and MAX_VALUES values.

    The values are counted before anything is built: a file of brackets would take fifty times its
    size in memory.
    """
    raw = read_bytes(path)
    if sum(map(raw.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise ValueError(f"{path} holds more values than any tokenizer: {GET_AGAIN}")
    return read_json(path, max_bytes=MAX_FILE)
