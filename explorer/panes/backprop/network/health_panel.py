"""The panel below the drawing: the losses, and the health of the training."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QLayout, QWidget

from core.numbers import format_number, format_percent
from core.optimization.statistics import HEALTHY_RATIO
from explorer import theme
from explorer.panes.backprop.network.curves import Curves
from explorer.panes.backprop.network.histograms import Histograms
from explorer.panes.backprop.network.keyframe import Keyframe
from explorer.widgets.base import set_look
from explorer.widgets.boxes import column, row
from explorer.widgets.live_text import LiveText
from explorer.widgets.pages import Pages
from explorer.widgets.plots.line_plot import LinePlot, Series
from explorer.widgets.toggle import SegmentedControl

SIDES = (("layers", "Layers"), ("updates", "Updates"))

LARGEST = 1e12  # larger losses are not drawn, as training diverges


class Panel(QWidget):
    """The panel. `stepClicked(step)` reports a click on a curve."""

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
        self.ratios.set_axes("step", "log10 of update / weights")
        self.ratios.set_empty_text("no step yet")
        self.layers = Histograms()
        self.layers.setObjectName("backprop.network.layers")
        self.choice = SegmentedControl(list(SIDES), "How training is checked")
        self.choice.setObjectName("backprop.network.health")
        self.choice.setToolTip(
            "Layers: the activations and gradients of each layer\n"
            "Updates: a good step changes weights by about a thousandth of their size "
            "(\u22123 on this log scale)"
        )
        self._sides = {"layers": self.layers, "updates": self.ratios}
        self._pages = Pages(*self._sides.values())
        self.told = LiveText("Accuracy", "label", "muted", elastic=True)
        left = _card(row((self.told, 1)), self.losses)
        right = _card(row(self.choice, 1), self._pages)  # wider, as it has a column for each layer
        row((left, 4), (right, 5), of=self)
        self.choice.chosen.connect(self._on_chosen)
        for plot in (self.losses, self.ratios):
            plot.clicked.connect(self.stepClicked)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        for head in (self.told, self.choice):
            head.setMinimumHeight(theme.current().px("control"))

    def _on_chosen(self, side: str) -> None:
        self.set_side(side)
        self.sideChosen.emit(side)

    def set_side(self, side: str) -> None:
        self.choice.set_current(side)
        self._pages.setCurrentWidget(self._sides[side])

    @property
    def side(self) -> str:
        return self.choice.current

    def tell(self, keyframe: Keyframe) -> None:
        """Shows the accuracy at the keyframe of the headline."""
        self.told.set_text(_told(keyframe))

    def set_keyframe(self, keyframe: Keyframe, live: bool) -> None:
        """Draws a keyframe's layers and moves the plots' cursor; `tell` shows its accuracy."""
        if self.side == "layers":
            self.layers.set_layers(keyframe.layers)
        step = None if live else float(keyframe.step)
        self.losses.set_cursor(step)
        self.ratios.set_cursor(step)

    def set_curves(self, curves: Curves, glides: bool = True) -> None:
        """Draws the curves. `glides` animates the axes, which takes much of a frame: too much while
        a network learns.
        """
        self.losses.glides = self.ratios.glides = glides
        steps, train, test, ratios = curves.arrays()
        beyond = bool((np.nan_to_num(train) > LARGEST).any())
        self.losses.set_note("too large to draw" if beyond else "")
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


def _card(head: QLayout, body: QWidget) -> QFrame:
    card = QFrame()
    set_look(card, "card")
    column(head, (body, 1), of=card, spacing=0).setContentsMargins(12, 4, 8, 6)
    return card


def _told(keyframe: Keyframe) -> str:
    """Returns the accuracy, or the loss if there are no classes."""
    if math.isnan(keyframe.train_loss):
        return "No points to learn from"
    if math.isnan(keyframe.train_accuracy):
        return f"Loss {format_number(keyframe.train_loss)}"
    train = format_percent(keyframe.train_accuracy)
    if math.isnan(keyframe.test_accuracy):
        return f"Accuracy: {train} of training points"
    return f"Accuracy: training {train}, test {format_percent(keyframe.test_accuracy)}"
