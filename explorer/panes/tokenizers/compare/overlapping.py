"""Overlap: what every two vocabularies share, and the pieces that only one of them has."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.numbers import format_percent
from core.tokenization.analysis.overlap import (
    Overlap,
    all_overlaps_steps,
    jaccard_step,
    share_step,
)
from core.trace import Step
from explorer.engine.engine import Engine
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare.overlap_view import OverlapView
from explorer.panes.tokenizers.compare.tool import Tool
from explorer.widgets.live_numbers import Equation


class Overlapping(Tool):
    """All pairs of the open tokenizers; one pair is looked at."""

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(engine, parent)
        self.overlaps: dict[tuple[int, int], Overlap] = {}
        self.pair = (0, 1)
        self._of: list[Opened] = []  # the tokenizers that the overlaps are of
        self.view = OverlapView()
        self.view.pairChosen.connect(self.choose)
        self.view.pieceChosen.connect(self._on_piece)
        self.view.tokenizerAsked.connect(self.tokenizerAsked)

    def widget(self) -> QWidget:
        return self.view

    def on_missing(self) -> None:
        self.view.set_missing(self.missing)

    def look(self) -> None:
        self.on_missing()
        opened = self.opened
        if len(opened) < 2:
            self.stop()
            self.overlaps, self._of = {}, []
            self.view.show_empty()
        elif not same(opened, self._of):
            self.run(lambda: self._begin(opened), "comparing vocabularies")
        self.changed.emit()

    def _begin(self, opened: list[Opened]) -> Generator[Any, None, dict[tuple[int, int], Overlap]]:
        self.overlaps, self._of = {}, opened
        self.view.show_loading()
        return all_overlaps_steps([one.tokenizer for one in opened])

    def on_done(self, result: dict[tuple[int, int], Overlap]) -> None:
        self.overlaps = result
        size = len(self._of)
        if max(self.pair) >= size:
            self.pair = (0, 1)
        shares = np.eye(size)
        for (i, j), overlap in result.items():
            shares[i, j] = overlap.share_of_first
        self.view.set_shares(shares, [one.name for one in self._of])
        self.choose(*self.pair)

    def on_failed(self, message: str) -> None:
        self._of = []
        self.view.show_error(message)

    def choose(self, first: int, second: int) -> None:
        """Looks at a pair: how much of the first one the second has too."""
        if first == second or max(first, second) >= len(self._of):
            return
        self.pair = (first, second)
        if self.overlap is not None:
            tokenizers = (self._of[first].tokenizer, self._of[second].tokenizer)
            self.view.set_pair(self.pair, tokenizers, self.names, self.overlap)
        self.changed.emit()

    @property
    def overlap(self) -> Overlap | None:
        """Of the pair, the one that is asked about first."""
        return self.overlaps.get(self.pair)

    @property
    def names(self) -> tuple[str, str]:
        first, second = (self._of[place].name for place in self.pair)
        return first, second

    def _on_piece(self, second: bool, token: int) -> None:
        self.pieceChosen.emit(self._of[self.pair[1 if second else 0]], token)

    # what is said

    def headline(self) -> str:
        overlap = self.overlap
        if overlap is None:
            return "What vocabularies share: choose two or more tokenizers"
        first, second = self.names
        return (
            f"{format_percent(overlap.share_of_first)} of the pieces of {first} are in {second} "
            f"too, and {format_percent(overlap.share_of_second)} the other way round"
        )

    def steps(self) -> list[Step]:
        overlap = self.overlap
        if overlap is None:
            return []
        common, first, second = overlap.counts
        return [share_step(common, common + first), jaccard_step(common, first, second)]

    def inspection(self, place: int) -> Inspection | None:
        overlap, steps = self.overlap, self.steps()
        if overlap is None:
            return None
        common, only_first, only_second = overlap.counts
        first, second = self.names
        rows: list[Any] = [
            Equation(
                f"of {first}",
                overlap.share_of_first,
                "attention",
                f"= {common:,} / {common + only_first:,}",
            ),
            Equation(
                f"of {second}",
                overlap.share_of_second,
                note=f"= {common:,} / {common + only_second:,}",
            ),
            Equation(
                "Jaccard",
                overlap.jaccard,
                note=f"= {common:,} / {common + only_first + only_second:,}",
            ),
            "Compared by their bytes, special tokens left out.",
        ]
        table = {
            "common, first id and second": overlap.common,
            f"only in {first}": overlap.only_first,
            f"only in {second}": overlap.only_second,
        }
        step = steps[min(max(place, 0), len(steps) - 1)]
        return Inspection(step, rows, table, title=step.title)


def same(some: Sequence[Opened], others: Sequence[Opened]) -> bool:
    """Whether these are the very same tokenizers in the same order."""
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))
