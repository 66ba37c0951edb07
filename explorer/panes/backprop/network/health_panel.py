"""Below the drawing: the losses, and whether training is healthy."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from core.numbers import format_number, format_percent
from core.optimization.statistics import HEALTHY_RATIO
from explorer import theme
from explorer.panes.backprop.network.curves import Curves
from explorer.panes.backprop.network.histograms import Histograms
from explorer.panes.backprop.network.keyframe import Keyframe
from explorer.widgets.base import set_look
from explorer.widgets.live_text import LiveText
from explorer.widgets.plots.line_plot import LinePlot, Series
from explorer.widgets.toggle import SegmentedControl

SIDES = (("layers", "Layers"), ("updates", "Updates"))

LARGEST = 1e12  # a loss beyond it is not drawn: learning diverges


class Panel(QWidget):
    """`stepClicked(step)`: a place of a curve was clicked."""

    stepClicked = Signal(float)
    sideChosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.losses = LinePlot("Losses")
        self.losses.setObjectName("backprop.network.losses")
        self.losses.set_axes("step", "loss")
        self.losses.set_log(True)
        self.losses.set_empty_text("Press Play to see the losses here")
        self.ratios = LinePlot("Update relative to weights")
        self.ratios.setObjectName("backprop.network.ratios")
        self.ratios.set_axes("step", "log10 of update : weights")
        self.ratios.set_empty_text("no step yet")
        self.layers = Histograms()
        self.layers.setObjectName("backprop.network.layers")
        self.choice = SegmentedControl(list(SIDES), "How training is checked")
        self.choice.setObjectName("backprop.network.health")
        self.choice.setToolTip(
            "Layers: what flows through each layer, forward and back\n"
            "Updates: each step should change weights by about a thousandth, \u22123 on this scale"
        )
        self._stack = QStackedWidget()
        self._stack.addWidget(self.layers)
        self._stack.addWidget(self.ratios)
        self._heads: list[QWidget] = []
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        self.told = LiveText("Accuracy", "label", "muted", elastic=True)
        row.addWidget(self._card(self.told, self.losses), 4)
        row.addWidget(self._card(self.choice, self._stack), 5)  # a column for each layer
        self.choice.chosen.connect(self._on_chosen)
        for plot in (self.losses, self.ratios):
            plot.clicked.connect(self.stepClicked)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _card(self, head: QWidget, body: QWidget) -> QFrame:
        card = QFrame()
        set_look(card, "card")
        column = QVBoxLayout(card)
        column.setContentsMargins(12, 4, 8, 6)
        column.setSpacing(0)
        line = QHBoxLayout()
        line.addWidget(head, 1 if head is self.told else 0)
        line.addStretch(0 if head is self.told else 1)
        column.addLayout(line)
        column.addWidget(body, 1)
        self._heads.append(head)
        return card

    def _restyle(self) -> None:
        for head in self._heads:
            head.setMinimumHeight(theme.current().px("control"))

    def _on_chosen(self, side: str) -> None:
        self.set_side(side)
        self.sideChosen.emit(side)

    def set_side(self, side: str) -> None:
        self.choice.set_current(side)
        self._stack.setCurrentIndex([name for name, _ in SIDES].index(side))

    @property
    def side(self) -> str:
        return self.choice.current

    def tell(self, keyframe: Keyframe) -> None:
        """Shows the accuracy at the keyframe that the headline is about."""
        self.told.set_text(_told(keyframe))

    def set_keyframe(self, keyframe: Keyframe, live: bool) -> None:
        """Draws a keyframe's layers and moves the plots' cursor; `tell` shows its accuracy."""
        if self.side == "layers":
            self.layers.set_layers(keyframe.layers)
        step = None if live else float(keyframe.step)
        self.losses.set_cursor(step)
        self.ratios.set_cursor(step)

    def set_curves(self, curves: Curves, glides: bool = True) -> None:
        """`glides`: axes move to other limits; each place on their way costs a good part of a
        frame, which there is not while a network learns.
        """
        self.losses.glides = self.ratios.glides = glides
        steps, train, test, ratios = curves.arrays()
        beyond = bool((np.nan_to_num(train) > LARGEST).any())
        self.losses.set_note("larger than can be drawn" if beyond else "")
        train, test = (np.where(one < LARGEST, one, np.nan) for one in (train, test))
        shown = [Series("train", steps, train, 2)]
        if np.isfinite(test).any():
            shown.insert(0, Series("test", steps, test, 3))
        self.losses.set_series(shown)
        if self.side != "updates":
            return
        count = len(ratios[-1]) if ratios else 0
        table = np.array([one if len(one) == count else (np.nan,) * count for one in ratios])
        lines = [
            Series("output" if n == count - 1 else f"layer {n + 1}", steps, table[:, n], n)
            for n in range(count)
        ]
        if len(steps):
            healthy = np.full(len(steps), HEALTHY_RATIO)
            lines.append(Series("healthy", steps, healthy, "muted", dashed=True))
        self.ratios.set_series(lines)


def _told(keyframe: Keyframe) -> str:
    """Accuracy, or the loss where there are no classes."""
    if math.isnan(keyframe.train_loss):
        return "No points to learn from"
    if math.isnan(keyframe.train_accuracy):
        return f"Loss {format_number(keyframe.train_loss)}"
    train = format_percent(keyframe.train_accuracy)
    if math.isnan(keyframe.test_accuracy):
        return f"Accuracy: {train} of training points"
    return f"Accuracy: training {train}, test {format_percent(keyframe.test_accuracy)}"
