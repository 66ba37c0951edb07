"""The settings of the chosen optimizer, each a field of its own."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.optimizers.draft import CHOICES, keys_of
from explorer.widgets.base import Label, set_look
from explorer.widgets.fields import ErrorLine
from explorer.widgets.number_field import LARGEST, NumberField

SHARES = ("momentum", "beta", "beta1", "beta2")
IN_ITS_ROW = "learning_rate"


class SettingsForm(QWidget):
    """`changed(optimizer, key, value)`, `refused(key, why)`, `usualRequested`; `left`: a field."""

    changed = Signal(str, str, float)
    refused = Signal(str, str)
    left = Signal()
    usualRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.optimizers.settings")
        self._name = ""
        self.fields: dict[str, NumberField] = {}
        self.title = Label("", "body", weight=600)
        self.usual = QPushButton("Usual")
        self.usual.setToolTip("Its usual settings, at the learning rate that suits the surface")
        set_look(self.usual, "quiet")
        self.error = ErrorLine()
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.usual)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(2)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 0, 2, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addLayout(self._grid)
        column.addWidget(self.error)
        self.usual.clicked.connect(self.usualRequested)

    def set_optimizer(self, name: str) -> None:
        """Another one's fields."""
        if name == self._name:
            return
        self._name, self.fields = name, {}
        while self._grid.count():
            item = self._grid.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.setVisible(bool(name))
        if not name:
            return
        self.title.setText(OPTIMIZERS[name].title)
        keys = [key for key in keys_of(name) if key != IN_ITS_ROW]
        for place, key in enumerate(keys):
            title, hint = CHOICES[key]
            field = NumberField(title, share=key in SHARES, whole=key == "iterations")
            field.setObjectName(f"backprop.optimizers.settings.{key}")
            field.setToolTip(hint)
            field.setMinimumWidth(48)
            field.set_limits(0, LARGEST)
            label = Label(title, "label", "muted")
            label.setToolTip(hint)
            label.setBuddy(field)
            row, side = divmod(place, 2)
            self._grid.addWidget(label, 2 * row, side)
            self._grid.addWidget(field, 2 * row + 1, side)
            field.changed.connect(lambda value, key=key: self.changed.emit(name, key, value))
            field.refused.connect(lambda why, key=key: self.refused.emit(key, why))
            field.left.connect(self.left)
            self.fields[key] = field

    def finish_typing(self) -> None:
        """What is still being typed is taken now."""
        for field in list(self.fields.values()):
            field.finish()

    def set_values(self, values: Mapping[str, float], is_usual: bool) -> None:
        for key, field in self.fields.items():
            field.set_value(float(values[key]))
        self.usual.setEnabled(not is_usual)
        tip = "These are its usual settings" if is_usual else "Back to its usual settings"
        self.usual.setToolTip(tip)
