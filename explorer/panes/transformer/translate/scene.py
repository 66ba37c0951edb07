"""The content of a translation: two rows of tokens, and the weights between. Does not import Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.trace import Trace

MOST = 6  # likeliest tokens that are listed


@dataclass(frozen=True, eq=False)
class TranslationScene:
    """A translation as it is shown: one head's attention, and that of all heads. `piece` returns
    the bytes of a token.
    """

    trace: Trace
    piece: Callable[[int], bytes]

    @cached_property
    def source(self) -> list[bytes]:
        return [*map(self.piece, self.trace.about["source"].tolist())]

    @cached_property
    def target(self) -> list[bytes]:
        return [*map(self.piece, self.trace.about["written"].tolist())]

    @property
    def cross(self) -> np.ndarray:
        """(L, H, Tt, Ts) attention weights of each head."""
        return self.trace.about["captured"].cross

    @property
    def head(self) -> tuple[int, int]:
        """Layer and index of the head that is shown."""
        return self.trace.about["head"]

    @property
    def weights(self) -> np.ndarray:
        """(Tt, Ts) weights of that head."""
        return self.cross[self.head]

    def likeliest(self, place: int) -> list[tuple[bytes, float]]:
        """Returns the candidates for a target token with their probabilities, likeliest first."""
        shares = self.trace[self.trace.children()[place]].value("probabilities")
        best = np.argsort(-shares, kind="stable")[:MOST].tolist()
        return [(self.piece(one), float(shares[one])) for one in best]
