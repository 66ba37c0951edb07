"""The likeliest tokens at each step of the choice, as plain numbers. Does not import Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from core.numbers import format_fixed, format_share

if TYPE_CHECKING:
    from core.inference.sampling_table import SamplingTable
    from core.trace import Trace

CUTS = ("top_k", "top_p", "min_p")


@dataclass(frozen=True, eq=False)
class Scene:
    """The n likeliest tokens, a row each, then one row for all others, at S steps.

    pieces      the bytes of the tokens
    lengths     (S, n + 1) of the bars, 0 to 1
    words       (S, n + 1) next to the bars
    boundaries  (names, row below which they cut) of the cuts that remove a token
    is_cut      whether a cut has removed any token
    came        the row of the chosen token
    drawn       the random number, 0 to 1; None if the text already has the token
    """

    table: SamplingTable
    pieces: tuple[bytes, ...]
    lengths: np.ndarray
    words: tuple[tuple[str, ...], ...]
    boundaries: tuple[tuple[str, int], ...]
    is_cut: bool
    came: int
    drawn: float | None

    def step(self, position: float) -> int:
        return min(max(int(position), 0), len(self.table.steps) - 1)

    def lengths_at(self, position: float) -> np.ndarray:
        """Returns (n + 1,) lengths, interpolated between two steps."""
        step = self.step(position)
        before, after = self.lengths[step], self.lengths[self.step(step + 1)]
        return before + (after - before) * (position - step)

    def came_at(self, step: int) -> int | None:
        """Returns the row of the chosen token, or None before the draw."""
        has_come = self.drawn is None or self.table.steps[step] in ("draw", "append")
        return self.came if has_come else None

    def row_at(self, step: int) -> int:
        """Returns the row to explain at a step: the chosen token, or the likeliest before it."""
        came = self.came_at(step)
        return int(self.table.values[step].argmax()) if came is None else came


def scene_of(trace: Trace, piece: Callable[[int], bytes]) -> Scene:
    """Returns the scene of a token's choice; `piece` returns the bytes of a token."""
    from core.inference.sampling_table import sampling_table

    table, sampling, found = sampling_table(trace), trace.about["sampling"], trace.about["next"]
    others, lengths, words = len(found.kept) - len(table.ids), [], []
    for values, rest in zip(table.values, table.rest, strict=True):
        if np.isnan(rest):  # bars of scores start at the smallest; the other tokens have none
            span = np.ptp(values) or 1.0
            lengths.append(np.append(0.05 + 0.95 * (values - values.min()) / span, 0.0))
            words.append((*map(format_fixed, values), f"{others:,} more"))
        else:
            shares = np.append(values, rest)
            lengths.append(shares / (shares.max() or 1.0))
            words.append(tuple(map(format_share, shares)))
    cuts, left = [], np.ones(len(found.kept), bool)
    for name in CUTS:
        before, left = left, left & getattr(found, name).numpy()
        if (before != left).any():
            row = int(table.kept[table.steps.index(name)].sum())
            cuts.append((row, f"{name[:3]}-{name[4:]} {getattr(sampling, name):g}"))
    by_row = groupby(cuts, lambda cut: cut[0])
    return Scene(
        table=table,
        pieces=tuple(map(piece, table.ids)),
        lengths=np.array(lengths),
        words=tuple(words),
        boundaries=tuple((", ".join(name for _, name in some), row) for row, some in by_row),
        is_cut=bool(cuts),
        came=table.ids.index(trace.about["token"]),
        drawn=trace.about["drawn"],
    )
