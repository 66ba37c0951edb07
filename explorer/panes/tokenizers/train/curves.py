"""The lines of a training: bytes a token stands for, sizes of the vocabularies, objectives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from core.tokenization.steps import MergeStep
from explorer import theme
from explorer.panes.tokenizers.train.recording import Recording
from explorer.widgets.base import Label, set_look
from explorer.widgets.plots.line_plot import LinePlot, Series
from explorer.widgets.toggle import SegmentedControl

KINDS = (("size", "Vocabulary"), ("count", "Pair counts"), ("objective", "Objective"))
AXES = {
    "size": "pieces",
    "count": "count of the joined pair",
    "objective": "Unigram: nats a word",
}
EMPTY = {
    "size": "no step yet",
    "count": "no lane joins pairs",
    "objective": "only Unigram has an objective",
}


class Lines:
    """The values of every lane by common step; grows with the recording."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        lanes = range(len(recording.names))
        self._columns: dict[str, list[list[float]]] = {
            name: [[] for _ in lanes] for name in ("bytes", "size", "count", "objective")
        }
        self._numbers = [0 for _ in lanes]

    def __len__(self) -> int:
        return len(self._columns["size"][0])

    def grow(self) -> None:
        recording = self._recording
        for index in range(len(self), len(recording.moments)):
            for lane, state in enumerate(recording.moments[index].lanes):
                fresh = state.number != self._numbers[lane]
                self._numbers[lane] = state.number
                step = state.step
                count = float(step.count) if isinstance(step, MergeStep) and fresh else np.nan
                values = {
                    "bytes": recording.bytes_per_token(lane, index),
                    "size": float(state.vocab_size) if state.vocab_size else np.nan,
                    "count": count,
                    "objective": state.objective,
                }
                for name, value in values.items():
                    self._columns[name][lane].append(value)

    def series(self, name: str) -> list[Series]:
        """Lanes without a single value are left out."""
        steps = np.arange(len(self), dtype=np.float64)
        found = []
        for lane, title in enumerate(self._recording.names):
            values = np.array(self._columns[name][lane], dtype=np.float64)
            if np.isfinite(values).any():
                found.append(Series(title, steps, values, lane))
        return found


class Curves(QWidget):
    """`clicked(step)`: a person wants to see that step."""

    clicked = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.compression = LinePlot("Compression")
        self.compression.setObjectName("tokenizers.train.compression")
        self.compression.set_axes("step", "bytes a token stands for")
        self.compression.set_empty_text("no step yet")
        self.other = LinePlot("Vocabulary")
        self.other.setObjectName("tokenizers.train.other")
        self.choice = SegmentedControl(list(KINDS), "What the second plot shows")
        self.choice.setObjectName("tokenizers.train.curve")
        self._lines: Lines | None = None
        self._heads: list[QWidget] = []
        self._build()
        theme.changed.connect(self._restyle)
        self._restyle()
        self.choice.chosen.connect(self.set_kind)
        for plot in (self.compression, self.other):
            plot.clicked.connect(self.clicked)
        self.set_kind("size")

    def _build(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for plot, head in (
            (self.compression, Label("Compression", "label", "muted")),
            (self.other, self.choice),
        ):
            card = QFrame()
            set_look(card, "card")
            column = QVBoxLayout(card)
            column.setContentsMargins(12, 6, 8, 6)
            column.setSpacing(2)
            line = QHBoxLayout()
            self._heads.append(head)
            line.addWidget(head)
            line.addStretch(1)
            column.addLayout(line)
            column.addWidget(plot, 1)
            row.addWidget(card, 1)

    def _restyle(self) -> None:
        """Both plots begin at one height."""
        for head in self._heads:
            head.setMinimumHeight(theme.current().px("control"))

    @property
    def kind(self) -> str:
        return self.choice.current

    def set_kind(self, kind: str) -> None:
        if kind not in AXES:
            return
        self.choice.set_current(kind)
        self.other.set_log(kind != "objective")
        self.other.set_axes("step", AXES[kind])
        self.other.set_empty_text(EMPTY[kind])
        self._show()

    def set_lines(self, lines: Lines | None, expected: int) -> None:
        """Shows what there is by now; the axis is as long as the training will be."""
        self._lines = lines
        for plot in (self.compression, self.other):
            plot.set_x_range(0, max(1, expected))
        self._show()

    def set_cursor(self, step: float | None) -> None:
        for plot in (self.compression, self.other):
            plot.set_cursor(step)

    def _show(self) -> None:
        series: Sequence[Series] = []
        if self._lines is not None and len(self._lines):
            self.compression.set_series(self._lines.series("bytes"))
            series = self._lines.series(self.kind)
        else:
            self.compression.set_series([])
        self.other.set_series(series)
