"""The cards below the graph: one changes an input, the other takes gradient steps."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from explorer import theme
from explorer.panes.backprop.expression.curve_picture import CurvePicture
from explorer.panes.backprop.expression.gradient_check import Comparison
from explorer.panes.backprop.expression.loss_picture import LossPicture
from explorer.panes.backprop.expression.text import Learning, predicted, true_change
from explorer.panes.backprop.expression.value_field import ValueField
from explorer.panes.backprop.expression.what_if import WhatIf
from explorer.widgets.base import Label, set_look
from explorer.widgets.fields import ErrorLine
from explorer.widgets.menu_button import MenuButton
from explorer.widgets.number_field import NumberField

WORDS = 264  # px
STEP = "Moves every unfixed input by \u2212learning rate \u00d7 gradient"


class WhatIfCard(QWidget):
    """Shows the effect of a nudge of an input; leafChosen(name) asks for another input."""

    leafChosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.expression.what_if")
        self._names: list[str] = []
        self.leaf = MenuButton("chevron-down", "w", "Choose the input to move")
        self.leaf.setObjectName("backprop.expression.leaf")
        self.leaf.menu().aboutToShow.connect(self._fill)
        self.value = ValueField("Value", at_once=False, width=92)
        self.value.setObjectName("backprop.expression.value")
        self.value.setToolTip("A number, or rows of numbers such as [[1, 2], [3, 4]]")
        self.nudge = NumberField("Nudge", at_once=False, width=92)
        self.nudge.setObjectName("backprop.expression.nudge")
        self.predicted = Label("", "body")
        self.true = Label("", "body")
        self.numeric = Label("", "label", "muted")
        self.error = ErrorLine()
        self.curve = CurvePicture()
        self.curve.setObjectName("backprop.expression.curve")
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        grid.addWidget(self.leaf, 0, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(Label("=", "body", "muted"), 0, 1)
        grid.addWidget(self.value, 0, 2)
        grid.addWidget(Label("nudged by", "body", "muted"), 1, 0)
        grid.addWidget(self.nudge, 1, 2)
        grid.setColumnStretch(3, 1)
        self._words = QWidget()
        words = QVBoxLayout(self._words)
        words.setContentsMargins(0, 0, 0, 0)
        words.setSpacing(2)
        words.addLayout(grid)
        for label in (self.predicted, self.true, self.numeric, self.error):
            words.addWidget(label)
        words.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self._words, 0, Qt.AlignmentFlag.AlignLeft)
        row.addWidget(self.curve, 1)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.value.refused.connect(self.error.set_text)
        self.nudge.refused.connect(self.error.set_text)

    def _restyle(self) -> None:
        """Fixes the width of the text column, whatever the length of its text."""
        self._words.setFixedWidth(theme.current().px(WORDS))

    def set_input(self, names: Sequence[str], what: WhatIf) -> None:
        """Shows the chosen input, out of all inputs by name."""
        if list(names) != self._names:
            self._names = list(names)
            self.leaf.menu().clear()
        self.leaf.setText(what.called.replace("&", "&&"))
        self.leaf.setAccessibleName(f"Input: {what.called}")
        self.value.set_value(what.value)
        self.nudge.set_value(what.nudge)
        self.set_error("")

    def _fill(self) -> None:
        """Fills the menu only when it opens: every keystroke may change a hundred inputs."""
        menu = self.leaf.menu()
        if not menu.isEmpty():
            return
        for name in self._names:
            menu.addAction(name, lambda name=name: self.leafChosen.emit(name))

    def set_error(self, text: str) -> None:
        """Shows an error of the input and its remedy; "" clears it."""
        named = text.split(" ", 1)[0] in self._names  # a name keeps its case
        self.error.set_text(text if named else text[:1].upper() + text[1:])

    def set_what_if(self, what: WhatIf, output: str, compared: Comparison) -> None:
        """Shows the effect of a nudge on the output."""
        self.curve.set_what_if(what, output)
        self.predicted.setText(predicted(what, output, compared.slope))
        self.true.setText(true_change(what))
        self.numeric.setText(compared.words)
        self.numeric.setToolTip(compared.sentence)

    def set_failed(self, why: str) -> None:
        """Clears the results and shows the error."""
        self.curve.set_what_if(None)
        for label in (self.predicted, self.true, self.numeric):
            label.setText("")
        self.set_error(why)


class LearnCard(QWidget):
    """Signals: stepRequested(count), resetRequested(), learningChosen(on)."""

    stepRequested = Signal(int)
    resetRequested = Signal()
    learningChosen = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.expression.learn")
        self.step = QPushButton("Step downhill")
        self.step.setObjectName("backprop.expression.step")
        set_look(self.step, "primary")
        self.ten = QPushButton("\u00d7 10")
        self.ten.setAccessibleName("Ten steps downhill")
        self.ten.setObjectName("backprop.expression.ten")
        self.rate = NumberField("Learning rate", at_once=False, width=64)
        self.rate.setObjectName("backprop.expression.rate")
        self.reset = QPushButton("Reset")
        self.reset.setObjectName("backprop.expression.reset")
        self.learns = QCheckBox("")
        self.learns.setObjectName("backprop.expression.learns")
        self.words = Label("", "label", "muted", wrap=True)
        self.losses = LossPicture()
        self.losses.setObjectName("backprop.expression.losses")
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        grid.addWidget(self.step, 0, 0)
        grid.addWidget(self.ten, 0, 1)
        grid.addWidget(self.reset, 0, 2)
        rate = QHBoxLayout()
        rate.setSpacing(8)
        rate.addWidget(Label("learning rate", "body", "muted"))
        rate.addWidget(self.rate)
        rate.addStretch(1)
        grid.addLayout(rate, 1, 0, 1, 3)
        grid.addWidget(self.learns, 2, 0, 1, 3)
        grid.addWidget(self.words, 3, 0, 1, 3)
        grid.setRowStretch(4, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addLayout(grid)
        row.addWidget(self.losses, 1)
        self.step.clicked.connect(lambda: self.stepRequested.emit(1))
        self.ten.clicked.connect(lambda: self.stepRequested.emit(10))
        self.reset.clicked.connect(self.resetRequested)
        self.learns.toggled.connect(self.learningChosen)

    def set_learning(self, name: str, learns: bool) -> None:
        with QSignalBlocker(self.learns):
            self.learns.setText(f"{name} takes steps")
            self.learns.setChecked(learns)

    def set_losses(self, losses: Sequence[float], output: str) -> None:
        self.losses.set_losses(losses, output)
        self.reset.setEnabled(len(losses) > 0)
        self.reset.setToolTip(
            "Goes back to the values before the first step"
            if losses
            else "No step has been taken yet"
        )

    def set_told(self, learning: Learning) -> None:
        for button in (self.step, self.ten):
            button.setEnabled(not learning.hindrance)
            button.setToolTip(learning.hindrance or STEP)
        self.set_words(learning.words)

    def set_words(self, words: str) -> None:
        self.words.setText(words)
