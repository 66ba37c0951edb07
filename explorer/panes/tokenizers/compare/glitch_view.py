"""The picture of glitch tokens: the suspects in order, and how all pieces are spread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from core.numbers import format_fixed, format_general
from core.tokenization.analysis.glitches import GlitchCandidate
from explorer import theme
from explorer.panes.tokenizers.compare.piece_list import PieceList
from explorer.widgets.base import LEFT, RIGHT, Picture, elide, put_text, set_look
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.stateful import StatefulPicture

BINS = 60
NAME = 240  # px of a model's name


class Spread(Picture):
    """How many pieces have each similarity, on a log scale; a rule at the chosen one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Similarity of all pieces to what was never trained", parent)
        self._counts = np.zeros(BINS, dtype=np.int64)
        self._edges = np.linspace(-1, 1, BINS + 1)
        self._at: float | None = None

    def set_similarity(self, similarity: np.ndarray) -> None:
        low = min(float(similarity.min()), 0.0) if similarity.size else -1.0
        self._counts, self._edges = np.histogram(similarity, BINS, (low, 1.0))
        self.data_changed()

    def set_current(self, similarity: float | None) -> None:
        self._at = similarity
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        return {"counts": self._counts, "edges": self._edges}

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(240), theme.current().px(160))

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        area = QRectF(self.rect()).adjusted(now.px(8), now.px(24), -now.px(8), -now.px(36))
        most = np.log10(1 + max(1, int(self._counts.max())))
        width = area.width() / BINS
        low, high = float(self._edges[0]), float(self._edges[-1])
        small = now.font("label")
        for power in range(1, int(most) + 1):
            y = area.bottom() - area.height() * np.log10(1 + 10**power) / most
            painter.setPen(now.pen("divider"))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            where = QRectF(area.left(), y - now.px(15), now.px(80), now.px(14))
            put_text(painter, where, f"{10**power:,}", small, now.color("muted"), LEFT)
        painter.setPen(now.pen("attention", 0))
        painter.setBrush(now.color("attention"))
        for place, count in enumerate(self._counts):
            tall = area.height() * np.log10(1 + int(count)) / most
            left = area.left() + place * width
            painter.drawRect(QRectF(left + 0.5, area.bottom() - tall, max(1.0, width - 1), tall))
        painter.setPen(now.pen("outline"))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        for value in (low, 0.0, 1.0):
            x = area.left() + (value - low) / (high - low) * area.width()
            where = QRectF(x - now.px(30), area.bottom() + 2, now.px(60), now.px(14))
            if value == high:
                where.moveRight(area.right())
            if value == low:
                where.moveLeft(area.left())
            align = RIGHT if value == high else LEFT
            if low < -0.15 or value != low:
                put_text(painter, where, format_general(value, 2), small, now.color("muted"), align)
        foot = QRectF(area.left(), area.bottom() + now.px(17), area.width(), now.px(16))
        words = "cosine to untrained tokens (log scale)"
        words = elide(words, small, foot.width(), Qt.TextElideMode.ElideRight)
        put_text(painter, foot, words, small, now.color("muted"), LEFT)
        if self._at is not None:
            x = area.left() + (self._at - low) / (high - low) * area.width()
            painter.setPen(now.pen("accent", 2))
            painter.drawLine(QPointF(x, area.top() - 4), QPointF(x, area.bottom()))
            where = QRectF(x - 70, area.top() - now.px(20), 66, now.px(14))
            put_text(painter, where, format_fixed(self._at, 3), small, now.color("accent"), RIGHT)


class GlitchView(QWidget):
    """`sourceChosen(id)`, `folderRequested`, `candidateChosen(row)`."""

    sourceChosen = Signal(str)
    folderRequested = Signal()
    candidateChosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.compare.glitches")
        self.source = QComboBox()
        self.source.setAccessibleName("The model whose embeddings are looked at")
        self.source.activated.connect(
            lambda place: self.sourceChosen.emit(str(self.source.itemData(place)))
        )
        self.folder = QPushButton("Choose a folder\u2026")
        self.folder.setToolTip("The folder of a checkpoint: model.safetensors, tokenizer.json")
        self.folder.clicked.connect(self.folderRequested)
        self._note = CutLabel("label", "muted")
        self._note.set_text("Pieces whose embeddings look untrained come first")
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(self.source)
        top.addWidget(self.folder)
        top.addWidget(self._note, 1)
        self.list = PieceList("Suspects, the least trained first")
        self.list.setObjectName("tokenizers.compare.suspects")
        self.list.pieceChosen.connect(self.candidateChosen)
        self.spread = Spread()
        self.spread.setObjectName("tokenizers.compare.spread")
        inner = QWidget()
        self._line = QHBoxLayout(inner)
        self._line.setContentsMargins(0, 0, 0, 0)
        for part, stretch in ((self.list, 3), (self.spread, 2)):
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
        self.source.clear()
        for identity, name in sources:
            self.source.addItem(elide(name, self.source.font(), theme.current().px(NAME)), identity)
            self.source.setItemData(self.source.count() - 1, name, Qt.ItemDataRole.ToolTipRole)
        self.source.setCurrentIndex(max(0, self.source.findData(chosen)))
        self.source.setToolTip(dict(sources).get(chosen, ""))
        self.source.setVisible(bool(sources))

    def set_found(
        self, tokenizer: Any, candidates: Sequence[GlitchCandidate], similarity: np.ndarray
    ) -> None:
        def note(row: int) -> str:
            one = candidates[row]
            return format_fixed(one.similarity, 3) + (
                "" if one.reachable else ", no text becomes it"
            )

        def share(row: int) -> float:
            return candidates[row].similarity

        self.list.set_rows(tokenizer, [one.token for one in candidates], note, share)
        self.spread.set_similarity(similarity)
        self.spread.set_current(candidates[0].similarity if candidates else None)
        self.body.show_ready()

    def set_current(self, similarity: float) -> None:
        self.spread.set_current(similarity)

    def displayed(self) -> dict[str, np.ndarray]:
        return {**self.spread.displayed(), "ids": np.array(list(self.list.pieces.ids))}

    def _restyle(self) -> None:
        now = theme.current()
        self._line.setSpacing(now.px(8))
        for part in (self.source, self.folder):
            part.setFixedHeight(now.px("control"))
