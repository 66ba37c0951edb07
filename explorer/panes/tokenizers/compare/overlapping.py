"""Overlap: what every two vocabularies share, and the pieces that only one of them has."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.tokenization.analysis.overlap import (
    Overlap,
    all_overlaps_steps,
    jaccard_step,
    share_step,
)
from core.trace import Step
from explorer.engine import Engine
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.compare.overlap_view import OverlapView
from explorer.panes.tokenizers.compare.tool import Tool
from explorer.widgets.live_numbers import Equation


class Overlapping(Tool):
    """All pairs of the open tokenizers; one pair is looked at."""

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(engine, parent)
        self.overlaps: dict[tuple[int, int], Overlap] = {}
        self.pair = (0, 1)
        self._known: list[int] = []  # the open ones that the overlaps are of
        self.view = OverlapView()
        self.view.pairChosen.connect(self.choose)
        self.view.pieceChosen.connect(self._on_piece)

    def widget(self) -> QWidget:
        return self.view

    def look(self) -> None:
        opened = self.opened
        if len(opened) < 2:
            self.stop()
            self.overlaps, self._known = {}, []
            self.view.show_empty()
        elif [id(one) for one in opened] != self._known and self.engine.alive:
            self.overlaps = {}
            self._known = [id(one) for one in opened]
            self.view.show_loading()
            steps = all_overlaps_steps([one.tokenizer for one in opened])
            self.run(steps, "comparing vocabularies")
        self.changed.emit()

    def on_done(self, result: dict[tuple[int, int], Overlap]) -> None:
        self.overlaps = result
        size = len(self.opened)
        if max(self.pair) >= size:
            self.pair = (0, 1)
        shares = np.eye(size)
        for (i, j), overlap in result.items():
            shares[i, j], shares[j, i] = overlap.share_of_first, overlap.share_of_second
        self.view.set_shares(shares, [one.name for one in self.opened])
        self.choose(*self.pair)

    def on_failed(self, message: str) -> None:
        self._known = []
        self.view.show_error(message)

    def choose(self, first: int, second: int) -> None:
        """Looks at a pair: how much of the first one the second has too."""
        if first == second or max(first, second) >= len(self.opened):
            return
        self.pair = (first, second)
        opened, overlap = self.opened, self.overlap
        if overlap is not None:
            tokenizers = (opened[first].tokenizer, opened[second].tokenizer)
            self.view.set_pair(self.pair, tokenizers, self.names, overlap)
        self.changed.emit()

    @property
    def overlap(self) -> Overlap | None:
        """Of the pair, the one that is asked about first."""
        first, second = self.pair
        found = self.overlaps.get((min(self.pair), max(self.pair)))
        if found is None or first < second:
            return found
        common = sorted((other, one) for one, other in found.common)
        return Overlap(common, found.only_second, found.only_first)

    @property
    def names(self) -> tuple[str, str]:
        opened = self.opened
        return opened[self.pair[0]].name, opened[self.pair[1]].name

    def _on_piece(self, second: bool, token: int) -> None:
        self.pieceChosen.emit(self.opened[self.pair[1 if second else 0]], token)

    # what is said

    def headline(self) -> str:
        overlap = self.overlap
        if overlap is None:
            return "What vocabularies share: choose two or more tokenizers"
        first, second = self.names
        return (
            f"{overlap.share_of_first:.0%} of the pieces of {first} are in {second} too, "
            f"and {overlap.share_of_second:.0%} the other way round"
        )

    def steps(self) -> list[Step]:
        overlap = self.overlap
        if overlap is None:
            return []
        common, first, second = self._counts(overlap)
        return [share_step(common, common + first), jaccard_step(common, first, second)]

    @staticmethod
    def _counts(overlap: Overlap) -> tuple[int, int, int]:
        return len(overlap.common), len(overlap.only_first), len(overlap.only_second)

    def inspection(self, place: int) -> Inspection | None:
        overlap, steps = self.overlap, self.steps()
        if overlap is None:
            return None
        common, only_first, only_second = self._counts(overlap)
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
            "common, first id and second": np.array(overlap.common, dtype=np.int64).reshape(-1, 2),
            f"only in {first}": np.array(overlap.only_first, dtype=np.int64),
            f"only in {second}": np.array(overlap.only_second, dtype=np.int64),
        }
        step = steps[min(max(place, 0), len(steps) - 1)]
        return Inspection(step, rows, table, title=step.title)
