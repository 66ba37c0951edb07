"""Splits a text with several tokenizers and compares the splits. Runs on the engine's thread."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from core.tokenization.analysis.measures import count_words
from core.tokenization.analysis.rates import bytes_per_token
from explorer.panes.tokenizers.pieces import reader
from explorer.widgets.tokens import Tokens

BATCH = 0.02  # seconds of work after which the splits so far are yielded
LONG = 100_000  # characters; the splits of a longer text are checked after all are yielded


@dataclass(frozen=True, eq=False)
class Split:
    """A text split into tokens by one tokenizer.

    id         the tokenizer's id in the catalogue
    tokenizer  the tokenizer that made the split
    tokens     ids, pieces and byte offsets
    other      the number of tokens with special tokens treated the other way; None if the text
               contains no special token
    unknown    the number of unknown tokens
    lossless   decode(encode(text)) == text; None until checked
    lost       the characters that decoding does not restore, each once and in order, white space
               last
    error      the reason why there are no tokens, or ""
    words      the number of words; None for a script without spaces or a text too long to count
    """

    id: str
    tokenizer: Any
    tokens: Tokens
    other: int | None = None
    unknown: int = 0
    lossless: bool | None = None
    lost: tuple[str, ...] = ()
    error: str = ""
    words: int | None = None

    @property
    def count(self) -> int:
        return len(self.tokens)

    @property
    def bytes_per_token(self) -> float:
        return bytes_per_token(len(self.tokens.data), self.count)


def split_steps(
    asked: Mapping[str, Any], text: str, specials: bool, unchecked: Sequence[Split] = ()
) -> Iterator[list[Split]]:
    """Yields the splits of a text by the tokenizers `asked` (by id), a few at a time.

    Splits of a long text are yielded twice: first unchecked, then checked for losses. Earlier
    splits in `unchecked` are checked and yielded last, too.
    """
    ready: list[Split] = []
    began = time.monotonic()
    long = len(text) > LONG
    later = list(unchecked)
    words = None if long else count_words(text)
    for name, tokenizer in asked.items():
        split = replace(split_text(name, tokenizer, text, specials, check=not long), words=words)
        ready.append(split)
        if split.lossless is None and not split.error:
            later.append(split)
        if time.monotonic() - began > BATCH:
            yield ready
            ready, began = [], time.monotonic()
    if ready:
        yield ready
    for split in later:
        yield [checked(split)]


def split_text(
    name: str, tokenizer: Any, text: str, specials: bool, *, check: bool = True
) -> Split:
    """Returns one tokenizer's split, with `error` set if it cannot encode the text."""
    try:
        encoding = tokenizer.encode(text, specials=specials)
        other = None
        if spells_special(text, specials_of(tokenizer).by_letter):
            other = len(tokenizer.encode_ids(text, specials=not specials))
    except ValueError as error:
        return Split(name, tokenizer, Tokens(text.encode("utf-8", "replace")), error=str(error))
    spans = np.array(encoding.spans, dtype=np.int64).reshape(-1, 2)
    unknown = -1 if tokenizer.unknown_id is None else tokenizer.unknown_id
    tokens = Tokens(
        encoding.text.encode(),
        np.array(encoding.ids, dtype=np.int64),
        np.ascontiguousarray(spans[:, 0]),
        np.ascontiguousarray(spans[:, 1]),
        encoding.pieces,
        unknown,
        specials_of(tokenizer).ids,
        reader(tokenizer.kind),
    )
    split = Split(name, tokenizer, tokens, other, int((tokens.ids == unknown).sum()))
    return checked(split) if check else split


def checked(split: Split) -> Split:
    """Decodes the ids and returns the split with `lossless` and `lost` set.

    Special tokens that the tokenizer added around the text are left out.
    """
    tokens = split.tokens
    empty = np.flatnonzero(tokens.ends == tokens.starts)
    added = tokens.ids == tokens.unknown if split.unknown else np.zeros(len(tokens), dtype=bool)
    added[empty] = [int(token) in tokens.special for token in tokens.ids[empty]]
    text, back = tokens.data.decode(), split.tokenizer.decode(tokens.ids[~added].tolist())
    if not split.unknown and back == text:
        return replace(split, lossless=True)
    gone = Counter(text) - Counter(back)
    lost = sorted((one for one in dict.fromkeys(text) if one in gone), key=str.isspace)
    return replace(split, lossless=False, lost=tuple(lost))


@dataclass(frozen=True)
class Specials:
    """A tokenizer's special tokens, by first letter, and the ids of all but the unknown token."""

    by_letter: Mapping[str, Sequence[str]]
    ids: frozenset[int]


# Some vocabularies have tens of thousands of special tokens: grouped once, not at every key press.
_SPECIALS: WeakKeyDictionary[Any, Specials] = WeakKeyDictionary()


def specials_of(tokenizer: Any) -> Specials:
    found = _SPECIALS.get(tokenizer)
    if found is None:
        by_letter: dict[str, list[str]] = {}
        for token in filter(None, tokenizer.special_tokens):
            by_letter.setdefault(token[0], []).append(token)
        ids = frozenset(tokenizer.special_tokens.values()) - {tokenizer.unknown_id}
        found = _SPECIALS[tokenizer] = Specials(by_letter, ids)
    return found


def spells_special(text: str, by_letter: Mapping[str, Sequence[str]]) -> bool:
    """Returns True if the text contains a special token's spelling."""
    letters = set(text)
    return any(
        token in text
        for letter, tokens in by_letter.items()
        if letter in letters
        for token in tokens
    )


def differing(splits: Sequence[Split]) -> list[np.ndarray]:
    """Returns a mask for each split: the tokens whose byte range is not a token in all others."""
    keys = [(one.tokens.starts << 32) | one.tokens.ends for one in splits]
    shared = keys[0] if keys else np.zeros(0, dtype=np.int64)
    for other in keys[1:]:
        shared = np.intersect1d(shared, other)
    return [~np.isin(key, shared) for key in keys]
