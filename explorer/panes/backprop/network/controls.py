"""What can be changed while it learns, as fields at the side of the drawing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QPushButton, QVBoxLayout, QWidget

from core.optimization.optimizers import OPTIMIZERS
from core.optimization.schedules import SCHEDULES
from explorer import theme
from explorer.panes.backprop.network.experiment import Experiment
from explorer.typed_numbers import read_number, read_whole
from explorer.widgets.base import set_look
from explorer.widgets.fields import Field, MenuField
from explorer.widgets.form import scrolling

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
    """A number, chosen from a list or typed. `changed` carries the text."""

    def __init__(self, name: str, title: str, choices: tuple[float, ...], hint: str = "") -> None:
        self.box = QComboBox()
        self.box.setEditable(True)
        self.box.setCompleter(None)  # it would make 32 of a 3 that is typed
        self.box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.box.setMinimumContentsLength(6)
        for choice in choices:
            self.box.addItem(f"{choice:g}")
        super().__init__(name, title, self.box, hint)
        self.box.activated.connect(lambda _: self.changed.emit(self.value))
        line = self.box.lineEdit()
        assert line is not None
        line.editingFinished.connect(self._on_typed)
        self._shown = ""

    def set_value(self, text: str) -> None:
        self._shown = text
        if text != self.box.currentText():
            self.box.setCurrentText(text)

    @property
    def value(self) -> str:
        return self.box.currentText()

    def _on_typed(self) -> None:
        if self.value != self._shown:
            self._shown = self.value
            self.changed.emit(self.value)


def _batch(text: str) -> int:
    return 0 if text.strip().lower() in ("all", "") else read_whole(text)


def _plain(text: str) -> str:
    return text


class Controls(QWidget):
    """`changed(field, value)` of an Experiment; a text that means nothing is told beside it."""

    changed = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.network.controls")
        self._read: dict[str, Callable[[str], Any]] = {}
        self.fields: dict[str, Field] = {}
        self._shown: Experiment | None = None
        self._column = QVBoxLayout()
        self._column.setContentsMargins(2, 0, 8, 8)
        self._build()
        self.more = QPushButton("More")
        set_look(self.more, "quiet")
        self.more.setCheckable(True)
        self.more.toggled.connect(self.set_more)
        self._column.addWidget(self.more)
        self._rest = QWidget()
        inner = QVBoxLayout(self._rest)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(8)
        self._build_rest(inner)
        self._column.addWidget(self._rest)
        self._column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolling(self._column))
        self._rest.hide()
        theme.changed.connect(self._restyle)
        self._restyle()

    def _build(self) -> None:
        self._column.setSpacing(8)
        menus = [(name, rule.title) for name, rule in OPTIMIZERS.items()]
        noises = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
        add = self._column.addWidget
        add(self._menu("data", "Data", DATA, "What there is to learn"))
        add(
            self._number(
                "noise",
                "Noise",
                noises,
                read_number,
                "Standard deviation of what is added to the points",
            )
        )
        add(self._menu("activation", "Activation", ACTIVATIONS, "What follows the weighted sums"))
        add(self._menu("optimizer", "Optimizer", menus, "How gradients become steps"))
        add(self._number("learning_rate", "Learning rate", RATES, read_number, "Size of the steps"))
        add(self._menu("penalty", "Regularization", PENALTIES, "What large weights cost"))
        batch = self._number(
            "batch_size", "Batch", (1, 8, 32, 64), _batch, "Points a step; all: every one"
        )
        assert isinstance(batch, NumberMenu)
        batch.box.addItem("all")
        add(batch)

    def _build_rest(self, column: QVBoxLayout) -> None:
        schedules = [(name, one.title) for name, one in SCHEDULES.items()]
        add = column.addWidget
        add(self._number("points", "Points", (40, 100, 200, 500), read_whole, "2 to 1000"))
        add(
            self._number(
                "train_share",
                "Training share",
                (0.3, 0.5, 0.7, 0.9),
                read_number,
                "Of the points; the others test what was learned",
            )
        )
        add(
            self._menu(
                "initialization",
                "First weights",
                INITIALIZATIONS,
                "Counts for new neurons at once, for all others from Reset on",
            )
        )
        add(
            self._number(
                "scale",
                "First weights \u00d7",
                (0.1, 1.0, 3.0, 6.0),
                read_number,
                "Makes all first weights larger; counts from Reset on",
            )
        )
        add(self._menu("norm", "Norm", NORMS, "Between the sums and the activation"))
        add(self._menu("schedule", "Schedule", schedules, "How the learning rate changes"))
        add(
            self._number(
                "steps", "Steps of the schedule", (500, 2000, 5000), read_whole, "Its length"
            )
        )
        add(
            self._number(
                "strength",
                "Regularization strength",
                (1e-4, 1e-3, 1e-2, 0.1),
                read_number,
                "Times the sum over the weights",
            )
        )

    def _menu(self, name: str, title: str, choices: Any, hint: str) -> Field:
        return self._keep(MenuField(name, title, list(choices), hint), _plain)

    def _number(
        self,
        name: str,
        title: str,
        choices: tuple[float, ...],
        read: Callable[[str], Any],
        hint: str,
    ) -> Field:
        return self._keep(NumberMenu(name, title, choices, hint), read)

    def _keep(self, field: Field, read: Callable[[str], Any]) -> Field:
        field.setObjectName(f"backprop.network.{field.name}")
        self.fields[field.name] = field
        self._read[field.name] = read
        field.changed.connect(lambda text, name=field.name: self._on_changed(name, text))
        return field

    def _restyle(self) -> None:
        self.setFixedWidth(theme.current().px(176))

    # what is shown

    def set_experiment(self, one: Experiment) -> None:
        self._shown = one
        for name, field in self.fields.items():
            value = getattr(one, name)
            text = value if isinstance(value, str) else f"{value:g}"
            if name == "batch_size" and value == 0:
                text = "all"
            field.set_value(text)
            field.set_error("")
        own = one.data == "own"
        for name in ("noise", "points", "train_share"):
            self.fields[name].setEnabled(not own)
        self.fields["strength"].setEnabled(one.penalty != "none")
        self.fields["steps"].setEnabled(one.schedule != "constant")

    def set_more(self, on: bool) -> None:
        self.more.setChecked(on)
        self._rest.setVisible(on)
        self.more.setText("Less" if on else "More")

    def set_errors(self, errors: Mapping[str, str]) -> None:
        for name, text in errors.items():
            if name in self.fields:
                self.fields[name].set_error(text[:1].upper() + text[1:])

    def _on_changed(self, name: str, text: str) -> None:
        try:
            value = self._read[name](text)
        except ValueError as error:
            self.set_errors({name: str(error)})
            return
        self.changed.emit(name, value)
