"""What stands where in a translation: two rows of tokens, and the reading between them. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST = 6  # likeliest tokens that are told of
SEEN = 0.02  # of a head's attention: less is not drawn
LARGE = 0.1  # of a head's attention: what is said in words


@dataclass(frozen=True, eq=False)
class TranslationScene:
    """One head's reading, and that of all.

    source, target  the bytes of their tokens
    weights         (Tt, Ts): how much `head` read
    likeliest       before each token of the target: what might have come, and how likely
    maps            (L, H, P, P) uint8: every head's weights, their rows and columns repeated
    """

    source: tuple[bytes, ...]
    target: tuple[bytes, ...]
    weights: np.ndarray
    head: tuple[int, int]
    likeliest: tuple[tuple[list[bytes], np.ndarray], ...]
    maps: np.ndarray

    def lines(self, place: int) -> list[tuple[int, float]]:
        """Where the head looked for a token of the target, weakest first: (token, weight)."""
        row = self.weights[place]
        return [(int(at), float(row[at])) for at in np.argsort(row) if row[at] >= SEEN]

    def said(self, place: int) -> str:
        """The part of the source that the head read most: neighbors with large weights."""
        row = self.weights[place]
        first = last = int(row.argmax())
        while first > 0 and row[first - 1] >= LARGE:
            first -= 1
        while last + 1 < len(row) and row[last + 1] >= LARGE:
            last += 1
        return b"".join(self.source[first : last + 1]).decode("utf-8", "replace")


def scene_of(trace: Any, source: Sequence[int], piece: Callable[[int], bytes]) -> TranslationScene:
    """`trace`: `core.inference.translation_trace.trace_translation` of these tokens."""
    cross = trace.about["captured"].cross
    shares = [trace[step].value("probabilities") for step in trace.children()]
    best = [np.argsort(-one, kind="stable")[:MOST] for one in shares]
    return TranslationScene(
        tuple(map(piece, source)),
        tuple(piece(int(one)) for one in trace.about["written"]),
        cross[trace.about["head"]],
        trace.about["head"],
        tuple(
            ([piece(int(at)) for at in ids], one[ids])
            for ids, one in zip(best, shares, strict=True)
        ),
        square(cross),
    )


def square(cross: np.ndarray) -> np.ndarray:
    """Weights (L, H, Tt, Ts) as maps (L, H, P, P) uint8: rows and columns are repeated."""
    rows, columns = cross.shape[2:]
    places = np.arange(2 * max(rows, columns))
    stretched = cross[:, :, places * rows // len(places)][..., places * columns // len(places)]
    return np.rint(np.clip(stretched, 0, 1) * 255).astype(np.uint8)
