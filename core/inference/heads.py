"""What a head does, as numbers between 0 and 1.

Each says how much of the head's attention goes where a known kind of head would look.

Letters in shapes: L layers, H heads, T tokens. Sources: A Mathematical Framework for Transformer
Circuits (Elhage et al. 2021), In-context Learning and Induction Heads (Olsson et al. 2022);
attention sinks: Xiao et al. 2023, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

CLEAR = 0.2  # of a row's weight: from here on a look at followers is no accident


@dataclass(frozen=True, slots=True)
class HeadScores:
    """One number a head, each (L, H): a mean over the queries that have something to look at.

    previous_token   to the token just before (queries 1 ..; query 0 has none)
    induction        to the tokens that followed earlier occurrences of the query's token; 0 when
                     nothing repeats
    duplicate        to earlier occurrences of the query's token; 0 when nothing repeats
    first_token      to token 0 (queries 1 ..): the attention sink
    entropy          of the weights, divided by its largest possible value, log(visible tokens): 0
                     sharp, 1 uniform
    """

    previous_token: np.ndarray
    induction: np.ndarray
    duplicate: np.ndarray
    first_token: np.ndarray
    entropy: np.ndarray

    def by_name(self) -> dict[str, np.ndarray]:
        """Every score under its field's name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def head_scores(
    attention: np.ndarray, ids: Sequence[int] | np.ndarray, visible: np.ndarray | None = None
) -> HeadScores:
    """Scores of every head from its attention (L, H, T, T) on the tokens `ids` (T,).

    visible  (T, T) bool, or (L, 1, T, T) where layers differ: where a query may look. None: at its
             own token and at everything before

    Raises ValueError when they do not belong together.
    """
    ids = np.asarray(ids).reshape(-1)
    T = ids.size
    if attention.ndim != 4 or attention.shape[2:] != (T, T):
        raise ValueError(
            f"attention of shape {attention.shape} does not belong to {T} tokens: expected (L, "
            f"H, {T}, {T})"
        )
    visible = visible_cells(T) if visible is None else np.asarray(visible, bool)
    if visible.shape not in ((T, T), (attention.shape[0], 1, T, T)):
        raise ValueError(
            f"a visible mask of shape {visible.shape} does not lie over attention of shape "
            f"{attention.shape}; give ({T}, {T}), or ({attention.shape[0]}, 1, {T}, {T})"
        )
    same = earlier_occurrences(ids)
    previous = np.eye(T, k=-1, dtype=bool)
    first = np.zeros((T, T), dtype=bool)
    first[1:, 0] = True
    return HeadScores(
        previous_token=_mean_attention(attention, previous),
        induction=_mean_attention(attention, followers(ids)),
        duplicate=_mean_attention(attention, same),
        first_token=_mean_attention(attention, first),
        entropy=_relative_entropy(attention, visible),
    )


def visible_cells(n_tokens: int, window: int | None = None) -> np.ndarray:
    """(T, T) bool: where a query may look, at its own token and at those before it; in a window, at
    so many in all.
    """
    back = np.arange(n_tokens)[:, None] - np.arange(n_tokens)  # how far before the query
    return (back >= 0) & (back < (n_tokens if window is None else window))


def earlier_occurrences(ids: Sequence[int] | np.ndarray) -> np.ndarray:
    """(T,) -> (T, T) bool: column j, strictly before row i, holds row i's token."""
    tokens = np.asarray(ids)
    return (tokens[:, None] == tokens[None, :]) & np.tri(tokens.size, k=-1, dtype=bool)


def followers(ids: Sequence[int] | np.ndarray) -> np.ndarray:
    """(T,) -> (T, T) bool: column j stands right after an earlier occurrence of row i's token."""
    same = earlier_occurrences(ids)
    follows = np.zeros_like(same)
    follows[:, 1:] = same[:, :-1]
    return follows


def without_first(attention: np.ndarray) -> np.ndarray:
    """Attention (..., T, T) with key 0, the sink, taken out and each row scaled to sum 1 again.

    A row with nothing else to look at (query 0, or all of its weight on key 0) becomes 0.
    """
    rest = attention.copy()
    rest[..., 0] = 0.0
    total = rest.sum(axis=-1, keepdims=True)
    return np.divide(rest, total, out=np.zeros_like(rest), where=total > 1e-9)


def telling_query(attention: np.ndarray, ids: Sequence[int], tells: np.ndarray) -> int:
    """The query that shows best what a head does, from its attention (T, T) on the tokens `ids`.

    tells  (T,) how much a token tells a reader: a name more than a full stop

    That is the repeated token whose followers get most. Where none gets CLEAR, it is the query with
    the sharpest look elsewhere than at itself and the first token; a later one tells a little more.
    """
    T = len(ids)
    gain = np.where(followers(ids), attention, 0.0).sum(axis=1)
    if gain.max(initial=0.0) >= CLEAR:
        return int(np.argmax(gain * tells))
    elsewhere = attention.copy()
    np.fill_diagonal(elsewhere, 0.0)
    elsewhere[:, 0] *= 0.1
    return int(np.argmax(elsewhere.max(axis=1) * (1 + np.arange(T) / (8.0 * T))))


def _mean_attention(attention: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """(L, H, T, T) -> (L, H): summed over each row's targets, averaged over rows that have one."""
    rows = targets.any(axis=1)
    if not rows.any():
        return np.zeros(attention.shape[:2], dtype=np.float32)
    on_targets = np.einsum("lhij,ij->lhi", attention, targets.astype(attention.dtype))
    return on_targets[..., rows].mean(axis=-1).astype(np.float32)


def _relative_entropy(attention: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """(L, H, T, T) -> (L, H): in units of the largest entropy that each query could have.

    A visible token whose weight is too small for a float, 0, is one that it could look at.
    """
    choices = visible.sum(axis=-1)  # (T) or (L, 1, T)
    surprise = -np.log(attention, out=np.zeros_like(attention), where=attention > 0)
    entropy = (attention * surprise).sum(axis=-1)  # (L, H, T)
    largest = np.log(np.maximum(choices, 2))
    # A query that sees one token has nothing to choose: it counts as sharp.
    relative = np.where(choices > 1, entropy / largest, 0.0)
    if relative.shape[-1] == 1:
        return relative[..., 0].astype(np.float32)
    return relative[..., 1:].mean(axis=-1).astype(np.float32)  # query 0 sees itself alone


def repeated_ids(
    n: int, period: int, repeats: int, vocab_size: int, generator: np.random.Generator
) -> np.ndarray:
    """The induction test: n sequences of random ids, (n, period * repeats).

    Each begins with `period` ids and repeats them, `repeats` times in all.
    """
    once = generator.integers(0, vocab_size, size=(n, period))
    return np.tile(once, (1, repeats))
