"""The difference between a head's attention on two texts.

Letters in shapes: L layers, H heads, T tokens. Source: the total variation distance of two
distributions, Levin, Peres and Wilmer 2009, "Markov Chains and Mixing Times", proposition 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.inference.heads import HeadScores
from core.trace import Step


def moved_attention(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns the share of each query's attention that moves to other keys on a second text of
    equal length: weights (..., T) twice -> (...), 0: identical, 1: no key in common.

    Raises ValueError for texts of different lengths.
    """
    if first.shape != second.shape:
        raise ValueError(
            f"the patterns of {first.shape[-1]} and {second.shape[-1]} tokens cannot be laid over "
            "one another; compare the heads' scores, or give texts of as many tokens"
        )
    return total_variation(first, second)


def total_variation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Returns half of the sum of all changes, because other keys gain what one key loses.

    (..., T) twice -> (...).
    """
    moved = abs(second - first).sum(axis=-1) / 2  # step: moved
    return moved


def same_queries(ids: Sequence[int], others: Sequence[int]) -> np.ndarray:
    """Returns (T,) bool: the queries whose attention can be compared. Their own token is the same
    in both texts, of equal length; if none of these follows a difference, all queries are True.
    """
    same = np.asarray(ids) == np.asarray(others)
    after = np.cumsum(~same) > 0
    return same if (same & after).any() else np.ones_like(same)


def moved_step(first: np.ndarray, second: np.ndarray) -> Step:
    """Returns `total_variation` of one query, weights (T,) twice, as a Step."""
    values = {"first": first, "second": second, "moved": total_variation(first, second)}
    return Step(
        "heads.moved",
        "How much of a query's attention goes elsewhere",
        r"d = \frac{1}{2} \sum_j \left| a_j^{(2)} - a_j^{(1)} \right|",
        "core.inference.head_comparison:total_variation#moved",
        {name: np.array(value) for name, value in values.items()},
    )


def score_difference(first: HeadScores, second: HeadScores) -> np.ndarray:
    """Returns (L, H): the largest difference in any of their scores, 0 to 1; for texts of different
    lengths, this is the only comparison.
    """
    scores = zip(first.by_name().values(), second.by_name().values(), strict=True)
    return np.stack([np.abs(one - other) for one, other in scores]).max(axis=0)
