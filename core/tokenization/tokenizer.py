"""The interface of every tokenizer, and the result of encoding."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from core.files import quoted


@dataclass(frozen=True, slots=True)
class Stage:
    """The output of one stage on the way from text to tokens.

    name   "normalizer", "pre-tokenizer", "model" or "post-processor"
    parts  its output strings: one normalized text, words, pieces, pieces with special tokens
    spans  (start, end) of each part in the UTF-8 bytes of the encoded text; empty for a part that
           corresponds to no character of the text
    """

    name: str
    parts: list[str]
    spans: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text split into n tokens.

    text    the encoded text (lone surrogates already replaced by U+FFFD)
    ids     n numbers, each the row of the model's embedding table
    pieces  n strings, the vocabulary's spelling of each token ("Ġthe" for " the")
    spans   n (start, end) positions in the UTF-8 bytes of the text, never decreasing. They cover it
            if the tokenizer preserves every byte; dropped spaces leave gaps, and added tokens
            ("[CLS]") have empty spans
    explain computes the stages; None if the tokenizer cannot provide them
    """

    text: str
    ids: list[int]
    pieces: list[str]
    spans: list[tuple[int, int]]
    explain: Callable[[], tuple[Stage, ...]] | None = field(default=None, repr=False, compare=False)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The text after each stage, computed on access."""
        return self.explain() if self.explain is not None else ()

    def __len__(self) -> int:
        return len(self.ids)

    def slices(self) -> list[bytes]:
        """Returns the bytes of the text that each token covers."""
        data = self.text.encode()
        return [data[start:end] for start, end in self.spans]


@runtime_checkable
class Tokenizer(Protocol):
    """Converts text to ids and back."""

    kind: str

    @property
    def vocabulary(self) -> list[str]:
        """Every piece, indexed by its id."""

    @property
    def vocab_size(self) -> int:
        """Number of ids."""

    @property
    def special_tokens(self) -> dict[str, int]:
        """Tokens that are never merged or split, such as the end of a document, with their ids."""

    @property
    def unknown_id(self) -> int | None:
        """The id of the unknown token; None if the vocabulary can spell every text."""

    def encode(self, text: str, *, specials: bool = True) -> Encoding:
        """Returns the tokens of a text. With specials=False, "<|endoftext|>" is ordinary text."""

    def encode_ids(self, text: str, *, specials: bool = True) -> list[int]:
        """Returns encode(text).ids, as fast as possible."""

    def decode(self, ids: Sequence[int]) -> str:
        """Returns the text of these ids; bytes that are not UTF-8 become U+FFFD."""

    def piece_bytes(self, token: int) -> bytes:
        """Returns the bytes of one token. Raises ValueError for an unknown id."""

    def save(self, path: str | Path) -> None:
        """Writes tokenizer.json in the format of the Hugging Face tokenizers library."""


def number_pieces(vocabulary: Sequence[str], special_tokens: Mapping[str, int]) -> dict[str, int]:
    """Returns the id of every piece: its index in the vocabulary.

    Raises ValueError if a piece occurs twice, or a special token has another id.
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
    """Raises ValueError if a token with a role ("round every text") is not a special token."""
    if token not in special_tokens:
        raise ValueError(
            f"{quoted(token)} is to stand {role}, but is no special token: add it to them"
        )


def check_id(token: int, vocab_size: int) -> None:
    """Raises ValueError if an id is not in the vocabulary or not a whole number."""
    if not (isinstance(token, int) or hasattr(token, "__index__")):
        raise ValueError(
            f"the id {quoted(token)} is no whole number: decode takes ids, as encode_ids gives them"
        )
    if not 0 <= token < vocab_size:
        raise ValueError(
            f"id {token} is outside the vocabulary of {vocab_size} pieces: "
            "were these ids made by another tokenizer?"
        )
