"""The picture of Expression: the formula, its graph, and below it what can be tried out."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.backprop.expression.cards import LearnCard, WhatIfCard
from explorer.panes.backprop.expression.graph_picture import GraphPicture
from explorer.widgets.base import IconButton, set_look
from explorer.widgets.fold_line import FoldLine
from explorer.widgets.formula_editor import MOST_LINES, FormulaEditor
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surface import Surface

LOW, FEW_LINES = 620, 3  # in a low window the formula has fewer lines, and the cards can be folded
ONE_LINE = 430  # px at a zoom of 1: below it one, until it is typed in
TIGHT = 340  # px at a zoom of 1: below it there is room for the formula or the cards
FOCUS_IN, FOCUS_OUT = QEvent.Type.FocusIn, QEvent.Type.FocusOut
NARROW = 760  # px at a zoom of 1: below it the cards have no curves
ZOOM = 1.25  # one press of a button


class ExpressionView(QWidget):
    """Holds the parts; the mode fills them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.expression")
        self._room = (False, False)  # whether it is low, and very low
        self.editor = FormulaEditor()
        self.graph = GraphPicture()
        self.graph.setObjectName("backprop.expression.graph")
        self.body = StatefulPicture(self.graph, "lines")
        self.smaller = IconButton("minus", "Smaller")
        self.larger = IconButton("plus", "Larger", "Ctrl+wheel")
        self.whole = IconButton("fit", "Fit the whole graph", "F")
        self.tools = Surface("window", parent=self.body)
        row = QHBoxLayout(self.tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for button in (self.smaller, self.whole, self.larger):
            row.addWidget(button)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self.editor)
        self._column.addWidget(self.body, 1)
        self.what_if, self.learn = WhatIfCard(), LearnCard()
        self.cards = QWidget()
        self._below = QHBoxLayout(self.cards)
        self._below.setContentsMargins(0, 0, 0, 0)
        for card, share in ((self.what_if, 6), (self.learn, 5)):
            frame = QFrame()
            set_look(frame, "card")
            inside = QVBoxLayout(frame)
            inside.setContentsMargins(10, 8, 10, 8)
            inside.addWidget(card)
            self._below.addWidget(frame, share)
        self._column.addWidget(self.cards)
        self.fold = FoldLine("Inputs and steps", [self.editor], [self.cards])
        self.fold.setObjectName("backprop.expression.fold")
        row.insertWidget(0, self.fold)
        row.insertSpacing(1, 8)
        self.smaller.clicked.connect(lambda: self.graph.zoom_by(1 / ZOOM))
        self.larger.clicked.connect(lambda: self.graph.zoom_by(ZOOM))
        self.whole.clicked.connect(self.graph.fit)
        self.body.stateChanged.connect(self._on_state)
        self.fold.turned.connect(lambda _: self._place())
        self.body.installEventFilter(self)
        self.editor.field.installEventFilter(self)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_can_try(self, can: bool) -> None:
        """Whether inputs can be moved and steps be taken; else the formula is to be mended."""
        self.what_if.setEnabled(can)
        self.learn.setEnabled(can)
        if not can:
            self.fold.show_above()

    def _share_height(self) -> None:
        """A low window leaves the formula fewer lines; a very low one has it or the cards."""
        now, field = theme.current(), self.editor.field
        low, tight = self.height() <= now.px(LOW), self.height() < now.px(TIGHT)
        lines = FEW_LINES if low else MOST_LINES
        one = self.height() < now.px(ONE_LINE) and not field.hasFocus()
        field.set_lines(1 if one else lines)
        if (low, tight) != self._room:
            self._room = (low, tight)
            self.fold.set_tight(tight, optional=low)
            self._place()
        for curve in (self.what_if.curve, self.learn.spark):
            curve.setVisible(self.width() >= now.px(NARROW))

    def _on_state(self, state: str) -> None:
        is_seen = state in ("ready", "stale")
        self.tools.setVisible(is_seen)
        if not is_seen:  # nor is the line to the formula
            self.fold.show_above()
        self._place()

    def _place(self) -> None:
        self.tools.adjustSize()
        right, bottom = self.body.width(), self.body.height()
        self.tools.move(right - self.tools.width(), bottom - self.tools.height())
        self.tools.raise_()
        self.graph.set_covered(self.tools.width() if self.tools.isVisibleTo(self.body) else 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.editor.field and event.type() in (FOCUS_IN, FOCUS_OUT):
            self._share_height()
        elif event.type() == QEvent.Type.Resize and watched is self.body:
            self._place()  # the formula above it may grow
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_height()
        self.layout().activate()
        self._place()

    def _restyle(self) -> None:
        now = theme.current()
        margin = now.px("margin")
        self._column.setContentsMargins(margin, now.px(12), margin, now.px(12))
        self._column.setSpacing(now.px(8))
        self._below.setSpacing(now.px(8))
        self._share_height()
        self._place()
