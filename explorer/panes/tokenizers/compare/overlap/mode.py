"""Overlap: connects the map of all pairs of vocabularies to the pieces of the selected pair."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from PySide6.QtCore import QObject

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
from explorer.panes.tokenizers.compare.overlap import text
from explorer.panes.tokenizers.compare.overlap.view import OverlapView
from explorer.panes.tokenizers.compare.submode import Submode
from explorer.widgets.equations import Equation

Overlaps = dict[tuple[int, int], Overlap]


class OverlapMode(Submode):
    """The submode: the overlaps of all pairs of open tokenizers, and the selected pair."""

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(engine, parent)
        self.overlaps: Overlaps = {}
        self.pair = (0, 1)
        self._of: list[Opened] = []  # the tokenizers that are compared
        self.view = OverlapView()
        self.view.pairChosen.connect(self.choose)
        self.view.pieceChosen.connect(self._on_piece)
        self.runs.came.connect(self._on_overlaps)
        self.runs.failed.connect(self._on_failed)

    def show_missing(self) -> None:
        self.view.set_missing(self.missing)

    def ask(self) -> None:
        self.show_missing()
        opened = self.opened
        if len(opened) < 2:
            self.runs.stop()
            self.overlaps, self._of = {}, []
            self.view.body.show_empty(text.EMPTY)
        elif list(map(id, opened)) != list(map(id, self._of)):
            self.runs.ask(lambda: self._begin(opened), "comparing vocabularies")
        self.changed.emit()

    def _begin(self, opened: list[Opened]) -> Generator[Any, None, Overlaps]:
        self.overlaps, self._of = {}, opened
        self.view.body.show_loading("comparing vocabularies")
        return all_overlaps_steps([one.tokenizer for one in opened])

    def _on_overlaps(self, overlaps: Overlaps) -> None:
        self.overlaps = overlaps
        size = len(self._of)
        shares = np.eye(size)
        for (i, j), overlap in overlaps.items():
            shares[i, j] = overlap.share_of_first
        self.view.set_shares(shares, [one.name for one in self._of])
        self.choose(*(self.pair if max(self.pair) < size else (0, 1)))

    def _on_failed(self, message: str) -> None:
        self._of = []
        self.view.body.show_error(message)

    def choose(self, first: int, second: int) -> None:
        """Selects a pair: how much of the first vocabulary is also in the second?"""
        if first == second or max(first, second) >= len(self._of):
            return
        self.pair = (first, second)
        if self.overlap is not None:
            tokenizers = (self._of[first].tokenizer, self._of[second].tokenizer)
            self.view.set_pair(self.pair, tokenizers, self.names, self.overlap)
        self.changed.emit()

    @property
    def overlap(self) -> Overlap | None:
        """The overlap of the selected pair, or None if it is not computed yet."""
        return self.overlaps.get(self.pair)

    @property
    def names(self) -> tuple[str, str]:
        first, second = (self._of[place].name for place in self.pair)
        return first, second

    def _on_piece(self, second: bool, token: int) -> None:
        self.pieceChosen.emit(self._of[self.pair[second]], token)

    # headline and inspector

    def headline(self) -> str:
        return text.headline(self.overlap, *self.names) if self.overlap is not None else text.IDLE

    def steps(self) -> list[Step]:
        if self.overlap is None:
            return []
        common, first, second = self.overlap.counts
        return [share_step(common, common + first), jaccard_step(common, first, second)]

    def inspection(self, place: int) -> Inspection | None:
        overlap, steps = self.overlap, self.steps()
        if overlap is None:
            return None
        common, only_first, only_second = overlap.counts
        first, second = self.names

        def row(name: str, value: float, whole: int, role: str = "text") -> Equation:
            return Equation(name, value, role, f"= {common:,} / {whole:,}")

        rows: list[Any] = [
            text.SYMBOLS,
            row(f"share of {first}", overlap.share_of_first, common + only_first, "attention"),
            row(f"share of {second}", overlap.share_of_second, common + only_second),
            row("Jaccard index", overlap.jaccard, common + only_first + only_second),
            text.BYTES,
        ]
        table = {
            "in both, by first id and second": overlap.common,
            f"only in {first}": overlap.only_first,
            f"only in {second}": overlap.only_second,
        }
        step = steps[min(place, len(steps) - 1)]
        return Inspection(step, rows, table, title=step.title)
