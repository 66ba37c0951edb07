"""How the tokens are shown: columns or rows, what beside the text, differences, the price."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QToolTip, QWidget

from explorer import theme
from explorer.panes.tokenizers.compare.choices import LARGEST_PRICE, Choices
from explorer.widgets.base import Label
from explorer.widgets.number_field import NumberField
from explorer.widgets.toggle import SegmentedControl, Switch
from explorer.widgets.wrap_row import WrapRow


class Toggle(QToolButton):
    """A word that is on or off."""

    def __init__(self, text: str, help: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setCheckable(True)
        self.setToolTip(help)
        self.setAccessibleName(text)
        self.setAccessibleDescription(help)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        now = theme.current()
        self.setFont(now.font("body"))
        self.setFixedHeight(now.px("control"))


class PriceField(NumberField):
    """What a million tokens cost; an empty field and 0 show no cost."""

    def __init__(self) -> None:
        super().__init__("Price of a million tokens", word=("", 0.0), digits=12, width=64)
        self.setToolTip("Dollars per million tokens: each head shows what this text costs")
        self.set_limits(0, LARGEST_PRICE)
        self.refused.connect(self._on_refused)

    def _on_refused(self, why: str) -> None:
        below = self.mapToGlobal(self.rect().bottomLeft())
        QToolTip.showText(below, why, self)


class Toolbar(QWidget):
    """`chosen(name, value)`: a field of Choices and its new value."""

    chosen = Signal(str, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.compare.toolbar")
        self.layouts = SegmentedControl([("columns", "Columns"), ("rows", "Rows")], "Arrangement")
        self.layouts.chosen.connect(lambda name: self.chosen.emit("layout", name))
        self.toggles = {
            "ids": Toggle("Ids", "The id of each token below it"),
            "pieces": Toggle(
                "Pieces", "Each piece as its vocabulary holds it; off: the text under it"
            ),
            "bytes": Toggle("Bytes", "The bytes of each token in place of its text"),
            "whitespace": Toggle("Spaces", "Spaces, tabs and line breaks as glyphs"),
        }
        self.switches = {
            "specials": Switch("Special tokens"),
            "differences": Switch("Differences"),
        }
        self.switches["specials"].setToolTip(
            "On: <|endoftext|> in the text is the special token. Off: it is text like any other."
        )
        self.switches["differences"].setToolTip(
            "Colors only the tokens on which the tokenizers disagree"
        )
        for name, button in {**self.toggles, **self.switches}.items():
            button.clicked.connect(lambda on, name=name: self.chosen.emit(name, bool(on)))
        self.price = PriceField()
        self.price.changed.connect(lambda price: self.chosen.emit("price", price))
        cost = QWidget()
        beside = QHBoxLayout(cost)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(8)
        beside.addWidget(self.price)
        self.unit = Label("$/M tokens", "label", "muted")
        beside.addWidget(self.unit)
        row = WrapRow(parent=self)
        for control in (self.layouts, *self.toggles.values(), *self.switches.values()):
            row.addWidget(control)
        row.addStretch()
        row.addWidget(cost)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_choices(self, choices: Choices) -> None:
        """Shows what is chosen; emits nothing."""
        self.layouts.set_current(choices.layout)
        for name, button in {**self.toggles, **self.switches}.items():
            button.setChecked(getattr(choices, name))
        self.price.set_value(choices.price)
