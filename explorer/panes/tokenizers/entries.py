"""The entries of the catalogue. No Qt here; runs in the I/O pool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.data.bundled import OPTIONS, TOKENIZER_STORIES, bundled_tokenizer_file
from core.tokenization.telling import count

MODEL = "model"
BUNDLED = tuple(f"bundled:{kind}" for kind in OPTIONS)  # four algorithms, same text and size

# Titles of the kinds in core.
KINDS = {
    "bpe": "BPE",
    "wordpiece": "WordPiece",
    "sentencepiece-bpe": "SentencePiece BPE",
    "unigram": "Unigram",
    "characters": "characters",
    "words": "words",
}
LIBRARY = "core.tokenization.formats.library"


@dataclass(frozen=True)
class Entry:
    """A tokenizer in the catalogue.

    where    its location: "data folder", a path, "trained here"; "" if it must be downloaded
    path     its file; None if it is in memory or not downloaded yet
    ready    True if it is in memory and needs no file
    size     bytes to download
    broken   True if it is the user's file and could not be opened
    """

    id: str
    name: str
    maker: str = ""
    license: str = ""
    where: str = ""
    path: Path | None = None
    ready: bool = False
    size: int = 0
    address: str = ""
    broken: bool = False

    @property
    def here(self) -> bool:
        return self.ready or self.path is not None


@dataclass(frozen=True, eq=False)
class Opened:
    """An entry with its tokenizer, its kind and its size.

    ours   True if one of core's own classes runs it, step by step; else a library does
    """

    entry: Entry
    tokenizer: Any
    kind: str
    vocab_size: int
    ours: bool

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def words(self) -> str:
        """Kind and size in words: "BPE, 50,257 pieces"."""
        return f"{KINDS.get(self.kind, self.kind)}, {count(self.vocab_size, 'piece')}"


def opened(entry: Entry, tokenizer: Any) -> Opened:
    ours = type(tokenizer).__module__ != LIBRARY
    return Opened(entry, tokenizer, tokenizer.kind, tokenizer.vocab_size, ours)


def open_path(path: Path) -> Any:
    from core.tokenization import open_tokenizer

    return open_tokenizer(path)


def bundled_entries() -> list[Entry]:
    """Returns the four tokenizers included with the program."""
    where = f"trained on {TOKENIZER_STORIES:,} short stories and included with this program"
    return [
        Entry(name, KINDS[kind], license="MIT", where=where, path=bundled_tokenizer_file(kind))
        for name, kind in zip(BUNDLED, OPTIONS, strict=True)
    ]


def found_entries() -> list[Entry]:
    """Returns the well-known tokenizers, with their location if they are on this machine, then
    other tokenizers in the Hugging Face cache."""
    from core.jobs import to_the_end
    from core.tokenization.known import cached_tokenizers, find_all_steps, known_tokenizers

    table = known_tokenizers()
    places = to_the_end(find_all_steps())
    entries = []
    for name, known in table.items():
        found = places.get(name)
        entries.append(
            Entry(
                f"known:{name}",
                known.title,
                known.maker,
                known.license,
                found.where if found is not None else "",
                found.path if found is not None else None,
                size=known.download_size,
                address=known.address,
            )
        )
    listed = {repository for name in places for repository, _ in table[name].hub}
    return entries + [
        Entry(f"cached:{found.name}", found.name, where=found.where, path=found.path)
        for found in cached_tokenizers()
        if found.name not in listed
    ]
