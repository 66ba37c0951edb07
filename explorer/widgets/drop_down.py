"""A list that drops down: one of several values, each with its words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QWidget


class DropDown(QComboBox):
    """`picked(value)`: a person has chosen another one."""

    picked = Signal(object)

    def __init__(self, name: str, help: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(help or name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.activated.connect(lambda _: self.picked.emit(self.currentData()))

    def fill(self, items: Sequence[tuple[str, object]], chosen: object) -> None:
        """(words, value) of each. Where they are the same, an open list stays as it is."""
        with QSignalBlocker(self):
            if [(self.itemText(at), self.itemData(at)) for at in range(self.count())] != items:
                self.clear()
                for words, value in items:
                    self.addItem(words, value)
            self.setCurrentIndex(max(0, self.findData(chosen)))
