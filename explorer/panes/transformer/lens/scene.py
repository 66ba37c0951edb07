"""What stands where: the table of the lens, and the bars of who told it. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from core.tokenization.telling import quoted_piece, shown
from explorer.panes.transformer.lens import text

if TYPE_CHECKING:
    from core.inference.attribution import LogitTerm
    from core.inference.explanation import Explanation


@dataclass(frozen=True, eq=False)
class Scene:
    """An explanation as it is shown: a table of P places from the bottom up and T tokens side by
    side, and terms, a bar each. `piece`: the bytes of a token.
    """

    found: Explanation
    piece: Callable[[int], bytes]

    def quoted(self, token: int) -> str:
        """A token in a sentence."""
        return quoted_piece(self.piece(token))

    def word(self, token: int) -> str:
        """A token in a cell."""
        return shown("", self.piece(token))

    @cached_property
    def rows(self) -> tuple[str, ...]:
        return self.found.lens.names

    @property
    def last(self) -> int:
        return len(self.rows) - 1

    @cached_property
    def columns(self) -> list[int]:
        """Positions of the tokens."""
        return self.found.lens.positions.tolist()

    @property
    def column(self) -> int:
        """That of the token whose next one is explained."""
        return self.columns.index(self.found.position)

    @cached_property
    def read(self) -> list[str]:
        """The tokens of the columns."""
        return [self.word(int(self.found.ids[at])) for at in self.columns]

    @cached_property
    def words(self) -> np.ndarray:
        """(P, T) what the model would say."""
        said = self.found.lens.likeliest[..., 0].tolist()
        return np.array([[self.word(one) for one in row] for row in said], object)

    @property
    def shares(self) -> np.ndarray:
        """(P, T) the answer's probability."""
        return self.found.lens.probabilities[..., 0]

    def tip(self, row: int, column: int) -> str:
        """Of a cell."""
        lens, read = self.found.lens, int(self.found.ids[self.columns[column]])
        likeliest, shares = lens.likeliest[row, column], lens.likeliest_probabilities[row, column]
        pairs = zip(likeliest, shares, strict=True)
        said = [(self.quoted(int(one)), float(share)) for one, share in pairs]
        answer = self.quoted(int(lens.tokens[column, 0]))
        place = float(self.shares[row, column]), int(lens.rank[row, column, 0])
        return text.cell_tip(self.rows[row], self.quoted(read), said, answer, *place)

    @cached_property
    def terms(self) -> list[tuple[LogitTerm, LogitTerm]]:
        """Before and after the change, the largest first, what is unexplained last."""
        return self.found.terms

    def is_off(self, term: LogitTerm) -> bool:
        return term.part in self.found.intervention.off

    def told(self, place: int) -> str:
        """Of a term."""
        term, norms = self.terms[place][1], self.found.after.norms
        return text.term_tip(term, self.quoted(self.found.token), self.is_off(term), norms)

    def shares_at(self, row: int, way: float) -> np.ndarray:
        """(K,) probabilities of the tokens shown, `way` 0..1 from a place to the next."""
        near = self.found.probabilities[row : row + 2]
        return near[0] + (near[-1] - near[0]) * way

    def headline(self, row: int) -> str:
        """What is seen at a place."""
        lens, told, token = self.found.lens, self.found.comparison, self.found.token
        answer = self.quoted(int(lens.tokens[self.column, 0]))
        if row < self.last:
            word = self.quoted(int(lens.likeliest[row, self.column, 0]))
            return text.at_place(self.rows[row], word, answer, int(lens.rank[row, self.column, 0]))
        if self.found.is_changed:
            was, now = (float(one.probabilities[token]) for one in (told.before, told.after))
            return text.changed(self.quoted(token), was, now, [*self.found.intervention.off])
        most = max((after for _, after in self.terms[:-1]), key=lambda term: term.value)
        first = lens.leads_from(self.column)
        return text.headline(answer, self.rows[self.last if first is None else first], most.name)
