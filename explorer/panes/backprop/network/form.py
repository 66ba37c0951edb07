"""The fields of the draft, beside the drawing; all of them may change during training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from core.fields import Field as About
from core.fields import fields_of
from core.optimization.optimizers import OPTIMIZERS
from core.optimization.schedules import SCHEDULES
from explorer import theme
from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.widgets.boxes import column
from explorer.widgets.fields import Field, MenuField
from explorer.widgets.form import scrolling
from explorer.widgets.more_button import MoreButton
from explorer.widgets.number_field import NumberField

WIDTH = 176  # px
# Choices of each field: (value, title) pairs, or numbers. The fields of `DEEP` are under More.
SHOWN: dict[str, Any] = {
    "data": [
        ("moons", "Two moons"),
        ("circle", "Circle"),
        ("xor", "XOR"),
        ("gaussians", "Two clouds"),
        ("spiral", "Spiral"),
        ("yin-yang", "Yin-yang (3 classes)"),
        ("plane", "Plane (regression)"),
        ("hills", "Hills (regression)"),
        ("own", "Your own points"),
    ],
    "noise": [0.0, 0.05, 0.1, 0.2, 0.3, 0.5],
    "activation": [
        ("tanh", "tanh"),
        ("relu", "ReLU"),
        ("sigmoid", "Sigmoid"),
        ("gelu", "GELU"),
        ("linear", "None (linear)"),
    ],
    "optimizer": [(name, rule.title) for name, rule in OPTIMIZERS.items()],
    "learning_rate": [1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0],
    "penalty": [("none", "None"), ("l2", "L2"), ("l1", "L1")],
    "batch_size": [1, 8, 32, 64, 0],
}
DEEP: dict[str, Any] = {
    "points": [40, 100, 200, 500],
    "train_share": [0.3, 0.5, 0.7, 0.9],
    "initialization": [
        ("kaiming", "Kaiming"),
        ("xavier", "Xavier"),
        ("normal", "Normal"),
        ("uniform", "Uniform"),
        ("zeros", "Zeros"),
    ],
    "scale": [0.1, 1.0, 3.0, 6.0],
    "norm": [("none", "None"), ("layer", "Layer norm"), ("batch", "Batch norm")],
    "schedule": [(name, one.title) for name, one in SCHEDULES.items()],
    "steps": [500, 2000, 5000],
    "strength": [1e-4, 1e-3, 1e-2, 0.1],
}


class NumberMenu(Field):
    """A number that is chosen from a list or typed; `typed` has the value."""

    def __init__(
        self, name: str, title: str, choices: list[float], hint: str, typed: NumberField
    ) -> None:
        self.typed = typed
        self.box = QComboBox()
        self.box.setEditable(True)
        self.box.setLineEdit(typed)
        self.box.setCompleter(None)  # it would complete a typed 3 to 32
        self.box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.box.setMinimumContentsLength(6)
        for choice in choices:
            self.box.addItem(typed.tell(choice), choice)
        super().__init__(name, title, self.box, hint)
        self.box.activated.connect(lambda place: typed.choose(self.box.itemData(place)))
        typed.refused.connect(self.set_error)

    def set_value(self, value: Any) -> None:
        """Shows a value; keys and wheel continue from it, or from the next smaller choice."""
        smaller = [at for at in range(self.box.count()) if self.box.itemData(at) <= value]
        place = max(smaller, key=self.box.itemData, default=-1)
        if place != self.box.currentIndex():
            text, cursor = self.typed.text(), self.typed.cursorPosition()
            with QSignalBlocker(self.box):
                self.box.setCurrentIndex(place)  # this overwrites the text
            self.typed.setText(text)
            self.typed.setCursorPosition(cursor)
        self.typed.set_value(value)


class NetworkForm(QWidget):
    """The form. `changed(field, value)` asks to change a field of the NetworkDraft."""

    changed = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.network.form")
        about = fields_of(NetworkDraft)
        self.fields = {
            name: self._field(name, about[name], choices)
            for name, choices in (SHOWN | DEEP).items()
        }
        deep = QWidget()
        column(*(self.fields[name] for name in DEEP), of=deep)
        self.more = MoreButton("backprop.network.more", deep)
        fields = column(*(self.fields[name] for name in SHOWN), self.more, deep, 1)
        fields.setContentsMargins(2, 0, 8, 8)
        column(scrolling(fields), of=self)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _field(self, name: str, about: About, choices: Any) -> Field:
        field: Field
        if isinstance(choices[0], tuple):
            field = MenuField(name, about.label, choices, about.help)
            field.changed.connect(lambda value: self.changed.emit(name, value))
        else:
            whole, word = about.type is int, ("all", 0) if name == "batch_size" else None
            typed = NumberField(about.label, whole=whole, word=word, at_once=False)
            typed.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            assert about.least is not None and about.most is not None
            typed.set_limits(about.least, about.most)
            kind = int if whole else float
            typed.changed.connect(lambda value: self.changed.emit(name, kind(value)))
            field = NumberMenu(name, about.label, choices, about.help, typed)
        field.setObjectName(f"backprop.network.{name}")
        return field

    def _restyle(self) -> None:
        self.setFixedWidth(theme.current().px(WIDTH))

    # content

    def set_draft(self, one: NetworkDraft) -> None:
        for name, field in self.fields.items():
            field.set_value(getattr(one, name))
            field.set_error("")
        own = one.data == "own"
        for name in ("noise", "points", "train_share"):
            self.fields[name].setEnabled(not own)
        self.fields["strength"].setEnabled(one.penalty != "none")
        self.fields["steps"].setEnabled(one.schedule != "constant")

    def set_errors(self, errors: Mapping[str, str]) -> None:
        for name, text in errors.items():
            if name in self.fields:
                self.fields[name].set_error(text[:1].upper() + text[1:])
