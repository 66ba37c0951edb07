"""The content of the lens's table and bars. Does not import Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from core.tokenization.telling import quoted_piece, shown

if TYPE_CHECKING:
    from core.inference.explanation import Explanation
    from core.inference.logit_change import LogitChange


@dataclass(frozen=True, eq=False)
class Scene:
    """An explanation as it is shown: a table of P places, from the bottom up, and T tokens, and a
    bar for each term. `piece` returns the bytes of a token.
    """

    found: Explanation
    piece: Callable[[int], bytes]

    def quoted(self, token: int) -> str:
        """Returns a token as it is written in a sentence."""
        return quoted_piece(self.piece(int(token)))

    def word(self, token: int) -> str:
        """Returns a token as it is written in a cell."""
        return shown("", self.piece(int(token)))

    @cached_property
    def rows(self) -> tuple[str, ...]:
        return self.found.lens.names

    @property
    def last(self) -> int:
        return len(self.rows) - 1

    @cached_property
    def columns(self) -> list[int]:
        """The positions of the tokens in the text."""
        return self.found.lens.positions.tolist()

    @cached_property
    def change(self) -> LogitChange:
        """The pieces of the logit's change as they are written, so that they add up."""
        return self.found.change.rounded()

    @property
    def column(self) -> int:
        """The column of the token whose successor is explained."""
        return self.columns.index(self.found.position)

    @cached_property
    def read(self) -> list[str]:
        """The tokens of the columns."""
        return [self.word(one) for one in self.found.ids[self.columns]]

    @cached_property
    def words(self) -> np.ndarray:
        """(P, T) the likeliest next tokens."""
        said = self.found.lens.likeliest[..., 0]
        return np.array([[self.word(one) for one in row] for row in said], object)

    @property
    def shares(self) -> np.ndarray:
        """(P, T) probabilities of the final prediction."""
        return self.found.lens.probabilities[..., 0]

    def shares_at(self, way: float) -> np.ndarray:
        """Returns (K,) probabilities of the shown tokens, interpolated, `way` places up."""
        near = self.found.probabilities[int(way) : int(way) + 2]
        return near[0] + (near[-1] - near[0]) * (way % 1)
