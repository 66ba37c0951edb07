"""The picture of a training: each lane's split of the sample, a card per lane, the curves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from core.tokenization.growing import Split
from explorer import theme
from explorer.panes.tokenizers.train import text
from explorer.panes.tokenizers.train.draw_card import LaneCard
from explorer.panes.tokenizers.train.draw_sample import SampleRows
from explorer.panes.tokenizers.train.scene import Card, Curves
from explorer.widgets.base import Label
from explorer.widgets.boxes import card, column, page, row
from explorer.widgets.plots.line_plot import LinePlot, Series
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import SegmentedControl

FIRST = 1  # the first step's number in the plots, as in the headline and the player


class Charts(QWidget):
    """A plot of compression and one of another curve. Emits `clicked(step)`, counted from 0 as
    everywhere in the code.
    """

    clicked = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._curves: Curves | None = None
        self.compression, self.other = LinePlot("Compression"), LinePlot("Vocabulary")
        self.compression.setObjectName("tokenizers.train.compression")
        self.other.setObjectName("tokenizers.train.other")
        self.choice = SegmentedControl(list(text.CURVES.items()), "What the second plot shows")
        self.choice.setObjectName("tokenizers.train.curve")
        self._title = Label("Compression", "label", "muted")
        for plot in (self.compression, self.other):
            plot.clicked.connect(lambda number: self.clicked.emit(number - FIRST))
        cards = (
            card(row(self._title, 1), (self.compression, 1)),
            card(row(self.choice, 1), (self.other, 1)),
        )
        row((cards[0], 1), (cards[1], 1), of=self)
        self.choice.chosen.connect(self.set_kind)
        theme.changed.connect(self._restyle)
        self._restyle()
        self._name(self.compression, "bytes")
        self.set_kind("size")

    def _restyle(self) -> None:
        """Gives the title the height of the choice, so that both plots are aligned."""
        self._title.setMinimumHeight(theme.current().px("control"))

    @property
    def kind(self) -> str:
        return self.choice.current

    def set_kind(self, kind: str) -> None:
        if kind in text.CURVES:
            self.choice.set_current(kind)
            self.other.set_log(kind != "objective")
            self._name(self.other, kind)
            self._show()

    @staticmethod
    def _name(plot: LinePlot, kind: str) -> None:
        plot.set_axes("step", text.AXES[kind])
        plot.set_empty_text(text.NO_CURVE[kind])

    def set_curves(self, curves: Curves | None, expected: int) -> None:
        """Shows the curves so far; the axis covers the expected number of steps."""
        self._curves = curves
        for plot in (self.compression, self.other):
            plot.set_x_range(FIRST, FIRST + max(1, expected))
        self._show()

    def set_cursor(self, step: float | None) -> None:
        for plot in (self.compression, self.other):
            plot.set_cursor(None if step is None else FIRST + step)

    def _show(self) -> None:
        self.compression.set_series(self._series("bytes"))
        self.other.set_series(self._series(self.kind))

    def _series(self, kind: str) -> list[Series]:
        if (curves := self._curves) is None:
            return []
        steps = FIRST + np.arange(curves.length, dtype=np.float64)
        values = curves.values(kind)
        return [Series(curves.names[lane], steps, one, lane) for lane, one in values.items()]


class TrainingView(QWidget):
    """Emits `laneChosen(lane)`, `laneEntered(lane)`, `laneUsed(lane, what)`, and
    `stepClicked(step)`."""

    laneChosen = Signal(int)
    laneEntered = Signal(int)
    laneUsed = Signal(int, str)
    stepClicked = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("tokenizers.train.view")
        self.sample, self.charts = SampleRows(), Charts()
        self.cards: list[LaneCard] = []
        self._row: QHBoxLayout = row()
        body = QWidget()
        column(card(self.sample), (self._row, 10), (self.charts, 11), of=body)
        self.states = StatefulPicture(body, "lines")
        self.states.set_cancellable(True)
        page((self.states, 1), of=self)
        self.charts.clicked.connect(self.stepClicked)

    # content

    def set_lanes(self, names: Sequence[str], kinds: Sequence[str], sample: str) -> None:
        """Shows a new training with a card for each lane."""
        for one in self.cards:
            self._row.removeWidget(one)
            one.hide()
            one.deleteLater()
        self.cards = [LaneCard(lane) for lane in range(len(names))]
        for lane, one in enumerate(self.cards):
            one.chosen.connect(lambda lane=lane: self.laneChosen.emit(lane))
            one.entered.connect(lambda lane=lane: self.laneEntered.emit(lane))
            one.used.connect(lambda what, lane=lane: self.laneUsed.emit(lane, what))
            self._row.addWidget(one, 1)
        self.sample.set_sample(sample)
        self.sample.set_names(names, kinds)
        self.charts.set_curves(None, 1)
        self.charts.set_cursor(None)
        self.states.show_empty("")  # else the previous training would remain, marked as stale

    def set_moment(
        self,
        cards: Sequence[Card],
        before: Sequence[Split],
        after: Sequence[Split],
        share: float,
    ) -> None:
        """Shows the moment at the cursor, `share` of the way from `before` to `after`."""
        for one, shown in zip(self.cards, cards, strict=True):
            one.set_card(shown)
        self.sample.set_splits(before, after, share)

    def set_focus_lane(self, lane: int) -> None:
        is_one_of_several = len(self.cards) > 1
        for one in self.cards:
            one.set_focused(one.lane == lane and is_one_of_several)
        self.sample.set_focus_lane(lane if is_one_of_several else -1)

    def set_finished(self, finished: Sequence[bool]) -> None:
        """Sets which lanes have a finished tokenizer."""
        for one, done in zip(self.cards, finished, strict=False):
            one.set_usable(done)
