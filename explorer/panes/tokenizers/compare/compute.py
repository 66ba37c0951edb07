"""Splits a text by several tokenizers, and compares the splits. Runs on the engine's thread."""

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
LONG = 100_000  # characters from which on a text's splits come first, their checks afterwards


@dataclass(frozen=True, eq=False)
class Split:
    """What one tokenizer makes of a text.

    id         of the tokenizer in the catalogue
    tokenizer  which one it was then
    tokens     ids, pieces, places
    other      how many tokens it is with special tokens treated the other way; None where the text
               holds no special token
    unknown    how many of the tokens are the unknown token
    lossless   decode(encode(text)) == text; None while not yet checked
    lost       the characters that do not come back, each once and in order, white space last
    error      why there are no tokens
    words      of the text; None in a script without spaces, or a text too long to be counted
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
    """The splits of a text by the tokenizers `asked` for, by id; a few at each yield.

    A long text's splits are yielded at once, and again when it is known whether they are lossless;
    so are earlier splits that are still `unchecked`.
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
    """One tokenizer's split; where it cannot read the text, the split's `error` says why."""
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
    """The split with `lossless` and `lost`, found by decoding its ids.

    Special tokens that the tokenizer put around the text are left out.
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


# Some vocabularies have tens of thousands of special tokens: sorted once, not at each key.
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
    """Whether a special token is written out in the text."""
    letters = set(text)
    return any(
        token in text
        for letter, tokens in by_letter.items()
        if letter in letters
        for token in tokens
    )


def differing(splits: Sequence[Split]) -> list[np.ndarray]:
    """For each split a mask of the tokens whose bytes are not one token in all the others too."""
    keys = [(one.tokens.starts << 32) | one.tokens.ends for one in splits]
    shared = keys[0] if keys else np.zeros(0, dtype=np.int64)
    for other in keys[1:]:
        shared = np.intersect1d(shared, other)
    return [~np.isin(key, shared) for key in keys]
