"""The chosen head, large: heat map, arcs, steps or a comparison, with a few controls."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QWidget

from explorer.panes.attention import text
from explorer.panes.attention.comparison_view import ComparisonView
from explorer.panes.attention.compute import Heads
from explorer.panes.attention.draft import ViewSettings
from explorer.panes.attention.steps_picture import StepsPicture
from explorer.widgets.arcs import ArcDiagram
from explorer.widgets.boxes import column, name_parts
from explorer.widgets.heat_map import HeatMap
from explorer.widgets.pages import Pages
from explorer.widgets.push_button import push_button
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.toggle import SegmentedControl, Switch
from explorer.widgets.wrap_row import WrapRow

LONGEST = 16  # characters of a token on the button


class AttentionMap(HeatMap):
    """The heat map of one head; a cell's tooltip adds the formula to its value."""

    def describe(self, row: int, column: int) -> str:
        return f"{super().describe(row, column)}\na = softmax(q \u00b7 k \u00f7 \u221ad)"


class HeadView(QWidget):
    """The large view of one head. Its signals report that a cell (query, key) is hovered, (-1, -1)
    for none, or pinned; or ask for another mode, other settings, a walk, or the expected token.
    """

    cellPointed = Signal(int, int)
    cellPinned = Signal(int, int)
    modeChosen = Signal(str)
    changed = Signal(str, object)  # name of a view setting, new value
    walkToggled = Signal(bool)
    appendRequested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heat, self.arcs = AttentionMap("Attention of this head"), ArcDiagram()
        self.steps, self.compared = StepsPicture(), ComparisonView()
        self.heat.set_axis_titles("query", "key it looks at")
        self.modes = SegmentedControl(list(text.VIEWS.items()), "How to show the head")
        self.hide_first = Switch(text.HIDE)
        self.hide_first.setToolTip(text.HIDE_HELP)
        self.walk = push_button(text.WALK, text.WALK_HELP)
        self.walk.setCheckable(True)
        self.append = push_button("")
        self._next = ""  # the token to append
        self.query = 0
        self._pinned: int | None = None  # key of the pinned cell
        name_parts(self, "attention.view", "append", "heat", "arcs", "steps", "modes", "walk")
        self.hide_first.setObjectName("attention.view.hide")
        pages = self.heat, self.arcs, self.steps, self.compared
        self._pages = dict(zip(text.VIEWS, pages, strict=True))
        self.stack = Pages(*pages)
        self.picture = StatefulPicture(self.stack, "grid")
        self.picture.skeleton.set_grid(12, 12)
        tools = WrapRow()
        for tool in (self.modes, self.hide_first, self.append):
            tools.addWidget(tool)
        tools.addStretch()
        tools.addWidget(self.walk)
        column(tools, (self.picture, 1), of=self, spacing=12)
        self.modes.chosen.connect(self.modeChosen)
        self.hide_first.toggled.connect(lambda on: self.changed.emit("hide_first", on))
        self.walk.toggled.connect(self.walkToggled)
        self.append.clicked.connect(self.appendRequested)
        self.compared.changed.connect(self.changed)
        for picture in (self.heat, *self.compared.pictures):
            picture.cellHovered.connect(self.cellPointed)
            picture.currentChanged.connect(self.cellPointed)
        self.arcs.tokenHovered.connect(self._on_key_pointed)
        self.steps.keyHovered.connect(self._on_key_pointed)
        self.steps.keyClicked.connect(lambda key: self.cellPinned.emit(self.query, key))
        self.set_next("")

    def _on_key_pointed(self, key: int) -> None:
        """Reports a hovered key that the query can see; in the steps, any key."""
        is_seen = key <= self.query or self.stack.currentWidget() is self.steps
        self.cellPointed.emit(*((self.query, key) if key >= 0 and is_seen else (-1, -1)))

    def forget(self) -> None:
        """Empties all pictures."""
        self.heat.set_values(np.zeros((0, 0)))
        self.arcs.set_weights(np.zeros((0, 0)), [])
        self.compared.clear()

    def set_next(self, token: str, why_not: str = "") -> None:
        """Sets the expected token, which the button appends; "" if none is known."""
        self._next = token
        shown = token if len(token) <= LONGEST else f"{token[:LONGEST]}\u2026\u201d"
        self.append.setText(text.append(shown))
        self.append.setAccessibleName(text.append(token))
        self.append.setEnabled(not why_not)
        self.append.setToolTip(why_not or text.APPEND_HELP)
        self._show_append()

    def _show_append(self) -> None:
        self.append.setVisible(bool(self._next) and self.stack.currentWidget() is self.steps)

    def show_settings(self, settings: ViewSettings) -> None:
        """Updates the controls without emitting a signal."""
        self.modes.set_current(settings.mode)
        self.stack.setCurrentWidget(self._pages[settings.mode])
        self.hide_first.setVisible(settings.mode != "steps")
        with QSignalBlocker(self.hide_first):
            self.hide_first.setChecked(settings.hide_first)
        self._show_append()

    def set_walking(self, walking: bool) -> None:
        with QSignalBlocker(self.walk):
            self.walk.setChecked(walking)
        self.walk.setText(text.STOP if walking else text.WALK)

    def show_head(self, heads: Heads, place: tuple[int, int, int], hide_first: bool) -> None:
        """Shows heat map and arcs of one head; `place` is (layer, head, query)."""
        layer, head, query = place
        labels, weights = heads.prompt.labels, heads.weights(layer, head, hide_first)
        self.heat.set_values(weights, heads.hidden(layer, hide_first))
        self.heat.set_labels(labels, labels)
        self.heat.set_scale("attention", note=text.FIRST_HIDDEN if hide_first else "")
        self.arcs.set_weights(weights, labels)
        self.arcs.set_query(query)
        self.query = query
        self.heat.set_highlight(query, self._pinned)

    def set_pinned(self, cell: tuple[int, int] | None) -> None:
        """Marks the cell (query, key) that is pinned in the inspector."""
        self._pinned = None if cell is None else cell[1]
        self.steps.set_pinned(-1 if cell is None else cell[1])
        self.heat.set_highlight(self.query, self._pinned)

    def keyPressEvent(self, event) -> None:
        if event.key() == Qt.Key.Key_Escape:
            event.ignore()
        else:
            super().keyPressEvent(event)
