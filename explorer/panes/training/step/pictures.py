"""The pictures of Step: the large one of a phase, and the line of memory."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from explorer import theme
from explorer.panes.training.step import text
from explorer.panes.training.step.draw_batch import draw_batch
from explorer.panes.training.step.draw_clip import draw_clip
from explorer.panes.training.step.draw_flow import FlowLayout, draw_flow
from explorer.panes.training.step.draw_weights import WeightLayout, draw_weights
from explorer.panes.training.step.scene import Scene
from explorer.widgets.base import LEFT, Columns, Picture, put_text

ALL = 1e9  # of a phase's inner steps


class _Scenic(Picture):
    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self.scene: Scene | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_scene(self, scene: Scene) -> None:
        self.scene = scene
        self.data_changed()

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(640), theme.current().px(320))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(360), theme.current().px(160))


class PhasePicture(_Scenic):
    """Data, forward, backward, clip and optimizer. `weightChosen(index)`, `partChosen(index)`."""

    weightChosen = Signal(int)
    partChosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("What happens in the phase", parent)
        self.phase, self.shown, self.weight = "data", ALL, 0
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def set_phase(self, phase: str, shown: float) -> None:
        """`shown`: how many of its inner steps have happened."""
        if (phase, shown) != (self.phase, self.shown):
            self.phase, self.shown = phase, shown
            self.update()

    def set_weight(self, weight: int) -> None:
        self.weight = weight
        self.update()

    def flow(self) -> FlowLayout | None:
        """Where the parts of the model stand, forward or backward."""
        if self.scene is None or self.phase not in ("forward", "backward", "unscale"):
            return None
        return FlowLayout(QRectF(self.rect()), self.scene, self.phase != "forward")

    def weights(self) -> WeightLayout | None:
        """Where the kept weights stand."""
        if self.scene is None or self.phase != "optimizer":
            return None
        return WeightLayout(QRectF(self.rect()), self.scene)

    def draw(self, painter: QPainter) -> None:
        scene, area = self.scene, QRectF(self.rect())
        if scene is None:
            return
        if (flow := self.flow()) is not None:
            draw_flow(painter, flow, scene, self.shown)
        elif (weights := self.weights()) is not None:
            draw_weights(painter, weights, self.weight, self.shown)
        elif self.phase == "clip":
            draw_clip(painter, area, scene)
        else:
            draw_batch(painter, area, scene)
        if self.shows_focus:
            theme.current().focus_ring(painter, area.adjusted(2, 2, -2, -2), offset=-1)

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        if (flow := self.flow()) is not None:
            return Columns(
                {
                    "part": np.array([part.label for part in flow.parts]),
                    "size": np.array([part.mean for part in flow.parts]),
                    "came (s)": np.array([part.came for part in flow.parts]),
                }
            )
        if self.phase == "optimizer":
            return {text.name_of(row.name): row.values for row in self.scene.rows}
        if self.phase == "clip":
            facts = self.scene.recording.facts
            return {"norm": np.array(facts.grad_norm), "limit": np.array(self.scene.config.clip)}
        return {name: self.scene.batch(name) for name in ("ids", "targets")}

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        flow, weights = self.flow(), self.weights()
        if weights is not None and (at := weights.weight_at(event.position())) is not None:
            self.weightChosen.emit(at)
        if flow is not None and (part := flow.part_at(event.position())) is not None:
            self.partChosen.emit(flow.parts.index(part))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """In the optimizer the arrows go from weight to weight."""
        move = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if move is None or event.modifiers() or self.weights() is None:
            super().keyPressEvent(event)
        else:
            self.weightChosen.emit(self.weight + move)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            flow = self.flow()
            part = flow.part_at(QPointF(event.pos())) if flow is not None else None
            QToolTip.showText(event.globalPos(), text.part_tip(part) if part else "", self)
            return True
        return super().event(event)


class MemoryLine(_Scenic):
    """What is kept for backward, over the time of forward and backward."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Memory kept for backward", parent)
        self._seconds = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_moment(self, seconds: float) -> None:
        """Where the cursor is."""
        self._seconds = seconds
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        seconds, kept = self.scene.memory
        return Columns({"seconds": seconds, "bytes": kept})

    def draw(self, painter: QPainter) -> None:
        if self.scene is None:
            return
        now, (seconds, kept) = theme.current(), self.scene.memory
        words = text.memory(float(kept.max(initial=0)))
        left = now.metrics("label").horizontalAdvance(words) + now.px(12)
        place = QRectF(0, 0, left, self.height())
        put_text(painter, place, words, now.font("label"), now.color("muted"), LEFT)
        if not len(kept) or not kept.max():
            return
        last = max(float(seconds[-1]), self.scene.backward_span[1] - self.scene.begun) or 1.0
        x = left + np.r_[0, np.repeat(seconds, 2)[1:], last] / last * (self.width() - left - 1)
        x[0] = left
        y = self.height() - 1 - np.repeat(kept, 2) / kept.max() * (self.height() - 4)
        points = [QPointF(a, b) for a, b in zip(x, y, strict=False)]
        bottom = self.height() - 1.0
        outline = [QPointF(points[0].x(), bottom), *points, QPointF(points[-1].x(), bottom)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("accent", 0.25))
        painter.drawPolygon(QPolygonF(outline))
        at = left + min(max(self._seconds / last, 0.0), 1.0) * (self.width() - left - 1)
        painter.setPen(now.pen("accent", 2))
        painter.drawLine(QPointF(at, 0), QPointF(at, bottom))

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(480), theme.current().px(30))

    minimumSizeHint = sizeHint
