"""Reads files of pieces with limits on size, and reports how an invalid file differs."""

from pathlib import Path
from typing import Any

from core import files
from core.files import GET_AGAIN, MEGABYTE

MAX_FILE = 64 * MEGABYTE  # the largest tokenizer known, Gemma 3's, takes half of it
MAX_VALUES = 3_000_000  # of JSON; Gemma 3 has 2 million
MAX_PIECES = 1 << 20  # the largest vocabularies have a quarter of this


def read_bytes(path: Path) -> bytes:
    """Reads a whole file. Raises ValueError if it is empty, or larger than any tokenizer."""
    return files.read_bytes(path, MAX_FILE)


def read_lines(path: Path) -> list[str]:
    """Reads the lines of a UTF-8 text file, without their ends, at most MAX_PIECES of them."""
    text = files.read_text(path, MAX_FILE)
    count = text.count("\n")
    if count > MAX_PIECES:
        raise ValueError(
            f"{path} has {count:,} lines, more than the {MAX_PIECES:,} pieces that a vocabulary "
            f"can have: {GET_AGAIN}"
        )
    lines = text.replace("\r\n", "\n").split("\n")  # pieces may hold U+2028 and the like
    if not lines[-1]:
        lines.pop()
    return lines


def read_bounded_json(path: Path) -> Any:
    """Reads a JSON file of at most MAX_FILE bytes and MAX_VALUES values."""
    return files.read_json(path, MAX_FILE, max_values=MAX_VALUES)
