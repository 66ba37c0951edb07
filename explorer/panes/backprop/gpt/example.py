"""The training example made from a text: the tokens to read, and the token after each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.tokenization import Tokenizer

MOST_TOKENS = 32  # read at most: more do not fit into a picture
LONGEST = 2000  # characters encoded at most, far more than MOST_TOKENS need


@dataclass(frozen=True)
class Example:
    """`ids` and their `labels` include one more than the tokens that are read: the last is only
    predicted. `left` tokens of the text do not fit.
    """

    text: str
    ids: tuple[int, ...]
    labels: tuple[str, ...]
    left: int
    limit: int
    tokenizer: Tokenizer | None = field(default=None, compare=False, repr=False)

    def piece(self, token: int) -> str:
        """Returns any id of the vocabulary as text."""
        if self.tokenizer is None or not 0 <= token < len(self.tokenizer.vocabulary):
            return f"id {token}"
        return piece_text(self.tokenizer.piece_bytes(token))

    @property
    def length(self) -> int:
        """The number of tokens that are read; as many are predicted."""
        return len(self.ids) - 1

    @property
    def count(self) -> str:
        """The number of tokens that are read, in words, and the total if that is larger."""
        read = "token" if self.length == 1 else f"{self.length} tokens"
        if not self.left:
            return "one token" if self.length == 1 else read
        if len(self.text) >= LONGEST:
            return f"the first {read}"
        return f"the first {self.length} of {len(self.ids) + self.left} tokens"


class TooShort(ValueError):
    """A text of fewer than two tokens."""


def read_example(tokenizer: Tokenizer, text: str, limit: int) -> Example:
    """Reads the first tokens of `text`, at most min(limit, MOST_TOKENS) to read and one to predict.
    Raises TooShort for a text of fewer than two tokens.
    """
    encoding = tokenizer.encode(text[:LONGEST])
    ids = encoding.ids
    if len(ids) < 2:
        has = "no token" if not ids else "one token"
        raise TooShort(
            f"This text has {has}, but a training example needs two: one to read and one to "
            "predict."
        )
    most = min(limit, MOST_TOKENS) + 1
    labels = tuple(piece_text(piece) for piece in encoding.slices()[:most])
    return Example(text, tuple(ids[:most]), labels, max(0, len(ids) - most), limit, tokenizer)


def piece_text(piece: bytes) -> str:
    """Decodes a piece; bytes that are not a whole character become hexadecimal pairs."""
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return " ".join(f"{byte:02X}" for byte in piece)
