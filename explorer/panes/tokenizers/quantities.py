"""The names of quantities that several modes of Tokenizers show."""

from __future__ import annotations

from explorer.panes.readings import digest, path


def tokenizer(name: str) -> str:
    """Returns the part for a tokenizer."""
    return f"tokenizer:{name}"


def of_text(name: str, text: str, specials: bool = True) -> str:
    """Returns the parts for a text as a tokenizer splits it, with or without special tokens."""
    return path(tokenizer(name), f"text:{digest([text, specials])}")
