"""The picture of a training: how each lane cuts the sample, a card a lane, the lines below."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from core.tokenization.growing import Split
from explorer import theme
from explorer.panes.tokenizers.train.curves import Curves
from explorer.panes.tokenizers.train.faces import LaneFace, LaneWords
from explorer.panes.tokenizers.train.lane_card import LaneCard
from explorer.panes.tokenizers.train.sample_grid import SampleGrid
from explorer.widgets.base import set_look
from explorer.widgets.stateful import StatefulPicture

LOW = 560  # px: below this height the cards give room to the lines


class RunView(QWidget):
    """`laneChosen(lane)`, `laneEntered(lane)`, `laneUsed(lane, what)`, `stepClicked(step)`."""

    laneChosen = Signal(int)
    laneEntered = Signal(int)
    laneUsed = Signal(int, str)
    stepClicked = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.train.view")
        self.sample = SampleGrid()
        self.sample.setObjectName("tokenizers.train.sample")
        self.cards: list[LaneCard] = []
        self.curves = Curves()
        self._lanes = QWidget()
        self._row = QHBoxLayout(self._lanes)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        frame = QFrame()
        set_look(frame, "card")
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(12, 6, 12, 6)
        inner.addWidget(self.sample)
        column.addWidget(frame)
        column.addWidget(self._lanes, 5)
        column.addWidget(self.curves, 4)
        self._column = column
        self.states = StatefulPicture(body, "lines")
        self.states.set_cancellable(True)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 8, 16, 8)
        outer.addWidget(self.states)
        self.curves.clicked.connect(self.stepClicked)

    # what is shown

    def set_lanes(self, names: Sequence[str], kinds: Sequence[str], sample: str) -> None:
        """Another training: a card a lane."""
        for card in self.cards[len(names) :]:
            self._row.removeWidget(card)
            card.hide()
            card.deleteLater()
        del self.cards[len(names) :]
        while len(self.cards) < len(names):
            lane = len(self.cards)
            card = LaneCard(lane)
            card.setObjectName(f"tokenizers.train.lane{lane}")
            card.resized.connect(self._fit_buttons)
            card.chosen.connect(lambda lane=lane: self.laneChosen.emit(lane))
            card.entered.connect(lambda lane=lane: self.laneEntered.emit(lane))
            card.used.connect(lambda what, lane=lane: self.laneUsed.emit(lane, what))
            self._row.addWidget(card, 1)
            self.cards.append(card)
        for card in self.cards:
            card.set_usable(False)
        self.sample.set_sample(sample)
        self.sample.set_names(names, kinds)
        self.curves.set_lines(None, 1)
        self.curves.set_cursor(None)
        self.states.show_empty("")  # or the training before would stay as a stale one

    def set_moment(
        self,
        faces: Sequence[tuple[LaneWords, LaneFace]],
        before: Sequence[Split],
        after: Sequence[Split],
        share: float,
    ) -> None:
        """What stands under the cursor; between two steps `share` of the way is done."""
        for card, (words, face) in zip(self.cards, faces, strict=True):
            card.set_face(words, face)
        self._fit_buttons()
        self.sample.set_splits(before, after, share)

    def set_focus_lane(self, lane: int) -> None:
        for card in self.cards:
            card.set_focused(card.lane == lane and len(self.cards) > 1)
        self.sample.set_focus_lane(lane if len(self.cards) > 1 else -1)

    def set_finished(self, finished: Sequence[bool]) -> None:
        """Which lanes have a tokenizer that can be used."""
        for card, done in zip(self.cards, finished, strict=False):
            card.set_usable(done)

    def _fit_buttons(self) -> None:
        brief = not all(card.has_room for card in self.cards)
        below = not all(card.has_line for card in self.cards)
        for card in self.cards:
            card.set_narrow(brief, below)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        low = self.height() < theme.current().px(LOW)
        self.sample.set_dense(low)
        self._column.setStretch(1, 10 if low else 5)
        self._column.setStretch(2, 11 if low else 4)
