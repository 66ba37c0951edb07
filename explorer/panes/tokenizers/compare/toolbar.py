"""The toolbar of display options: columns or rows, ids, bytes, differences, price."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QToolTip, QWidget

from explorer import theme
from explorer.panes.tokenizers.compare import text
from explorer.panes.tokenizers.compare.display_options import LARGEST_PRICE, DisplayOptions
from explorer.widgets.base import Label
from explorer.widgets.number_field import NumberField
from explorer.widgets.toggle import SegmentedControl, Switch
from explorer.widgets.wrap_row import WrapRow


class Toggle(QToolButton):
    """A checkable text button."""

    def __init__(self, title: str, help: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(title)
        self.setCheckable(True)
        self.setToolTip(help)
        self.setAccessibleName(title)
        self.setAccessibleDescription(help)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        now = theme.current()
        self.setFont(now.font("body"))
        self.setFixedHeight(now.px("control"))


class Toolbar(QWidget):
    """The toolbar; emits `chosen(name, value)` with a field of DisplayOptions and its new value."""

    chosen = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.compare.toolbar")
        self.layouts = SegmentedControl([("columns", "Columns"), ("rows", "Rows")], "Arrangement")
        self.layouts.chosen.connect(lambda name: self.chosen.emit("layout", name))
        self.buttons: dict[str, QToolButton | Switch] = {}
        for name, (title, help) in text.TOGGLES.items():
            self.buttons[name] = Toggle(title, help)
        for name, (title, help) in text.SWITCHES.items():
            self.buttons[name] = Switch(title)
            self.buttons[name].setToolTip(help)
        for name, button in self.buttons.items():
            button.clicked.connect(lambda on, name=name: self.chosen.emit(name, bool(on)))
        self.price = NumberField("Price of a million tokens", word=("", 0.0), digits=12, width=64)
        self.price.setToolTip(text.PRICE)
        self.price.set_limits(0, LARGEST_PRICE)
        self.price.refused.connect(self._on_refused)
        self.price.changed.connect(lambda price: self.chosen.emit("price", price))
        self.unit = Label("$/M tokens", "label", "muted")
        cost = QWidget()
        beside = QHBoxLayout(cost)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(8)
        beside.addWidget(self.price)
        beside.addWidget(self.unit)
        row = WrapRow(parent=self)
        for control in (self.layouts, *self.buttons.values()):
            row.addWidget(control)
        row.addStretch()
        row.addWidget(cost)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_options(self, options: DisplayOptions) -> None:
        """Shows the options without emitting a signal."""
        self.layouts.set_current(options.layout)
        for name, button in self.buttons.items():
            button.setChecked(getattr(options, name))
        self.price.set_value(options.price)

    def _on_refused(self, why: str) -> None:
        below = self.price.mapToGlobal(self.price.rect().bottomLeft())
        QToolTip.showText(below, why, self.price)
