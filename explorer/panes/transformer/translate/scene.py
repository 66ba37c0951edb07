"""What stands where in a translation: two rows of tokens, and the reading between them. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST = 6  # likeliest tokens that are told of


@dataclass(frozen=True, eq=False)
class TranslationScene:
    """One head's reading, and that of all.

    source, target  the bytes of their tokens
    cross           (L, H, Tt, Ts): how much each head read
    head            (layer, head) of the one that is seen
    spans           for each token of the target, the part of the source that the head read most
    likeliest       before each: what might have come, and how likely it was
    """

    source: tuple[bytes, ...]
    target: tuple[bytes, ...]
    cross: np.ndarray
    head: tuple[int, int]
    spans: tuple[slice, ...]
    likeliest: tuple[list[tuple[bytes, float]], ...]

    @property
    def weights(self) -> np.ndarray:
        """(Tt, Ts): those of the head that is seen."""
        return self.cross[self.head]


def scene_of(trace: Any, source: Sequence[int], piece: Callable[[int], bytes]) -> TranslationScene:
    """`trace`: `core.inference.translation_trace.trace_translation` of these tokens."""
    shares = [trace[step].value("probabilities") for step in trace.children()]
    best = [np.argsort(-one, kind="stable")[:MOST].tolist() for one in shares]
    return TranslationScene(
        source=tuple(map(piece, source)),
        target=tuple(piece(int(one)) for one in trace.about["written"]),
        cross=trace.about["captured"].cross,
        head=trace.about["head"],
        spans=tuple(trace.about["spans"]),
        likeliest=tuple(
            [(piece(at), float(one[at])) for at in ids]
            for ids, one in zip(best, shares, strict=True)
        ),
    )
