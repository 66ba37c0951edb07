"""The strip above: presets, starting anew, and what a click on the plane adds."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QWidget

from explorer import theme
from explorer.panes.backprop.network.presets import PRESETS
from explorer.widgets.base import Label, set_look
from explorer.widgets.menu_button import MenuButton

NUMBERS = ("\u22121", "\u22120.5", "0", "0.5", "1")  # targets of points that are added


class NetworkHeader(QWidget):
    """`presetChosen(id)`, `resetRequested(another seed)`, `learningRequested`: out of a sample,
    `calmRequested`: anew with smaller steps, `sampleStepped(way)`.
    """

    presetChosen = Signal(str)
    resetRequested = Signal(bool)
    learningRequested = Signal()
    calmRequested = Signal()
    sampleStepped = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.network.inputs")
        self.presets = MenuButton("file", "Presets", "Setups that each teach one thing")
        self.presets.setObjectName("backprop.network.presets")
        for one in PRESETS:
            action = self.presets.menu().addAction(
                one.title, lambda name=one.id: self.presetChosen.emit(name)
            )
            action.setToolTip(one.look)
        self.presets.menu().setToolTipsVisible(True)
        self.reset = MenuButton("refresh", "Reset", "Begins anew, with the same or other weights")
        self.reset.setObjectName("backprop.network.reset")
        self.reset.menu().addAction("Same first weights", lambda: self.resetRequested.emit(False))
        self.reset.menu().addAction("Other first weights", lambda: self.resetRequested.emit(True))
        self.adds = QComboBox()
        self.adds.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.adds.setMinimumContentsLength(7)
        self.adds.setAccessibleName("What a click on the plane adds")
        self.adds.setToolTip(
            "A click on the plane adds such a point; shift-click or right-click removes one"
        )
        self.adds.setObjectName("backprop.network.adds")
        self._adds_label = Label("A click adds", "label", "muted")
        self.calm = QPushButton("Reset and learn slower")
        self.calm.setToolTip("Begins anew with a tenth of the learning rate")
        self.calm.setObjectName("backprop.network.calm")
        set_look(self.calm, "primary")
        self.calm.hide()
        self.back = QPushButton("Back to learning")
        self.back.setObjectName("backprop.network.back")
        self.back.setToolTip("Leaves the point's own way (Esc)")
        self.before, self.after = QPushButton(), QPushButton()
        self.before.setToolTip("The point before this one")
        self.after.setToolTip("The point after this one")
        self._whole = {
            self.before: ("Point before", "\u2039"),
            self.after: ("Next point", "\u203a"),
            self.back: ("Back to learning", "Back"),
            self.calm: ("Reset and learn slower", "Learn slower"),
        }
        for button, (words, _) in self._whole.items():
            button.setText(words)
            button.setAccessibleName(words)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for one in (self.presets, self.reset, self.calm):
            row.addWidget(one)
        row.addStretch(1)
        for widget in (self._adds_label, self.adds, self.before, self.after, self.back):
            row.addWidget(widget)
        self.calm.clicked.connect(self.calmRequested)
        self.back.clicked.connect(self.learningRequested)
        self.before.clicked.connect(lambda: self.sampleStepped.emit(-1))
        self.after.clicked.connect(lambda: self.sampleStepped.emit(1))
        theme.changed.connect(self._fit)
        self._classes = -1
        self.set_classes(2)
        self.set_sample(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def _fit(self) -> None:
        """Short words where whole ones have no room; those for adding points go where also short
        ones leave them none.
        """
        adding = not self.adds.isHidden()
        label = self._adds_label.sizeHint().width() + 8 if adding else 0
        whole, brief = self._wide(brief=False), self._wide(brief=True)
        told = adding and brief + label <= self.width()
        self._adds_label.setVisible(told)
        room = self.width() - (label if told else 0)
        for button, words in self._whole.items():
            button.setText(words[whole > room])
        for menu in (self.presets, self.reset):
            menu.set_brief(whole > self.width() and not told)

    def _wide(self, *, brief: bool) -> int:
        """What all that is shown takes, menus in whole words, without those for adding points."""
        wide = sum(one.wide() + 8 for one in (self.presets, self.reset))
        wide += 0 if self.adds.isHidden() else self.adds.sizeHint().width() + 8
        for button, words in self._whole.items():
            if not button.isHidden():
                button.setText(words[brief])
                wide += button.sizeHint().width() + 8
        return wide

    def set_classes(self, classes: int) -> None:
        if classes == self._classes:
            return
        self._classes = classes
        self.adds.clear()
        if classes:
            self.adds.addItems([f"class {number}" for number in range(classes)])
        else:
            self.adds.addItems(list(NUMBERS))

    @property
    def target(self) -> float:
        """Of a point that is added."""
        if self._classes:
            return float(max(0, self.adds.currentIndex()))
        return float(NUMBERS[max(0, self.adds.currentIndex())].replace("\u2212", "-"))

    def set_diverged(self, on: bool) -> None:
        """Offers to begin anew with smaller steps."""
        if on == self.calm.isHidden():
            self.calm.setVisible(on)
            self._fit()

    def set_sample(self, on: bool) -> None:
        for widget in (self.before, self.after, self.back):
            widget.setVisible(on)
        for widget in (self._adds_label, self.adds):
            widget.setVisible(not on)
        self._fit()
