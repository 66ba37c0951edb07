"""The input strip: presets, reset, and buttons that follow a point or open a step."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from explorer.panes.backprop.network.presets import PRESETS
from explorer.widgets.boxes import name_parts, row, wrap
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.push_button import push_buttons
from explorer.widgets.wrap_row import expanding

BUTTONS = {
    "follow": ("Follow a point", "Follows one point through the network, forward and back"),
    "into": (
        "Open step",
        "Opens the optimizer step that led here, line by line (Enter; Backspace goes back)",
    ),
    "before": ("Previous point", "Follows the previous point"),
    "after": ("Next point", "Follows the next point"),
    "back": ("Back to training", "Stops following the point (Esc)"),
    "slower": ("Reset with a lower rate", "Starts over with a tenth of the learning rate"),
}


class NetworkInputs(QWidget):
    """The input strip. `adds` is the menu for the class of new points.

    presetChosen(id)             use a setup that teaches one thing
    resetRequested(new weights)  start over
    slowerRequested()              start over with smaller steps
    followRequested()            follow one point through the network
    sampleStepped(way)           follow the next point (1) or the previous one (-1)
    learningRequested()          return to training
    stepRequested()              open or close the optimizer step
    """

    presetChosen = Signal(str)
    resetRequested = Signal(bool)
    slowerRequested = Signal()
    followRequested = Signal()
    sampleStepped = Signal(int)
    learningRequested = Signal()
    stepRequested = Signal()

    def __init__(self, adds: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.network.inputs")
        self.presets = MenuButton("file", "Presets", "Ready-made setups that each show one idea")
        menu = self.presets.menu()
        for one in PRESETS:
            action = menu.addAction(one.title, partial(self.presetChosen.emit, one.id))
            action.setToolTip(one.look)
        menu.setToolTipsVisible(True)
        self.reset = MenuButton(
            "refresh", "Reset", "Starts over, with the same initial weights or new ones"
        )
        self.reset.menu().addAction("Same initial weights", lambda: self.resetRequested.emit(False))
        self.reset.menu().addAction("New initial weights", lambda: self.resetRequested.emit(True))
        name_parts(self, "backprop.network", "presets", "reset")
        buttons = push_buttons("backprop.network", BUTTONS, {"slower": "primary"})
        self.follow, self.into, self.before, self.after, self.back, self.slower = buttons.values()
        self.slower.hide()
        right = QWidget()
        right.setSizePolicy(expanding())
        row(1, adds, self.follow, self.into, self.before, self.after, self.back, of=right)
        wrap(self.presets, self.reset, self.slower, right, of=self)
        self.slower.clicked.connect(self.slowerRequested)
        self.back.clicked.connect(self.learningRequested)
        self.before.clicked.connect(lambda: self.sampleStepped.emit(-1))
        self.after.clicked.connect(lambda: self.sampleStepped.emit(1))
        self.follow.clicked.connect(self.followRequested)
        self.into.clicked.connect(self.stepRequested)
        self.set_sample(False)

    def set_diverged(self, on: bool) -> None:
        """Shows or hides the button that starts over with smaller steps."""
        self.slower.setVisible(on)

    def set_sample(self, on: bool) -> None:
        for widget in (self.before, self.after, self.back):
            widget.setVisible(on)
        for widget in (self.follow, self.into):
            widget.setVisible(not on)

    def set_buttons(self, *, point: bool, step: bool, inside: bool) -> None:
        """Enables the buttons: `point` if one can be followed, `step` if an optimizer step can be
        opened, `inside` if one is open and can be closed.
        """
        self.follow.setEnabled(point)
        self.into.setEnabled(step or inside)
        self.into.setText("Close step" if inside else "Open step")
