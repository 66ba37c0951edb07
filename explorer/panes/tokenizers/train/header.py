"""The mode's inputs: the sample, and what can be done with the training as a whole."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QPushButton, QWidget

from explorer.panes.tokenizers.train.draft import LONGEST_SAMPLE
from explorer.widgets.base import show_text
from explorer.widgets.wrap_row import WrapRow, labelled


class TrainHeader(QWidget):
    """`sampleChanged(text)`, `hurryRequested`, `newRequested`."""

    sampleChanged = Signal(str)
    hurryRequested = Signal()
    newRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.train.inputs")
        self.sample = QLineEdit()
        self.sample.setObjectName("tokenizers.train.sample-text")
        self.sample.setMaxLength(LONGEST_SAMPLE)
        self.sample.setAccessibleName("Sample")
        self.sample.setPlaceholderText("A sentence that is cut after every step")
        self.hurry = QPushButton("To the end")
        self.hurry.setObjectName("tokenizers.train.hurry")
        self.hurry.setToolTip("Train on as fast as it goes")
        self.new = QPushButton("New\u2026")
        self.new.setObjectName("tokenizers.train.new")
        self.new.setToolTip("Choose another text, other algorithms or another size")
        row = WrapRow(parent=self)
        row.addWidget(labelled("Sample", self.sample))
        row.addWidget(self.hurry)
        row.addWidget(self.new)
        self.sample.textEdited.connect(self.sampleChanged)
        self.hurry.clicked.connect(self.hurryRequested)
        self.new.clicked.connect(self.newRequested)
        self.set_state("idle")

    def set_sample(self, text: str) -> None:
        show_text(self.sample, text)

    def set_state(self, state: str) -> None:
        """The trainer's."""
        self.hurry.setVisible(state in ("preparing", "training", "paused"))
        self.new.setVisible(state != "idle")
