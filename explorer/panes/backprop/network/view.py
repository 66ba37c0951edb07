"""The widgets of Network: form on the left, drawing with its buttons, charts below it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from explorer import theme
from explorer.panes.backprop.network.draft import MOST_LAYERS, MOST_NEURONS
from explorer.panes.backprop.network.form import NetworkForm
from explorer.panes.backprop.network.health_panel import Panel
from explorer.panes.backprop.network.network_picture import NetworkPicture
from explorer.panes.backprop.network.plane_tools import PlaneTools
from explorer.panes.backprop.network.scene import Box
from explorer.widgets.base import IconButton, Label
from explorer.widgets.boxes import column, row
from explorer.widgets.rendering import CONTROLS
from explorer.widgets.stateful import StatefulPicture

SMALL = 24  # px: size of a button above a column


class NetworkView(QWidget):
    """The view; `neuronsRequested(layer, more)` and `layersRequested(more)` ask for new sizes."""

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
        self.depth = Label()
        self.tools = PlaneTools()
        self.tools.toolChosen.connect(self.network.set_tool)
        self._placed: object = None
        self._pairs: list[tuple[QToolButton, QToolButton]] = []
        for number in range(MOST_LAYERS):
            less = IconButton("minus", f"Remove a neuron from layer {number + 1}", size=12)
            more = IconButton("plus", f"Add a neuron to layer {number + 1}", size=12)
            less.clicked.connect(lambda _=False, n=number: self.neuronsRequested.emit(n, -1))
            more.clicked.connect(lambda _=False, n=number: self.neuronsRequested.emit(n, 1))
            self._pairs.append((less, more))
        for widget in (self.tools, *sum(self._pairs, ())):
            widget.setParent(self.network)
            widget.hide()
        self.fewer.clicked.connect(lambda: self.layersRequested.emit(-1))
        self.deeper.clicked.connect(lambda: self.layersRequested.emit(1))
        body = QWidget()
        column((self.network, 2), (self.panel, 1), of=body)
        self.states = StatefulPicture(body, "lines")
        depth = row((self.depth, 1), self.fewer, self.deeper, spacing=0)
        depth.setContentsMargins(2, 0, 8, 0)
        self._row = row(column(depth, (self.form, 1)), (self.states, 1), of=self)
        self.network.laidOut.connect(self.place_buttons)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _restyle(self) -> None:
        now = theme.current()
        self._row.setContentsMargins(now.px("margin"), now.px(8), now.px("margin"), now.px(12))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.place_buttons()

    def place_buttons(self) -> None:
        """Places a pair of buttons above each column, and the tools above the plane."""
        layout, keyframe = self.network.layout_now, self.network.keyframe
        editable = self.network.sample_scene is None
        sizes = keyframe.sizes if keyframe is not None else ()
        placed = (layout, sizes, editable, theme.current())
        if placed == self._placed:  # called for every new keyframe
            return
        self._placed = placed
        hidden = sizes[1:-1]
        self.depth.setText("1 hidden layer" if len(hidden) == 1 else f"{len(hidden)} hidden layers")
        self.fewer.setEnabled(editable and len(hidden) > 0)
        deepest = f"There can be at most {MOST_LAYERS} hidden layers"
        deeper = len(hidden) < MOST_LAYERS
        self.deeper.setEnabled(editable and deeper)
        self.deeper.setToolTip("Add a hidden layer" if deeper else deepest)
        shown = layout is not None and editable
        self.tools.setVisible(shown)
        self.tools.offer_points(shown)
        for number, pair in enumerate(self._pairs):
            there = shown and number < len(hidden)
            for widget in pair:
                widget.setVisible(there)
            if there and layout is not None:
                self._place_pair(pair, layout.columns[number + 1], hidden[number], layout.step)
        if shown and layout is not None:
            self._place_tools(layout.plane)

    def _place_tools(self, plane: Box) -> None:
        left, top, side, _ = plane
        needed = self.tools.sizeHint()
        wide = max(round(side), needed.width())
        left = min(round(left), self.network.width() - wide)
        above = needed.height() + theme.current().px(6)
        self.tools.setGeometry(left, round(top) - above, wide, needed.height())

    def _place_pair(
        self, pair: tuple[QToolButton, QToolButton], x: float, count: int, step: float
    ) -> None:
        """Places two buttons, as large as the distance `step` of the columns allows."""
        now = theme.current()
        size = min(now.px(SMALL), int(step / 2) - 1)
        less, more = pair
        for widget, left in ((less, x - size - 1), (more, x + 1)):
            widget.setFixedSize(size, size)
            widget.move(round(left), now.px(2))
        less.setEnabled(count > 1)
        more.setEnabled(count < MOST_NEURONS)
        widest = f"A layer can have at most {MOST_NEURONS} neurons"
        more.setToolTip(more.accessibleName() if count < MOST_NEURONS else widest)
