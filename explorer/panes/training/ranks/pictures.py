"""The two pictures of Ranks: who holds what, and the lanes of a step."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from explorer import theme
from explorer.panes.training.ranks import text
from explorer.panes.training.ranks.draw_holdings import HoldingsLayout, draw_holdings
from explorer.panes.training.ranks.draw_lanes import LaneLayout, draw_lanes
from explorer.panes.training.ranks.scene import Scene
from explorer.widgets.base import Columns, Picture

EMPTY = Scene(0, (), 0.0, False)


class _Scenic(Picture):
    """A picture of a scene, whose tooltips tell of what is under the mouse."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.scene = EMPTY
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_scene(self, scene: Scene) -> None:
        self.scene = scene
        self.data_changed()

    def said_at(self, point: QPointF) -> str:
        """What a tooltip says there."""
        return ""

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.said_at(QPointF(event.pos())), self)
            return True
        return super().event(event)


class Lanes(_Scenic):
    """`chosen(event)`: a bar was clicked."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("What each rank does in a step", parent)
        self.position = 0.0

    def set_position(self, position: float) -> None:
        """Where the cursor is: an event, and how far to the next."""
        self.position = position
        self.update()

    def layout_now(self) -> LaneLayout:
        return LaneLayout(QRectF(self.rect()), self.scene)

    def draw(self, painter: QPainter) -> None:
        if self.scene.events:
            place = min(int(self.position), len(self.scene.events) - 1)
            draw_lanes(painter, self.layout_now(), place, self.scene.time_at(self.position))

    def displayed(self) -> dict[str, np.ndarray]:
        bars = self.scene.bars
        return Columns(
            {
                "rank": np.array([bar.rank for bar in bars]),
                "what": np.array([bar.label for bar in bars]),
                "start (s)": np.array([bar.start for bar in bars]),
                "ready (s)": np.array([bar.ready for bar in bars]),
                "end (s)": np.array([bar.end for bar in bars]),
                "bytes": np.array([bar.bytes for bar in bars]),
            }
        )

    def said_at(self, point: QPointF) -> str:
        bar = self.layout_now().bar_at(point)
        return text.bar_tip(bar) if bar is not None else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        bar = self.layout_now().bar_at(event.position())
        if bar is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(bar.event)

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(640), theme.current().px(280))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(360), theme.current().px(120))


class Holdings(_Scenic):
    """Weights, gradients and optimizer memory of each rank."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Who holds what", parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def layout_now(self) -> HoldingsLayout:
        return HoldingsLayout(QRectF(self.rect()), self.scene)

    def draw(self, painter: QPainter) -> None:
        if self.scene.parts:
            noun = "device" if self.scene.computed else "rank"
            draw_holdings(painter, self.layout_now(), noun)

    def displayed(self) -> dict[str, np.ndarray]:
        cells = list(self.layout_now().cells())
        return Columns(
            {
                "rank": np.array([cell.rank for cell in cells]),
                "what": np.array([cell.state for cell in cells]),
                "part": np.array([self.scene.parts[cell.part].name for cell in cells]),
                "share": np.array([cell.share for cell in cells]),
            }
        )

    def said_at(self, point: QPointF) -> str:
        layout = self.layout_now()
        for cell in layout.cells():
            if cell.whole.contains(point):
                part = self.scene.parts[cell.part].name
                return text.held_tip(cell.rank, cell.state, part, cell.share, layout.size(cell))
        return ""

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(640), theme.current().px(92))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(360), theme.current().px(64))
