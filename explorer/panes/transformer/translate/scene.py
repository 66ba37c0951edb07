"""What stands where in a translation: two rows of tokens, and the reading between them. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.trace import Trace

MOST = 6  # likeliest tokens that are told of


@dataclass(frozen=True, eq=False)
class TranslationScene:
    """A translation as it is shown, from its trace: one head's reading, and that of all. `piece`:
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
        """(L, H, Tt, Ts): how much each head read."""
        return self.trace.about["captured"].cross

    @property
    def head(self) -> tuple[int, int]:
        """Layer and head of the one that is seen."""
        return self.trace.about["head"]

    @property
    def weights(self) -> np.ndarray:
        """(Tt, Ts): those of that head."""
        return self.cross[self.head]

    def likeliest(self, place: int) -> list[tuple[bytes, float]]:
        """Before a token of the target came: what might have, and how likely it was."""
        shares = self.trace[self.trace.children()[place]].value("probabilities")
        best = np.argsort(-shares, kind="stable")[:MOST].tolist()
        return [(self.piece(one), float(shares[one])) for one in best]
