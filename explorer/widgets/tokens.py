"""A tokenized text for pictures. No Qt here: it is made off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from core.tokenization import Tokenizer

# White space as signs, the same in every picture (and in core's titles).
SIGNS = str.maketrans({" ": "\u2423", "\n": "\u21b5", "\t": "\u21e5", "\r": "\u240d"})
NO_TOKENS = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Tokens:
    """A text cut into n tokens, for drawing.

    data          the text in UTF-8
    ids           (n,) ids
    starts, ends  (n,) positions in `data`, non-decreasing
    pieces        n strings, as spelled in the vocabulary
    unknown       the id of the unknown token, or -1
    special       ids of tokens that no text is merged into
    reads         makes a piece of the vocabulary readable, with white space as signs; None if
                  only the text under a token is shown
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
        """Returns the bytes of the text under a token."""
        return self.data[self.starts[index] : self.ends[index]]

    def written(self, index: int) -> str:
        """Returns the piece as spelled in its vocabulary if it differs from the text under it, by a
        continuation mark or by normalization; otherwise ""."""
        text = text_of(self.slice(index))
        if self.reads is None or text is None:
            return ""
        piece = self.reads(self.pieces[index])
        return "" if piece == text.translate(SIGNS) else piece

    def overlapping(self, start: int, end: int) -> range:
        """Returns the tokens that share a byte with start..end, or for an empty span are there."""
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
    """Returns the Tokens of a UTF-8 text from a tokenizer's ids and their spans."""
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
    """Returns whole characters as text; None for a part of one, and for text that no font draws."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    if not any(character.isprintable() or character in "\n\t\r" for character in text):
        return None
    return text


def readable(data: bytes) -> str:
    """Returns a token's text with white space as signs, or its bytes as "<C3>"."""
    text = text_of(data)
    return f"<{data[:16].hex(' ').upper()}>" if text is None else text.translate(SIGNS)


def whole_character(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Returns the range of the whole characters around start..end of UTF-8 text."""
    while start > 0 and start < len(data) and data[start] & 0xC0 == 0x80:
        start -= 1
    while end < len(data) and data[end] & 0xC0 == 0x80:
        end += 1
    return start, end


def described(tokens: Tokens, index: int) -> str:
    """Describes one token: piece, id, bytes, and the character it is a part of."""
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
