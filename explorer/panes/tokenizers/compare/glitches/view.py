"""The view of Glitches: the model, the ordered list of suspects, the histogram of all pieces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from core.tokenization.analysis.glitches import GlitchCandidate
from explorer import theme
from explorer.panes.tokenizers.compare.glitches import text
from explorer.panes.tokenizers.compare.glitches.draw_histogram import Histogram
from explorer.panes.tokenizers.compare.piece_list import PieceList
from explorer.widgets.base import set_look
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.drop_down import DropDown
from explorer.widgets.push_button import push_button
from explorer.widgets.stateful import StatefulPicture

NAME = 270  # px, largest width of a model's name


class GlitchesView(QWidget):
    """The view; emits `source.picked(id)`, `folderRequested`, `candidateChosen(row)`."""

    folderRequested = Signal()
    candidateChosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.compare.glitches")
        self.source = DropDown("The model whose embeddings are compared")
        self.folder = push_button(f"{text.CHOOSE}\u2026", text.FOLDER)
        self.folder.clicked.connect(self.folderRequested)
        self._note = CutLabel("label", "muted")
        self._note.set_text(text.NOTE)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.source)
        top.addWidget(self.folder)
        top.addWidget(self._note, 1)
        self.list = PieceList("Suspects, the least trained first")
        self.list.setObjectName("tokenizers.compare.suspects")
        self.list.pieceChosen.connect(self.candidateChosen)
        self.histogram = Histogram()
        self.histogram.setObjectName("tokenizers.compare.spread")
        inner = QWidget()
        self._line = QHBoxLayout(inner)
        self._line.setContentsMargins(0, 0, 0, 0)
        for part, stretch in ((self.list, 3), (self.histogram, 2)):
            card = QFrame()
            set_look(card, "card")
            inside = QVBoxLayout(card)
            inside.setContentsMargins(8, 8, 8, 8)
            inside.addWidget(part)
            self._line.addWidget(card, stretch)
        self.body = StatefulPicture(inner, "lines")
        self.body.actionRequested.connect(self.folderRequested)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.body, 1)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_sources(self, sources: Sequence[tuple[str, str]], chosen: str) -> None:
        """Lists the models, (id, name) each, and selects `chosen`."""
        self.source.fill([(name, one) for one, name in sources], chosen)
        self.source.setToolTip(dict(sources).get(chosen, ""))
        self.source.setVisible(bool(sources))

    def set_found(
        self, tokenizer: Any, candidates: Sequence[GlitchCandidate], similarity: np.ndarray
    ) -> None:
        ids = [one.token for one in candidates]
        notes = [text.note(one) for one in candidates]
        shares = [one.similarity for one in candidates]
        self.list.set_rows(tokenizer, ids, notes.__getitem__, shares.__getitem__)
        self.histogram.set_similarity(similarity)
        self.histogram.set_current(shares[0] if shares else None)
        self.body.show_ready()

    def displayed(self) -> dict[str, np.ndarray]:
        return {**self.histogram.displayed(), "ids": np.array(list(self.list.pieces.ids))}

    def _restyle(self) -> None:
        now = theme.current()
        self._line.setSpacing(now.px(8))
        self.source.setMaximumWidth(now.px(NAME))
        for part in (self.source, self.folder):
            part.setFixedHeight(now.px("control"))
