"""A text cut into tokens, as pictures take it. No Qt here: it is made off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from core.tokenization import Tokenizer

# White space as signs: one for each, in every picture (core's titles have the same).
SIGNS = str.maketrans({" ": "\u2423", "\n": "\u21b5", "\t": "\u21e5", "\r": "\u240d"})
NO_TOKENS = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Tokens:
    """A text cut into n tokens, for drawing.

    data          the text in UTF-8
    ids           (n,) numbers
    starts, ends  (n,) places in `data`, never falling
    pieces        n strings, as the vocabulary spells them
    unknown       the id of "I do not know this", or -1
    special       ids of tokens that no text is merged into
    reads         a piece of the vocabulary as people read it, white space as signs; None where the
                  text under a token is all that is shown of it
    """

    data: bytes = b""
    ids: np.ndarray = field(default_factory=lambda: NO_TOKENS)
    starts: np.ndarray = field(default_factory=lambda: NO_TOKENS)
    ends: np.ndarray = field(default_factory=lambda: NO_TOKENS)
    pieces: Sequence[str] = ()
    unknown: int = -1
    special: frozenset[int] = frozenset()
    reads: Callable[[str], str] | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def slice(self, index: int) -> bytes:
        """The bytes of the text that a token stands for."""
        return self.data[self.starts[index] : self.ends[index]]

    def written(self, index: int) -> str:
        """The piece as its vocabulary holds it, where that is other than the text under it: a mark
        that a word goes on, or what normalization made of the text. "" where it is the same."""
        text = text_of(self.slice(index))
        if self.reads is None or text is None:
            return ""
        piece = self.reads(self.pieces[index])
        return "" if piece == text.translate(SIGNS) else piece

    def overlapping(self, start: int, end: int) -> range:
        """The tokens that share a byte with start..end; of an empty span, those at that place."""
        if start == end:
            low, high = np.searchsorted(self.starts, (start, start + 1))
            empty = [i for i in range(low, high) if self.ends[i] == start]
            return range(empty[0], empty[-1] + 1) if empty else range(0)
        low = int(np.searchsorted(self.ends, start, side="right"))
        high = int(np.searchsorted(self.starts, end, side="left"))
        return range(low, max(low, high))


def tokens_of(
    data: bytes, ids: Sequence[int], spans: Sequence[tuple[int, int]], tokenizer: Tokenizer
) -> Tokens:
    """A text in UTF-8 that a tokenizer has cut: ids, and their places in it."""
    places = np.array(spans, dtype=np.int64).reshape(-1, 2)
    unknown, vocabulary = tokenizer.unknown_id, tokenizer.vocabulary
    return Tokens(
        data,
        np.array(ids, dtype=np.int64),
        np.ascontiguousarray(places[:, 0]),
        np.ascontiguousarray(places[:, 1]),
        [vocabulary[one] for one in ids],
        -1 if unknown is None else unknown,
        frozenset(tokenizer.special_tokens.values()),
    )


def text_of(data: bytes) -> str | None:
    """Whole characters as text; None for a part of one, and for what no font draws."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if not any(character.isprintable() or character in "\n\t\r" for character in text):
        return None
    return text


def readable(data: bytes) -> str:
    """A token in a sentence: its text with white space as signs, else its bytes as "<C3>"."""
    text = text_of(data)
    return f"<{data[:16].hex(' ').upper()}>" if text is None else text.translate(SIGNS)


def whole_character(data: bytes, start: int, end: int) -> tuple[int, int]:
    """The places of the whole characters around start..end of UTF-8 text."""
    while start > 0 and start < len(data) and data[start] & 0xC0 == 0x80:
        start -= 1
    while end < len(data) and data[end] & 0xC0 == 0x80:
        end += 1
    return start, end


def described(tokens: Tokens, index: int) -> str:
    """One token in words: piece, id, bytes, and of what character it is a part."""
    data = tokens.slice(index)
    start, end = int(tokens.starts[index]), int(tokens.ends[index])
    spelled = tokens.pieces[index]
    identity = int(tokens.ids[index])
    named = not data or identity == tokens.unknown or identity in tokens.special
    shown = spelled if named else readable(data)
    text = f"token {index + 1}: {shown}  id {int(tokens.ids[index]):,}"
    if spelled != shown:
        text += f"  spelled {spelled}"
    if data:
        text += "  bytes " + data[:16].hex(" ").upper() + (" \u2026" if len(data) > 16 else "")
    low, high = whole_character(tokens.data, start, end)
    if data and (low, high) != (start, end) and high - low <= 16:
        whole = tokens.data[low:high].decode("utf-8", "replace")
        part = f"byte {start - low + 1}" if end == start + 1 else "bytes"
        if end > start + 1:
            part = f"bytes {start - low + 1} to {end - low}"
        text += f"\n{part} of the {high - low} that spell {whole}"
    if not named and (piece := tokens.written(index)):
        text += f"\nthe vocabulary holds {piece}; the text has {shown}"
    if int(tokens.ids[index]) == tokens.unknown:
        text += "\nunknown: this tokenizer has no piece for this text, which is lost"
    return text
