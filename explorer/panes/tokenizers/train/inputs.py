"""The inputs above the picture: the sample, and the actions for the whole training."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from explorer.panes.tokenizers.train.draft import LONGEST_SAMPLE
from explorer.widgets.base import show_text
from explorer.widgets.boxes import name_parts, wrap
from explorer.widgets.push_button import push_button
from explorer.widgets.wrap_row import labelled


class TrainInputs(QWidget):
    """The inputs; emits `sampleChanged(text)`, `hurryRequested`, `newRequested`."""

    sampleChanged = Signal(str)
    hurryRequested = Signal()
    newRequested = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("tokenizers.train.inputs")
        self.sample = QLineEdit()
        self.sample.setObjectName("tokenizers.train.sample-text")
        self.sample.setMaxLength(LONGEST_SAMPLE)
        self.sample.setAccessibleName("Sample")
        self.sample.setPlaceholderText("A sentence that is split again after every step")
        self.hurry = push_button("To the end", "Train to the end, as fast as possible")
        self.new = push_button("New\u2026", "Choose another text, other algorithms or another size")
        name_parts(self, "tokenizers.train", "hurry", "new")
        wrap(labelled("Sample", self.sample), self.hurry, self.new, of=self)
        self.sample.textEdited.connect(self.sampleChanged)
        self.hurry.clicked.connect(self.hurryRequested)
        self.new.clicked.connect(self.newRequested)
        self.set_state("idle")

    def set_sample(self, text: str) -> None:
        show_text(self.sample, text)

    def set_state(self, state: str) -> None:
        """Shows the buttons for the trainer's state."""
        self.hurry.setVisible(state in ("preparing", "training", "paused"))
        self.new.setVisible(state != "idle")
