"""A drop-down list of values."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox


class ChoiceBox(QComboBox):
    """`picked(value)`: a person has chosen one. As wide as its longest choice."""

    picked = Signal(object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setToolTip(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.activated.connect(lambda _: self.picked.emit(self.currentData()))

    def fill(self, choices: Iterable[tuple[str, object]], chosen: object) -> None:
        """Words and value of each choice; emits nothing. A list that is open stays as it is where
        the choices are the same.
        """
        choices = list(choices)
        with QSignalBlocker(self):
            if [(self.itemText(at), self.itemData(at)) for at in range(self.count())] != choices:
                self.clear()
                for words, value in choices:
                    self.addItem(words, value)
            self.setCurrentIndex(max(0, self.findData(chosen)))
