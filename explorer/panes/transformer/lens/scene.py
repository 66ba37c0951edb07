"""What stands where: the table of the lens, the bars of who told it, the sentences. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from core.tokenization.telling import quoted, visible
from explorer.panes.transformer.lens import text
from explorer.panes.transformer.lens.draft import Part
from explorer.widgets.signed_bar import SignedBar
from explorer.widgets.word_grid import WordGrid

if TYPE_CHECKING:
    from core.inference.explanation import Explanation


def name_of(part: Part) -> str:
    """A head, or the MLP of a layer."""
    layer, head = part
    return f"MLP {layer}" if head is None else f"head {layer}.{head}"


@dataclass(frozen=True, eq=False)
class Scene:
    """An explanation as it is shown; `piece`: the bytes of a token, `word`: how it is written in a
    cell.
    """

    found: Explanation
    piece: Callable[[int], bytes]
    word: Callable[[int], str]

    def quoted(self, token: int) -> str:
        """A token in a sentence."""
        piece = self.piece(token).decode("utf-8", "replace")
        return quoted(piece.strip() or visible(piece))

    @cached_property
    def rows(self) -> tuple[str, ...]:
        return self.found.lens.names

    @property
    def last(self) -> int:
        return len(self.rows) - 1

    @property
    def columns(self) -> list[int]:
        """Positions of the tokens in the table."""
        return self.found.lens.positions.tolist()

    @property
    def column(self) -> int:
        """The one that is explained."""
        return self.columns.index(self.found.position)

    def grid(self) -> WordGrid:
        lens, ids = self.found.lens, self.found.ids.tolist()
        first = lens.likeliest[..., 0]  # (P, T)
        return WordGrid(
            rows=self.rows,
            columns=tuple(self.word(ids[at]) for at in self.columns),
            words=np.array([[self.word(one) for one in row] for row in first.tolist()], object),
            shares=lens.probability[..., 0],
            strong=first == lens.tokens[:, 0],
            lengths=lens.norms,
            titles=text.TITLES,
            first=self.columns[0],
            total=len(ids),
        )

    @cached_property
    def _terms(self) -> list[tuple[Any, Any]]:
        """Before and after the changes, by how much they were before; the rest last."""
        pairs = list(zip(self.found.before.terms, self.found.after.terms, strict=True))
        return sorted(pairs[:-1], key=lambda pair: -abs(pair[0].value)) + pairs[-1:]

    @property
    def parts(self) -> list[Part | None]:
        """Of each bar what can be switched: a head, or an MLP."""
        terms = [after for _, after in self._terms]
        return [(x.layer, x.head) if x.kind in ("head", "mlp") else None for x in terms]

    def bars(self) -> list[SignedBar]:
        """Who pushed the token."""
        bars, changed, token = [], self.found.intervention, self.quoted(self.found.token)
        off = {*changed.heads, *((layer, None) for layer in changed.mlps)}
        for (before, after), part in zip(self._terms, self.parts, strict=True):
            was = before.value if self.found.is_changed else None
            tip = text.term_tip(after, token, part in off)
            if is_rest := after.kind == "unexplained":
                tip = text.unexplained_tip(self.found.after.norms)
            how = part in off, part is None, is_rest, tip
            bars.append(SignedBar(after.name, after.value, was, *how))
        return bars

    def shares_at(self, row: int, share: float) -> np.ndarray:
        """Probabilities of the tokens that are shown, so far from a place to the next."""
        places = self.found.trace.children()[row : row + 2]
        near = [self.found.trace[one].value("probabilities") for one in places]
        return near[0] + (near[-1] - near[0]) * share

    def tip(self, row: int, column: int) -> str:
        """Of a cell."""
        lens, read = self.found.lens, int(self.found.ids[self.columns[column]])
        pairs = zip(lens.likeliest[row, column], lens.shares[row, column], strict=True)
        said = [(self.quoted(int(one)), float(share)) for one, share in pairs]
        share, rank = float(lens.probability[row, column, 0]), int(lens.rank[row, column, 0])
        answer = self.quoted(int(lens.tokens[column, 0]))
        return text.cell_tip(self.rows[row], self.quoted(read), said, answer, share, rank)

    def headline(self, row: int, off: Sequence[str]) -> str:
        """What is seen at a place; `off`: what is switched off."""
        lens, told, column = self.found.lens, self.found.comparison, self.column
        rank, answer = lens.rank[:, column, 0], self.quoted(int(lens.tokens[column, 0]))
        if row < self.last:
            word = self.quoted(int(lens.likeliest[row, column, 0]))
            return text.at_place(self.rows[row], word, answer, int(rank[row]))
        if self.found.is_changed:
            token = self.found.token
            was, now = (float(one.probabilities[token]) for one in (told.before, told.after))
            return text.changed(self.quoted(token), was, now, off)
        most = max(self.bars()[:-1], key=lambda bar: bar.value)
        return text.headline(answer, self.rows[lens.leads_from(column)], most.name)
