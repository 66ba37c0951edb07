"""The strip above: presets, reset, and the buttons that follow a point or open a step."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from explorer.panes.backprop.network.presets import PRESETS
from explorer.widgets.base import set_look
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.wrap_row import WrapRow, expanding


class NetworkHeader(QWidget):
    """Emits intents. `adds`: which points a click adds.

    presetChosen(id)             a setup that teaches one thing
    resetRequested(new weights)  start over
    slowerRequested()              start over with smaller steps
    followRequested()            follow one point through the network
    sampleStepped(way)           1: the next point, -1: the previous one
    learningRequested()          back to training
    stepRequested()              into the optimizer step, or out of it
    """

    presetChosen = Signal(str)
    resetRequested = Signal(bool)
    learningRequested = Signal()
    slowerRequested = Signal()
    sampleStepped = Signal(int)
    followRequested = Signal()
    stepRequested = Signal()

    def __init__(self, adds: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.network.inputs")
        self.presets = MenuButton("file", "Presets", "Ready-made setups; each shows one thing")
        self.presets.setObjectName("backprop.network.presets")
        for one in PRESETS:
            action = self.presets.menu().addAction(
                one.title, lambda name=one.id: self.presetChosen.emit(name)
            )
            action.setToolTip(one.look)
        self.presets.menu().setToolTipsVisible(True)
        self.reset = MenuButton(
            "refresh", "Reset", "Starts over, with the same initial weights or new ones"
        )
        self.reset.setObjectName("backprop.network.reset")
        self.reset.menu().addAction("Same initial weights", lambda: self.resetRequested.emit(False))
        self.reset.menu().addAction("New initial weights", lambda: self.resetRequested.emit(True))
        self.follow, self.into = QPushButton("Follow a point"), QPushButton("Into this step")
        self.follow.setToolTip("Follows one point through the network, forward and back")
        self.follow.setObjectName("backprop.network.follow")
        self.into.setToolTip("Opens the optimizer step that led here (Enter; Backspace goes back)")
        self.into.setObjectName("backprop.network.into")
        self.slower = QPushButton("Reset and learn slower")
        self.slower.setToolTip("Starts over with a tenth of the learning rate")
        self.slower.setObjectName("backprop.network.slower")
        set_look(self.slower, "primary")
        self.slower.hide()
        self.back = QPushButton("Back to training")
        self.back.setObjectName("backprop.network.back")
        self.back.setToolTip("Stops following the point (Esc)")
        self.before, self.after = QPushButton("Previous point"), QPushButton("Next point")
        self.before.setToolTip("Follows the point before this one")
        self.after.setToolTip("Follows the point after this one")
        row = WrapRow(parent=self)
        for one in (self.presets, self.reset, self.slower):
            row.addWidget(one)
        right = QWidget()
        right.setSizePolicy(expanding())
        row.addWidget(right)
        right_row = QHBoxLayout(right)
        right_row.setContentsMargins(0, 0, 0, 0)
        right_row.setSpacing(8)
        right_row.addStretch(1)
        for widget in (
            adds,
            self.follow,
            self.into,
            self.before,
            self.after,
            self.back,
        ):
            right_row.addWidget(widget)
        self.slower.clicked.connect(self.slowerRequested)
        self.back.clicked.connect(self.learningRequested)
        self.before.clicked.connect(lambda: self.sampleStepped.emit(-1))
        self.after.clicked.connect(lambda: self.sampleStepped.emit(1))
        self.follow.clicked.connect(self.followRequested)
        self.into.clicked.connect(self.stepRequested)
        self.set_sample(False)

    def set_diverged(self, on: bool) -> None:
        """Offers to start over with smaller steps."""
        self.slower.setVisible(on)

    def set_sample(self, on: bool) -> None:
        for widget in (self.before, self.after, self.back):
            widget.setVisible(on)
        for widget in (self.follow, self.into):
            widget.setVisible(not on)

    def set_buttons(self, *, point: bool, step: bool, inside: bool) -> None:
        """Whether there is a point to follow and an optimizer step to go into; whether that step
        is open, so that the button leads out of it.
        """
        self.follow.setEnabled(point)
        self.into.setEnabled(step or inside)
        self.into.setText("Out of this step" if inside else "Into this step")
