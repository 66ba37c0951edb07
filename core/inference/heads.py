"""Head scores: the behavior of a head as numbers between 0 and 1.

Each is the share of the head's attention that matches the pattern of a known kind of head.

Letters in shapes: L layers, H heads, T tokens. Sources: A Mathematical Framework for Transformer
Circuits (Elhage et al. 2021), In-context Learning and Induction Heads (Olsson et al. 2022);
attention sinks: Xiao et al. 2023, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

CLEAR = 0.2  # share of a row's weight above which attention to followers is no accident


@dataclass(frozen=True, slots=True)
class HeadScores:
    """One number per head, each (L, H): the mean over the queries that have a target.

    previous_token   to the token just before (queries 1 ..; query 0 has none)
    induction        to the tokens that followed earlier occurrences of the query's token; 0 if
                     nothing repeats
    duplicate        to earlier occurrences of the query's token; 0 if nothing repeats
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
        """Returns every score by the name of its field."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def head_scores(
    attention: np.ndarray, ids: Sequence[int] | np.ndarray, visible: np.ndarray | None = None
) -> HeadScores:
    """Returns the scores of every head from its attention (L, H, T, T) on the tokens `ids` (T,).

    visible  (T, T) bool, or (L, 1, T, T) if layers differ: the keys that each query can see. None:
             its own token and everything before

    Raises ValueError if the shapes do not match.
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
    """Returns (T, T) bool: the keys that a query can see, its own token and those before it; with a
    window, at most that many.
    """
    back = np.arange(n_tokens)[:, None] - np.arange(n_tokens)  # distance from the query
    return (back >= 0) & (back < (n_tokens if window is None else window))


def earlier_occurrences(ids: Sequence[int] | np.ndarray) -> np.ndarray:
    """(T,) -> (T, T) bool: column j, strictly before row i, is the same token as row i."""
    tokens = np.asarray(ids)
    return (tokens[:, None] == tokens[None, :]) & np.tri(tokens.size, k=-1, dtype=bool)


def followers(ids: Sequence[int] | np.ndarray) -> np.ndarray:
    """(T,) -> (T, T) bool: column j comes right after an earlier occurrence of row i's token."""
    same = earlier_occurrences(ids)
    follows = np.zeros_like(same)
    follows[:, 1:] = same[:, :-1]
    return follows


def without_first(attention: np.ndarray) -> np.ndarray:
    """Returns attention (..., T, T) without key 0, the sink, with each row rescaled to sum 1.

    A row without other weights (query 0, or all of its weight on key 0) becomes 0.
    """
    rest = attention.copy()
    rest[..., 0] = 0.0
    total = rest.sum(axis=-1, keepdims=True)
    return np.divide(rest, total, out=np.zeros_like(rest), where=total > 1e-9)


def telling_query(attention: np.ndarray, ids: Sequence[int], tells: np.ndarray) -> int:
    """Returns the query that best shows a head's behavior, from attention (T, T) on `ids`.

    tells  (T,) how informative a token is to a reader: a name more than a full stop

    This is the repeated token whose followers get most attention. If none gets CLEAR, it is the one
    with the sharpest attention to a token other than itself and the first; later ones are
    preferred.
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
    """(L, H, T, T) -> (L, H): the sum over each row's targets, averaged over rows that have any."""
    rows = targets.any(axis=1)
    if not rows.any():
        return np.zeros(attention.shape[:2], dtype=np.float32)
    on_targets = np.einsum("lhij,ij->lhi", attention, targets.astype(attention.dtype))
    return on_targets[..., rows].mean(axis=-1).astype(np.float32)


def _relative_entropy(attention: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """(L, H, T, T) -> (L, H): entropy relative to the largest possible one of each query.

    A visible token counts as a choice even if its weight is 0, too small for a float.
    """
    choices = visible.sum(axis=-1)  # (T) or (L, 1, T)
    surprise = -np.log(attention, out=np.zeros_like(attention), where=attention > 0)
    entropy = (attention * surprise).sum(axis=-1)  # (L, H, T)
    largest = np.log(np.maximum(choices, 2))
    # A query that sees a single token has no choice: it counts as sharp.
    relative = np.where(choices > 1, entropy / largest, 0.0)
    if relative.shape[-1] == 1:
        return relative[..., 0].astype(np.float32)
    return relative[..., 1:].mean(axis=-1).astype(np.float32)  # query 0 sees itself alone


def repeated_ids(
    n: int, period: int, repeats: int, vocab_size: int, generator: np.random.Generator
) -> np.ndarray:
    """Returns the induction test: n sequences of random ids, (n, period * repeats).

    Each repeats a random beginning of `period` ids, `repeats` times in all.
    """
    once = generator.integers(0, vocab_size, size=(n, period))
    return np.tile(once, (1, repeats))
