"""The widgets of Expression: the formula, its graph, and the cards below."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.backprop.expression.cards import LearnCard, WhatIfCard
from explorer.panes.backprop.expression.graph_picture import GraphPicture
from explorer.widgets.base import IconButton, set_look
from explorer.widgets.formula_editor import MOST_LINES, FormulaEditor
from explorer.widgets.scroll_area import ScrollArea
from explorer.widgets.stateful import StatefulPicture
from explorer.widgets.surface import Surface

LOW, FEW_LINES = 620, 3  # px at a zoom of 1: lower windows show fewer lines of the formula
ZOOM = 1.25  # per press of a button


class ExpressionView(QWidget):
    """Lays out the parts, which the mode fills; scrolls in a window too small for them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.expression")
        self.editor = FormulaEditor()
        self.graph = GraphPicture()
        self.graph.setObjectName("backprop.expression.graph")
        self.body = StatefulPicture(self.graph, "lines")
        self.smaller = IconButton("minus", "Zoom out")
        self.larger = IconButton("plus", "Zoom in", "Ctrl+wheel")
        self.whole = IconButton("fit", "Fit the whole graph", "F")
        self.tools = Surface("window", parent=self.body)
        row = QHBoxLayout(self.tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for button in (self.smaller, self.whole, self.larger):
            row.addWidget(button)
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
        self._page = QWidget()
        self._column = QVBoxLayout(self._page)
        self._column.addWidget(self.editor)
        self._column.addWidget(self.body, 1)
        self._column.addWidget(self.cards)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        self._area = ScrollArea(self._page, sideways=True)
        whole.addWidget(self._area)
        self.smaller.clicked.connect(lambda: self.graph.zoom_by(1 / ZOOM))
        self.larger.clicked.connect(lambda: self.graph.zoom_by(ZOOM))
        self.whole.clicked.connect(self.graph.fit)
        self.body.stateChanged.connect(self._on_state)
        self.body.installEventFilter(self)
        self._page.installEventFilter(self)
        theme.changed.connect(self._restyle)
        self._restyle()

    def set_can_try(self, can: bool) -> None:
        """Enables the cards unless the formula is invalid."""
        self.what_if.setEnabled(can)
        self.learn.setEnabled(can)

    def _on_state(self, state: str) -> None:
        self.tools.setVisible(state in ("ready", "stale"))
        self._place_tools()

    def _place_tools(self) -> None:
        """Places the zoom buttons at the right end of the legend."""
        self.tools.adjustSize()
        right, bottom = self.body.width(), self.body.height()
        self.tools.move(right - self.tools.width(), bottom - self.tools.height())
        self.tools.raise_()
        self.graph.set_covered(self.tools.width() if self.tools.isVisibleTo(self.body) else 0)

    def minimumSizeHint(self) -> QSize:
        """Requires the width only: at large zoom the window scrolls vertically."""
        page = self._page.minimumSizeHint()
        height = self._column.heightForWidth(max(page.width(), self._page.width()))
        bar = self._area.horizontalScrollBar().sizeHint().height()
        return QSize(page.width(), max(page.height(), height) + bar)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self.body:
            self._place_tools()
        elif event.type() == QEvent.Type.LayoutRequest and watched is self._page:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_height()

    def _share_height(self) -> None:
        is_low = self.height() <= theme.current().px(LOW)
        self.editor.field.set_lines(FEW_LINES if is_low else MOST_LINES)

    def _restyle(self) -> None:
        now = theme.current()
        margin = now.px("margin")
        self._column.setContentsMargins(margin, now.px(12), margin, now.px(12))
        self._column.setSpacing(now.px(8))
        self._below.setSpacing(now.px(8))
        self._share_height()
        self._place_tools()
