"""What every tokenizer can do, and what an encoding holds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from core.files import quoted


@dataclass(frozen=True, slots=True)
class Stage:
    """What one stage made of a text on its way to tokens.

    name   "normalizer", "pre-tokenizer", "model" or "post-processor"
    parts  the strings after it: one normalized text, words, pieces, pieces with special tokens
    spans  (start, end) of each part in the UTF-8 bytes of the text that was encoded; empty for
           what no character of the text stands for
    """

    name: str
    parts: list[str]
    spans: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text cut into n tokens.

    text    the text that was encoded (lone surrogates already replaced by U+FFFD)
    ids     n numbers, each the row of the embedding table that the model will read
    pieces  n strings, the vocabulary's spelling of each token ("Ġthe" for " the")
    spans   n (start, end) positions in the UTF-8 bytes of the text, never falling. They tile it
            where the tokenizer keeps every byte; one that throws spaces away leaves gaps, one that
            adds tokens ("[CLS]") gives them empty spans
    explain computes the stages; None where the tokenizer cannot tell them
    """

    text: str
    ids: list[int]
    pieces: list[str]
    spans: list[tuple[int, int]]
    explain: Callable[[], tuple[Stage, ...]] | None = field(default=None, repr=False, compare=False)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The text after each stage, computed when asked for."""
        return self.explain() if self.explain is not None else ()

    def __len__(self) -> int:
        return len(self.ids)

    def slices(self) -> list[bytes]:
        """The bytes of the text that each token stands for."""
        data = self.text.encode()
        return [data[start:end] for start, end in self.spans]


@runtime_checkable
class Tokenizer(Protocol):
    """Text to ids and back."""

    kind: str

    @property
    def vocabulary(self) -> list[str]:
        """Every piece, indexed by its id."""

    @property
    def vocab_size(self) -> int:
        """How many ids there are."""

    @property
    def special_tokens(self) -> dict[str, int]:
        """Tokens that no text is merged into, such as the end of a document, with their ids."""

    @property
    def unknown_id(self) -> int | None:
        """The token for what the vocabulary cannot spell; None where it can spell every text."""

    def encode(self, text: str, *, specials: bool = True) -> Encoding:
        """The tokens of a text. With specials=False "<|endoftext|>" is ordinary text."""

    def encode_ids(self, text: str, *, specials: bool = True) -> list[int]:
        """encode(text).ids, as fast as possible."""

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these ids; bytes that are not UTF-8 become U+FFFD."""

    def piece_bytes(self, token: int) -> bytes:
        """The bytes of one token. Raises ValueError for an id that does not exist."""

    def save(self, path: str | Path) -> None:
        """Writes tokenizer.json in the format of the Hugging Face tokenizers library."""


def number_pieces(vocabulary: Sequence[str], special_tokens: Mapping[str, int]) -> dict[str, int]:
    """The id of every piece: its place in the vocabulary.

    Raises ValueError when a piece is there twice, or a special token is not where it should be.
    """
    id_of = {piece: token for token, piece in enumerate(vocabulary)}
    if len(id_of) != len(vocabulary):
        raise ValueError("the vocabulary holds a piece twice: every id needs its own piece")
    for token, expected in special_tokens.items():
        if id_of.get(token) != expected:
            raise ValueError(
                f"special token {quoted(token)} has id {expected}, but the vocabulary says "
                f"{id_of.get(token)}: the two must agree"
            )
    return id_of


def check_special(token: str, special_tokens: Mapping[str, int], role: str) -> None:
    """Raises ValueError when a token is to stand for something ("round every text"), but is none
    of the special tokens.
    """
    if token not in special_tokens:
        raise ValueError(
            f"{quoted(token)} is to stand {role}, but is no special token: add it to them"
        )


def check_id(token: int, vocab_size: int) -> None:
    """Raises ValueError when the vocabulary has no such id, or it is no whole number."""
    if not (isinstance(token, int) or hasattr(token, "__index__")):
        raise ValueError(
            f"the id {quoted(token)} is no whole number: decode takes ids, as encode_ids gives them"
        )
    if not 0 <= token < vocab_size:
        raise ValueError(
            f"id {token} is outside the vocabulary of {vocab_size} pieces: "
            "were these ids made by another tokenizer?"
        )
