"""The overlap map, a cell for each pair of vocabularies, and the pieces of the selected pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from core.tokenization.analysis.overlap import Overlap
from explorer import theme
from explorer.panes.tokenizers.compare.overlap import text
from explorer.panes.tokenizers.compare.piece_list import PieceList
from explorer.panes.tokenizers.shown_tokenizers import Missing
from explorer.widgets.base import Label, set_look
from explorer.widgets.cut_label import CutLabel, NameLabel
from explorer.widgets.heat_map import HeatMap
from explorer.widgets.stateful import StatefulPicture

MAP = 350  # px, least width


class SetColumn(QFrame):
    """The pieces that are only in one vocabulary, or in both."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        set_look(self, "card")
        self._name = NameLabel("body")
        self._name.leads = text.ONLY
        self._count = Label("", "title", weight=600)
        self.list = PieceList("Pieces")
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.setSpacing(2)
        column.addWidget(self._name)
        column.addWidget(self._count)
        column.addSpacing(4)
        column.addWidget(self.list, 1)

    def set_pieces(self, name: str, tokenizer: Any, ids: Sequence[int]) -> None:
        self._name.set_text(name)
        self._count.setText(f"{len(ids):,}")
        self.list.setAccessibleName(name)
        self.list.set_rows(tokenizer, ids)


class OverlapView(QWidget):
    """Emits `pairChosen(row, column)` and `pieceChosen(is_second, token)`."""

    pairChosen = Signal(int, int)
    pieceChosen = Signal(bool, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.compare.overlap")
        self.map = HeatMap("Share of each vocabulary that is also in the others")
        self.map.setObjectName("tokenizers.compare.overlaps")
        self.map.set_scale("attention", 0.0, 1.0)
        self.map.set_axis_titles("pieces of", "also in")
        self.sets = [SetColumn() for _ in range(3)]
        inner = QWidget()
        self._line = QHBoxLayout(inner)
        self._line.setContentsMargins(0, 0, 0, 0)
        left = QVBoxLayout()
        left.addWidget(self.map, 1)
        left.addWidget(Label(text.NOTE, "label", "muted", wrap=True))
        self._line.addLayout(left, 5)
        for column in self.sets:
            self._line.addWidget(column, 3)
        self.body = StatefulPicture(inner, "grid")
        self.body.skeleton.set_grid(4, 6)
        self.note = CutLabel("body", "muted")
        self.note.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addWidget(self.note)
        outer.addWidget(self.body, 1)
        self.map.cellClicked.connect(self._on_cell)
        self.map.currentChanged.connect(self._on_cell)
        for place, column in enumerate(self.sets):
            column.list.pieceChosen.connect(
                lambda row, place=place, column=column: self.pieceChosen.emit(
                    place == 2, int(column.list.pieces.ids[row])
                )
            )
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_missing(self, missing: Mapping[int, Missing]) -> None:
        """Lists above the map the tokenizers that failed or are still downloading."""
        told = [one for one in missing.values() if one.error or one.away]
        said = [f"{one.failed or one.name}: {one.error or one.waiting}" for one in told]
        self.note.set_text("; ".join(said))
        self.note.setVisible(bool(said))

    def set_shares(self, shares: np.ndarray, names: Sequence[str]) -> None:
        """Shows the shares (n, n) of each row's pieces that each column's vocabulary also has."""
        self.map.set_values(shares, np.eye(len(names), dtype=bool))
        self.map.set_labels(list(names), list(names), named=True)
        self._restyle()
        self.body.show_ready()

    def set_pair(
        self,
        pair: tuple[int, int],
        tokenizers: tuple[Any, Any],
        names: tuple[str, str],
        overlap: Overlap,
    ) -> None:
        self.map.set_highlight(*pair)
        self.map.set_current(*pair)
        first, both, second = self.sets
        first.set_pieces(f"{text.ONLY}{names[0]}", tokenizers[0], overlap.only_first)
        both.set_pieces(text.BOTH, tokenizers[0], overlap.common[:, 0])
        second.set_pieces(f"{text.ONLY}{names[1]}", tokenizers[1], overlap.only_second)

    def _on_cell(self, row: int, column: int) -> None:
        if row >= 0 and row != column:
            self.pairChosen.emit(row, column)

    def displayed(self) -> dict[str, np.ndarray]:
        return self.map.displayed()

    def _restyle(self) -> None:
        now = theme.current()
        self.map.setMinimumWidth(max(now.px(MAP), self.map.width_with_numbers()))
        self._line.setSpacing(now.px(8))
