"""The two pictures of Ranks: the holdings of each rank, and the lanes of a step."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter

from core.training.estimates.step_timeline import STATES
from core.training.lane_trace import LaneTrace
from explorer import theme
from explorer.panes.training.ranks import text
from explorer.panes.training.ranks.draw_holdings import HoldingsLayout, draw_holdings
from explorer.panes.training.ranks.draw_lanes import LaneLayout, draw_lanes, least_height
from explorer.widgets.base import Columns
from explorer.widgets.scene_picture import ScenePicture


class Lanes(ScenePicture[LaneTrace]):
    """Draws the lanes. Emits `chosen(place)` when a bar of that Step is clicked."""

    NAME, WANTED = "What each rank does in a step", (640, 280)

    chosen = Signal(int)

    def minimumSizeHint(self) -> QSize:
        ranks = self.scene.ranks if self.scene is not None else 0
        return QSize(*map(theme.current().px, (360, least_height(max(ranks, 4)))))

    def draw(self, painter: QPainter) -> None:
        if self.scene is not None and len(self.scene.trace):
            draw_lanes(painter, LaneLayout(QRectF(self.rect()), self.scene), self.position)

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return Columns()
        bars, labels = self.scene.bars, np.array(self.scene.labels, dtype=str)
        times = {f"{name} (s)": bars[name] for name in ("start", "ready", "end")}
        what = {"rank": bars["rank"], "what": labels[bars["place"]]}
        return Columns({**what, **times, "bytes": bars["bytes"]})

    def bar_at(self, point: QPointF) -> int | None:
        """Returns the bar under the mouse, or None."""
        if self.scene is None:
            return None
        return LaneLayout(QRectF(self.rect()), self.scene).bar_at(point)

    def said_at(self, point: QPointF) -> str:
        bar = self.bar_at(point)
        return "" if bar is None or self.scene is None else text.bar_tip(self.scene, bar)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        bar = self.bar_at(event.position())
        if bar is not None and self.scene and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(int(self.scene.bars["place"][bar]))


class Holdings(ScenePicture[LaneTrace]):
    """Draws the weights, gradients and optimizer memory that each rank holds."""

    NAME, WANTED, LEAST = "Who holds what", (640, 92), (360, 64)

    def layout_of(self, lanes: LaneTrace) -> HoldingsLayout:
        return HoldingsLayout(QRectF(self.rect()), lanes)

    def draw(self, painter: QPainter) -> None:
        if self.scene is not None:
            draw_holdings(painter, self.layout_of(self.scene), text.rank_notes(self.scene))

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return Columns()
        held, parts = self.scene.holdings, np.array([part.name for part in self.scene.parts])
        what, share = np.array(STATES)[held["state"]], held["end"] - held["begin"]
        return Columns(rank=held["rank"], what=what, part=parts[held["part"]], share=share)

    def said_at(self, point: QPointF) -> str:
        if self.scene is None:
            return ""
        layout = self.layout_of(self.scene)
        found = (one for one in self.scene.holdings if layout.whole(one).contains(point))
        return text.held_tip(self.scene, one) if (one := next(found, None)) is not None else ""
