"""The fields of the draft, beside the drawing: all may change during training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from core.optimization.optimizers import OPTIMIZERS
from core.optimization.schedules import SCHEDULES
from explorer import theme
from explorer.panes.backprop.network.draft import NetworkDraft, limits_of
from explorer.widgets.fields import Field, MenuField
from explorer.widgets.form import scrolling
from explorer.widgets.more_button import MoreButton
from explorer.widgets.number_field import NumberField

DATA = (
    ("moons", "Two moons"),
    ("circle", "Circle"),
    ("xor", "XOR"),
    ("gaussians", "Two clouds"),
    ("spiral", "Spiral"),
    ("yin-yang", "Yin-yang (3)"),
    ("plane", "Plane (number)"),
    ("hills", "Hills (number)"),
    ("own", "Your own points"),
)
ACTIVATIONS = (
    ("tanh", "tanh"),
    ("relu", "ReLU"),
    ("sigmoid", "Sigmoid"),
    ("gelu", "GELU"),
    ("linear", "None (linear)"),
)
INITIALIZATIONS = (
    ("kaiming", "Kaiming"),
    ("xavier", "Xavier"),
    ("normal", "Normal"),
    ("uniform", "Uniform"),
    ("zeros", "Zeros"),
)
NORMS = (("none", "None"), ("layer", "Layer norm"), ("batch", "Batch norm"))
PENALTIES = (("none", "None"), ("l2", "L2"), ("l1", "L1"))
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


class NumberMenu(Field):
    """A number, chosen from a list or typed; `typed` has the value."""

    def __init__(
        self, name: str, title: str, choices: tuple[float, ...], hint: str, typed: NumberField
    ) -> None:
        self.typed = typed
        self.box = QComboBox()
        self.box.setEditable(True)
        self.box.setLineEdit(typed)
        self.box.setCompleter(None)  # it would make 32 of a 3 that is typed
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
        """Shows it; keys and wheel go on from there, or from the next smaller one in the list."""
        smaller = [at for at in range(self.box.count()) if self.box.itemData(at) <= value]
        place = max(smaller, key=self.box.itemData, default=-1)
        if place != self.box.currentIndex():
            text, cursor = self.typed.text(), self.typed.cursorPosition()
            with QSignalBlocker(self.box):
                self.box.setCurrentIndex(place)  # writes the text of the place
            self.typed.setText(text)
            self.typed.setCursorPosition(cursor)
        self.typed.set_value(value)


class NetworkForm(QWidget):
    """`changed(field, value)` of a NetworkDraft."""

    changed = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.network.form")
        self.fields: dict[str, Field] = {}
        self._column = QVBoxLayout()
        self._column.setContentsMargins(2, 0, 8, 8)
        self._build()
        rest = QWidget()
        self.more = MoreButton("backprop.network.more", rest)
        self._column.addWidget(self.more)
        inner = QVBoxLayout(rest)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(8)
        self._build_rest(inner)
        self._column.addWidget(rest)
        self._column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(self._column))
        theme.changed.connect(self._restyle)
        self._restyle()

    def _build(self) -> None:
        self._column.setSpacing(8)
        menus = [(name, rule.title) for name, rule in OPTIMIZERS.items()]
        noises = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
        add = self._column.addWidget
        add(self._menu("data", "Data", DATA, "The points that the network learns"))
        noise = "Standard deviation of the noise added to the points"
        add(self._number("noise", "Noise", noises, noise))
        add(self._menu("activation", "Activation", ACTIVATIONS, "Applied to each weighted sum"))
        add(self._menu("optimizer", "Optimizer", menus, "How gradients become steps"))
        add(self._number("learning_rate", "Learning rate", RATES, "Size of the steps"))
        add(self._menu("penalty", "Regularization", PENALTIES, "What large weights cost"))
        batches = "Points per step; all: every point"
        add(self._number("batch_size", "Batch", (1, 8, 32, 64, 0), batches, whole=True))

    def _build_rest(self, column: QVBoxLayout) -> None:
        schedules = [(name, one.title) for name, one in SCHEDULES.items()]
        add = column.addWidget
        add(self._number("points", "Points", (40, 100, 200, 500), "2 to 1000", whole=True))
        share = "Share of the points to learn from; the rest are for testing"
        add(self._number("train_share", "Training share", (0.3, 0.5, 0.7, 0.9), share))
        add(
            self._menu(
                "initialization",
                "Initial weights",
                INITIALIZATIONS,
                "Takes effect for new neurons at once, for all others at Reset",
            )
        )
        larger = "Multiplies all initial weights; takes effect at Reset"
        add(self._number("scale", "Initial weights \u00d7", (0.1, 1.0, 3.0, 6.0), larger))
        add(self._menu("norm", "Norm", NORMS, "Between each sum and its activation"))
        add(
            self._menu(
                "schedule", "Schedule", schedules, "How the learning rate changes over the steps"
            )
        )
        lengths = (500, 2000, 5000)
        add(
            self._number(
                "steps", "Steps of the schedule", lengths, "The length of the schedule", whole=True
            )
        )
        strengths, cost = (1e-4, 1e-3, 1e-2, 0.1), "Multiplies the sum over the weights"
        add(self._number("strength", "Regularization strength", strengths, cost))

    def _menu(self, name: str, title: str, choices: Any, hint: str) -> Field:
        field = MenuField(name, title, list(choices), hint)
        field.changed.connect(lambda text: self.changed.emit(name, text))
        return self._keep(field)

    def _number(
        self, name: str, title: str, choices: tuple[float, ...], hint: str, whole: bool = False
    ) -> Field:
        word = ("all", 0) if name == "batch_size" else None
        typed = NumberField(title, whole=whole, word=word, at_once=False)
        typed.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        typed.set_limits(*limits_of(name))
        typed.changed.connect(lambda value: self.changed.emit(name, int(value) if whole else value))
        return self._keep(NumberMenu(name, title, choices, hint, typed))

    def _keep(self, field: Field) -> Field:
        field.setObjectName(f"backprop.network.{field.name}")
        self.fields[field.name] = field
        return field

    def _restyle(self) -> None:
        self.setFixedWidth(theme.current().px(176))

    # what is shown

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
