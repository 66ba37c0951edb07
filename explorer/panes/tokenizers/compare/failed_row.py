"""Why the tokenizer of a row is not there, in the two lines for which a row has room."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QWidget

from explorer.widgets.card import Glyph
from explorer.widgets.cut_label import CutLabel


class FailedRow(QWidget):
    """What failed and the ways out, whole; below them why, as much as there is room for."""

    retryRequested = Signal()
    fileRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = CutLabel("body", "error", weight=600)
        self.reason = CutLabel("body")
        self.retry, self.file = QPushButton("Retry"), QPushButton("Open a file")
        self.retry.clicked.connect(self.retryRequested)
        self.file.clicked.connect(self.fileRequested)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        grid.addWidget(Glyph("error", "error", 20), 0, 0, Qt.AlignmentFlag.AlignVCenter)
        for column, part in enumerate((self.title, self.retry, self.file), 1):
            grid.addWidget(part, 0, column)
        grid.addWidget(self.reason, 1, 1, 1, 3)
        grid.setRowStretch(2, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def set_failed(self, title: str, reason: str) -> None:
        self.title.set_text(title)
        self.reason.set_text(reason)
