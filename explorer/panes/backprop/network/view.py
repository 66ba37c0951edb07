"""The widgets of Network: form at the left, drawing with its buttons, charts below it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from explorer import theme
from explorer.panes.backprop.network.draft import MOST_LAYERS, MOST_NEURONS
from explorer.panes.backprop.network.form import NetworkForm
from explorer.panes.backprop.network.health_panel import Panel
from explorer.panes.backprop.network.network_picture import NetworkPicture
from explorer.panes.backprop.network.plane_tools import PlaneTools
from explorer.widgets.base import IconButton, Label
from explorer.widgets.rendering import CONTROLS
from explorer.widgets.stateful import StatefulPicture

SMALL = 24  # px: a button above a column


class NetworkView(QWidget):
    """`neuronsRequested(layer, more)`, `layersRequested(more)`."""

    neuronsRequested = Signal(int, int)
    layersRequested = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("backprop.network")
        self.form = NetworkForm()
        self.network = NetworkPicture()
        self.network.setObjectName("backprop.network.drawing")
        self.network.setProperty(CONTROLS, True)
        self.panel = Panel()
        self.fewer = IconButton("minus", "Remove a hidden layer")
        self.deeper = IconButton("plus", "Add a hidden layer")
        self.depth = Label("", "label", "muted")
        self.tools = PlaneTools()
        self.tools.toolChosen.connect(self.network.set_tool)
        self._placed: object = None
        self._pairs: list[tuple[QToolButton, QToolButton]] = []
        for number in range(MOST_LAYERS):
            less = IconButton("minus", f"Remove a neuron of layer {number + 1}", size=12)
            more = IconButton("plus", f"Add a neuron to layer {number + 1}", size=12)
            less.clicked.connect(lambda _=False, n=number: self.neuronsRequested.emit(n, -1))
            more.clicked.connect(lambda _=False, n=number: self.neuronsRequested.emit(n, 1))
            self._pairs.append((less, more))
        for widget in (self.fewer, self.depth, self.deeper, self.tools, *sum(self._pairs, ())):
            widget.setParent(self.network)
            widget.hide()
        self.fewer.clicked.connect(lambda: self.layersRequested.emit(-1))
        self.deeper.clicked.connect(lambda: self.layersRequested.emit(1))
        body = QWidget()
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.addWidget(self.network, 2)
        self._column.addWidget(self.panel, 1)
        self.states = StatefulPicture(body, "lines")
        self._row = QHBoxLayout(self)
        self._row.addWidget(self.form)
        self._row.addWidget(self.states, 1)
        self.network.laidOut.connect(self.place_buttons)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        now = theme.current()
        self._row.setContentsMargins(now.px("margin"), now.px(8), now.px("margin"), now.px(12))
        self._row.setSpacing(now.px(8))
        self._column.setSpacing(now.px(8))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.place_buttons()

    def place_buttons(self) -> None:
        """Above each column its own pair; at the left those for whole layers; above the plane its
        tools.
        """
        layout, keyframe = self.network.layout_now, self.network.keyframe
        editable = self.network.sample_scene is None
        placed = (layout, keyframe.sizes if keyframe is not None else (), editable, theme.current())
        if placed == self._placed:  # asked for with every keyframe that is learned
            return
        self._placed = placed
        hidden = keyframe.sizes[1:-1] if keyframe is not None else ()
        shown = layout is not None and keyframe is not None and editable
        for number, pair in enumerate(self._pairs):
            there = shown and number < len(hidden) and number + 1 < len(layout.columns)  # type: ignore[union-attr]
            for widget in pair:
                widget.setVisible(bool(there))
            if there and layout is not None:
                self._place_pair(pair, layout.columns[number + 1], hidden[number], layout.step)
        for widget in (self.fewer, self.depth, self.deeper, self.tools):
            widget.setVisible(bool(shown))
        self.tools.offer_points(bool(shown))
        if not shown:
            return
        count = len(hidden)
        if layout is not None:
            left, top, side, _ = layout.plane
            tall = self.tools.sizeHint().height()
            gap = theme.current().px(6)
            wide = max(round(side), self.tools.sizeHint().width())
            left = min(round(left), self.network.width() - wide)
            self.tools.setGeometry(left, round(top) - tall - gap, wide, tall)
        self.fewer.setEnabled(count > 0)
        self.deeper.setEnabled(count < MOST_LAYERS)
        self.deeper.setToolTip(
            "Add a hidden layer" if count < MOST_LAYERS else f"{MOST_LAYERS} layers are the most"
        )
        now = theme.current()
        size, x, room = now.px(SMALL), 0, float(self.network.width())
        if count and layout is not None and len(layout.columns) > 1:  # clear of the first pair
            room = layout.columns[1] - self._pairs[0][0].width() - now.px(2)
        said = "1 layer" if count == 1 else f"{count} layers"
        self.depth.setText(said if self._fits(said, room - 2 * size) else f"{count}")
        roomy = self._fits(f"{count}", room - 2 * size)
        self.depth.setVisible(roomy)
        size = max(now.px(12), min(size, int(room / 2) - 1))
        for widget in (self.fewer, self.depth, self.deeper):
            widget.adjustSize()
            if widget is self.depth:
                widget.move(x, (now.px(28) - widget.height()) // 2)
            else:
                widget.setFixedSize(size, size)
                widget.move(x, now.px(2))
            x += widget.width() + 1 if widget is not self.depth or roomy else 0

    def _fits(self, text: str, room: float) -> bool:
        return self.depth.fontMetrics().horizontalAdvance(text) + theme.current().px(4) <= room

    def _place_pair(
        self, pair: tuple[QToolButton, QToolButton], x: float, count: int, step: float
    ) -> None:
        """As large as the columns' distance `step` lets two of them be."""
        now = theme.current()
        size = min(now.px(SMALL), int(step / 2) - 1)
        less, more = pair
        for widget, left in ((less, x - size - 1), (more, x + 1)):
            widget.setFixedSize(size, size)
            widget.move(round(left), now.px(2))
        less.setEnabled(count > 1)
        more.setEnabled(count < MOST_NEURONS)
        more.setToolTip(
            more.accessibleName() if count < MOST_NEURONS else f"{MOST_NEURONS} are the most"
        )
