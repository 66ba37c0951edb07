"""The chosen head, large: heat map, arcs, steps or two texts in their place, and few controls."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from explorer.panes.attention.choices import MODES
from explorer.panes.attention.comparison_view import ComparisonView
from explorer.panes.attention.stage import TraceStage
from explorer.widgets.arcs import ArcDiagram
from explorer.widgets.heat_map import HeatMap
from explorer.widgets.pages import Pages
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import SegmentedControl, Switch
from explorer.widgets.wrap_row import WrapRow

HIDE = "Hide first token"
LONGEST = 16  # characters of a token on a button


class AttentionMap(HeatMap):
    """The heat map of one head; a cell tells its value and where that comes from."""

    def describe(self, row: int, column: int) -> str:
        return f"{super().describe(row, column)}\na = softmax(q \u00b7 k \u00f7 \u221ad)"


class HeadView(QWidget):
    """Intents: another mode, hide the first token, walk, append the token that is expected."""

    modeChosen = Signal(str)
    hideToggled = Signal(bool)
    walkToggled = Signal(bool)
    appendRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heat, self.arcs, self.stage = (
            AttentionMap("Attention of this head"),
            ArcDiagram(),
            TraceStage(),
        )
        self.compared = ComparisonView()
        self.heat.set_axis_titles("query looks", "at key")
        self.modes = SegmentedControl(
            [("map", "Heat map"), ("arcs", "Arcs"), ("steps", "Steps"), ("compare", "Compare")],
            "How to show the head",
        )
        self.hide_first = Switch(HIDE)
        self.hide_first.setToolTip(
            "Many heads rest on the first token when they find nothing. Hiding it scales the rest "
            "of each row to 1."
        )
        self.walk = QPushButton("Walk")
        self.walk.setCheckable(True)
        self.walk.setToolTip("Play the steps of each token in turn (Ctrl+Shift+W)")
        self.append = QPushButton()
        self._next = ""  # the token to append
        for name, widget in (
            ("append", self.append),
            ("heat", self.heat),
            ("arcs", self.arcs),
            ("steps", self.stage),
            ("modes", self.modes),
            ("hide", self.hide_first),
            ("walk", self.walk),
        ):
            widget.setObjectName(f"attention.view.{name}")
        self._pages = dict(
            zip(MODES, (self.heat, self.arcs, self.stage, self.compared), strict=True)
        )
        self.stack = Pages(*self._pages.values())
        self.picture = StatefulPicture(self.stack, "grid")
        self.picture.skeleton.set_grid(12, 12)
        tools = WrapRow()
        tools.addWidget(self.modes)
        tools.addWidget(self.hide_first)
        tools.addWidget(self.append)
        tools.addStretch()
        tools.addWidget(self.walk)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(tools)
        column.addWidget(self.picture, 1)
        self.modes.chosen.connect(self.modeChosen)
        self.hide_first.toggled.connect(self.hideToggled)
        self.walk.toggled.connect(self.walkToggled)
        self.append.clicked.connect(self.appendRequested)
        self.set_next("")

    def set_next(self, token: str, why_not: str = "") -> None:
        """The expected token, which can be appended; "" while none is known."""
        self._next = token
        shown = token if len(token) <= LONGEST else f"{token[:LONGEST]}\u2026\u201d"
        self.append.setText(f"Append {shown}")
        self.append.setAccessibleName(f"Append {token}")
        self.append.setEnabled(not why_not)
        self.append.setToolTip(why_not or "The text with this token after it (Ctrl+Shift+A)")
        self._show_append()

    def _show_append(self) -> None:
        self.append.setVisible(bool(self._next) and self.stack.currentWidget() is self.stage)

    def set_mode(self, mode: str) -> None:
        self.modes.set_current(mode)
        self.stack.setCurrentWidget(self._pages[mode])
        steps = mode == "steps"
        self.hide_first.setEnabled(not steps)
        self.hide_first.setVisible(not steps)
        self._show_append()

    def set_hide_first(self, hidden: bool) -> None:
        self.hide_first.blockSignals(True)
        self.hide_first.setChecked(hidden)
        self.hide_first.blockSignals(False)

    def set_walking(self, walking: bool) -> None:
        self.walk.blockSignals(True)
        self.walk.setChecked(walking)
        self.walk.setText("Stop walking" if walking else "Walk")
        self.walk.blockSignals(False)

    def keyPressEvent(self, event) -> None:
        if event.key() == Qt.Key.Key_Escape:
            event.ignore()
        else:
            super().keyPressEvent(event)
