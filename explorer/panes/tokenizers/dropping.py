"""Files that are dropped on the pane: tokenizers are opened as such, texts are texts.

No Qt here: files are looked at in the I/O pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

LARGEST = 16 * 2**20  # bytes of a text that are read


@dataclass
class Dropped:
    """tokenizers  paths; texts  (path, what it says); errors  what neither is, with the remedy."""

    tokenizers: list[str] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def look_at_files(paths: Sequence[str]) -> Dropped:
    """What each file is, by what it holds. An empty file is an empty text."""
    from core.tokenization.opening import is_tokenizer

    found = Dropped()
    for path in paths:
        try:
            if Path(path).stat().st_size and is_tokenizer(Path(path)):
                found.tokenizers.append(path)
            else:
                found.texts.append((path, read_text(Path(path))))
        except (ValueError, OSError) as error:
            found.errors.append(str(error))
    return found


def read_text(path: Path) -> str:
    """The beginning of a text file; what is no UTF-8 becomes U+FFFD."""
    with path.open("rb") as file:
        data = file.read(LARGEST)
    return data.decode("utf-8-sig", "replace").replace("\r\n", "\n")
