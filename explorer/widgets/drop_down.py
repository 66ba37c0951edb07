"""A drop-down list: one of several values, each with a text."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QWidget


class DropDown(QComboBox):
    """Emits `picked(value)` when the user chooses another value."""

    picked = Signal(object)

    def __init__(self, name: str, help: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setToolTip(help or name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.activated.connect(lambda _: self.picked.emit(self.currentData()))

    def fill(self, items: Sequence[tuple[str, object]], chosen: object) -> None:
        """Sets the items, (text, value) each; an open list with the same items is not rebuilt."""
        with QSignalBlocker(self):
            if [(self.itemText(at), self.itemData(at)) for at in range(self.count())] != items:
                self.clear()
                for words, value in items:
                    self.addItem(words, value)
            self.setCurrentIndex(max(0, self.findData(chosen)))
