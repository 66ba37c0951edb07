"""Checks of indices and counts: a layer, a head, tokens of a text or a vocabulary, and the number
of new tokens.

Layers, heads and positions count from 0, negative ones from the end.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from numbers import Integral

import numpy as np

from core.files import quoted
from core.transformer.config import ModelConfig


def check_layer(config: ModelConfig, layer: int) -> int:
    """Returns the layer, counted from 0. Raises ValueError, with a remedy, if it does not exist."""
    return _index(layer, config.n_layer, "layer", "this model has layers")


def check_head(n_head: int, head: int) -> int:
    """Returns the head, counted from 0. Raises ValueError as `check_layer` does."""
    return _index(head, n_head, "head", "each layer has heads")


def check_position(position: int, length: int) -> int:
    """Returns the position, counted from 0. Raises ValueError as `check_layer` does."""
    return _index(position, length, "position", "this text has tokens")


def check_positions(positions: Sequence[int] | None, length: int) -> np.ndarray:
    """Returns (N,) positions; None: all. Raises ValueError as `check_layer`, or if empty."""
    if positions is None:
        return np.arange(length)
    given = _whole(positions, "positions").reshape(-1)
    if not given.size or given.min() < -length or given.max() >= length:
        raise ValueError(
            f"positions {', '.join(map(str, given.tolist())) or 'none'}: this text has tokens 0 "
            f"to {length - 1}; choose among these"
        )
    return given % length


def check_tokens(vocab_size: int, tokens: int | Sequence[int] | np.ndarray) -> np.ndarray:
    """Returns the tokens. Raises ValueError, with a remedy, unless all are in the vocabulary."""
    given = _whole(tokens, "tokens")
    if not given.size or given.min() < 0 or given.max() >= vocab_size:
        raise ValueError(
            f"there is no such token: this model's vocabulary has tokens 0 to {vocab_size - 1}"
        )
    return given


def check_stop(vocab_size: int, stop: int | Collection[int] | None) -> tuple[int, ...]:
    """Returns the tokens that end a text. Raises ValueError, with a remedy, for a string, and for a
    token that is not in the vocabulary.
    """
    given = () if stop is None else stop if isinstance(stop, Collection) else (stop,)
    for token in given:
        if not isinstance(token, Integral):
            raise ValueError(
                f"stop holds {quoted(token)}: it takes ids of tokens, as tokenizer.encode_ids "
                "lists them; give a text as stop_strings, with tokenizer="
            )
        if not 0 <= token < vocab_size:
            raise ValueError(
                f"token {token} of stop is not in the vocabulary, 0 to {vocab_size - 1}"
            )
    return tuple(map(int, given))


def check_count(max_new_tokens: int) -> int:
    """Returns the largest number of new tokens. Raises ValueError, with a remedy."""
    if not isinstance(max_new_tokens, Integral) or max_new_tokens < 0:
        raise ValueError(
            f"max_new_tokens is {quoted(max_new_tokens)}; use a whole number, 0 or more"
        )
    return int(max_new_tokens)


def _index(index: int, count: int, name: str, there: str) -> int:
    given = int(_whole(index, name))
    if not -count <= given < count:
        raise ValueError(f"there is no {name} {given}; {there} 0 to {count - 1}")
    return given % count


def _whole(given: int | Sequence[int] | np.ndarray, name: str) -> np.ndarray:
    array = np.asarray(given)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"{name} {array.tolist()}: give whole numbers")
    return array.astype(np.int64)
