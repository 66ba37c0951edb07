"""The heads in two readings: on two texts, or on one text before and after fine-tuning. No Qt.
Letters in shapes as in `compute`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.inference.head_comparison import moved_attention, same_queries, score_difference
from explorer.panes.attention.compute import Heads


@dataclass(frozen=True, eq=False)
class Comparison:
    """The heads of a model on two texts, or of a base model and its fine-tuned version on one text.

    of_base     True if `first` are the heads before fine-tuning
    moved       (L, H, T): the share of each query's attention that moves to other keys; None for
                texts of different lengths
    difference  (L, H): the largest of these shares over the queries that can be compared; for
                texts of different lengths, `score_difference`
    """

    first: Heads
    second: Heads
    of_base: bool
    moved: np.ndarray | None
    difference: np.ndarray

    @property
    def shown(self) -> Heads:
        """The heads of the open model on its text."""
        return self.second if self.of_base else self.first

    @property
    def is_aligned(self) -> bool:
        """Whether both texts have the same number of tokens."""
        return self.moved is not None

    @property
    def is_same_text(self) -> bool:
        return self.first.prompt.ids == self.second.prompt.ids

    def query(self, layer: int, head: int) -> int:
        """Returns the query whose attention changes most; the last one if the lengths differ."""
        if self.moved is None:
            return self.first.n_tokens - 1
        return int(self.moved[layer, head].argmax())

    @property
    def labels(self) -> list[str]:
        """Labels of queries and keys; where the texts differ, the tokens of both."""
        pairs = zip(self.first.prompt.labels, self.second.prompt.labels, strict=False)
        return [one if one == other else f"{one.strip()}/{other.strip()}" for one, other in pairs]

    def weights(self, layer: int, head: int, hide_first: bool) -> tuple[np.ndarray, np.ndarray]:
        """Returns the (T, T) weights of one head in the first and in the second reading."""
        both = self.first, self.second
        first, second = (one.weights(layer, head, hide_first) for one in both)
        return first, second

    def change(self, layer: int, head: int, hide_first: bool) -> np.ndarray:
        """Returns second minus first, (T, T), for texts of the same length."""
        first, second = self.weights(layer, head, hide_first)
        return second - first

    def maps(self, hide_first: bool) -> np.ndarray:
        """Returns how much each weight differs, (L, H, T, T); for texts of different lengths, the
        weights of the second reading.
        """
        second = self.second.maps(hide_first)
        return np.abs(second - self.first.maps(hide_first)) if self.is_aligned else second


def compare(first: Heads, second: Heads, of_base: bool = False) -> Comparison:
    """Compares two readings. Meant for the engine's thread."""
    ids, others = first.prompt.ids, second.prompt.ids
    if len(ids) != len(others):
        difference = score_difference(first.scores, second.scores)
        return Comparison(first, second, of_base, None, difference)
    moved = moved_attention(first.attention, second.attention)
    moved = np.where(same_queries(ids, others), moved, 0)
    return Comparison(first, second, of_base, moved, moved.max(axis=-1))
