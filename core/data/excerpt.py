"""The beginning of a corpus as texts in memory: training data for a tokenizer."""

import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.data.chunks import read_characters
from core.data.stories import stories
from core.data.text import check_text_file

STORIES = "stories"
PAUSE = 0.03  # seconds of work between two yields


@dataclass(frozen=True, slots=True)
class Excerpt:
    """texts   the stories, or one text: the requested part of the file
    size    their bytes in UTF-8
    whole   whether nothing was left out
    """

    texts: list[str]
    size: int
    whole: bool


def excerpt_steps(name_or_path: str | Path, n_bytes: int) -> Generator[int, None, Excerpt]:
    """Reads about `n_bytes`, at least one text; yields the number of bytes read so far.

    name_or_path   "stories", or the path of a UTF-8 text file

    Raises ValueError for an empty or a binary file and for n_bytes below 1, OSError if the file
    cannot be read.
    """
    if n_bytes < 1:
        raise ValueError(f"n_bytes is {n_bytes}: read at least one byte")
    own = str(name_or_path) == STORIES
    source = stories(0) if own else _characters(Path(name_or_path))
    parts: list[str] = []
    size = 0
    looked = time.perf_counter()
    whole = True
    for text in source:
        if size >= n_bytes:
            whole = False
            break
        if not own:
            text, all_of_it = _cut(text, n_bytes - size)
            whole = whole and all_of_it
        parts.append(text)
        size += len(text.encode())
        if not whole:
            break
        if time.perf_counter() - looked > PAUSE:
            yield size
            looked = time.perf_counter()
    yield size
    return Excerpt(parts if own else ["".join(parts)], size, whole)


def excerpt_of(text: str, n_bytes: int) -> Excerpt:
    """Returns about `n_bytes` of a given text. Raises ValueError if the text is blank."""
    if not text.strip():
        raise ValueError("the text is empty: type or paste some words")
    kept, whole = _cut(text, n_bytes)
    return Excerpt([kept], len(kept.encode()), whole)


def _characters(path: Path) -> Iterator[str]:
    for text, _ in read_characters(check_text_file(path)):
        yield text


def _cut(text: str, n_bytes: int) -> tuple[str, bool]:
    """Returns at most n_bytes of a text, and whether that is all of it; never cuts a character,
    nor, if there is white space, a word.
    """
    data = text.encode()
    if len(data) <= n_bytes:
        return text, True
    kept = data[:n_bytes].decode(errors="ignore")
    end = max(kept.rfind(" "), kept.rfind("\n"))
    return (kept[:end] if end > 0 else kept or text[:1]), False
