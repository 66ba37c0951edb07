"""The pictures of Step: the large one of a phase, and the curve of memory."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_bytes
from core.training.recorded_step import RecordedStep
from explorer import theme
from explorer.panes.training.step import text
from explorer.panes.training.step.draw_batch import draw_batch
from explorer.panes.training.step.draw_clip import draw_clip
from explorer.panes.training.step.draw_flow import flow
from explorer.panes.training.step.draw_weights import WeightLayout, draw_weights
from explorer.panes.training.step.scene import ALL
from explorer.widgets.base import LEFT, Columns, put_text
from explorer.widgets.block_column import BlockColumn
from explorer.widgets.scene_picture import ScenePicture

PICTURES = {"data": draw_batch, "clip": draw_clip}


class PhasePicture(ScenePicture[RecordedStep]):
    """Draws data, forward, backward, clip and optimizer. Emits `chosen(index)` for a part of the
    model, or, in the optimizer, for a recorded weight.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("What happens in the phase", parent)
        self.phase, self.shown, self.weight = "data", ALL, 0
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def set_phase(self, phase: str, shown: float) -> None:
        """Sets the phase; `shown` is how many of its inner steps have happened."""
        self.phase, self.shown = phase, shown
        self.update()

    def set_weight(self, weight: int) -> None:
        self.weight = weight
        self.update()

    def layout_now(self) -> BlockColumn | WeightLayout | None:
        """Returns the layout of parts or weights, if the phase has some."""
        if self.scene is None:
            return None
        area, scene = QRectF(self.rect()), self.scene
        if self.phase == "optimizer":
            return WeightLayout(area, scene)
        return flow(area, scene, self.phase) if scene.parts(self.phase) else None

    def draw(self, painter: QPainter) -> None:
        scene, layout, area = self.scene, self.layout_now(), QRectF(self.rect())
        if scene is None:
            return
        if isinstance(layout, BlockColumn):
            layout.draw(painter, self.shown, series=int(self.phase != "forward"))
        elif isinstance(layout, WeightLayout):
            draw_weights(painter, layout, self.weight, self.shown)
        elif self.phase in PICTURES:
            PICTURES[self.phase](painter, area, scene)
        if self.shows_focus:
            theme.current().focus_ring(painter, area.adjusted(2, 2, -2, -2), offset=-1)

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        if parts := self.scene.parts(self.phase):
            rows = [(part.label, part.size, part.came) for part in parts]
            columns = map(np.array, zip(*rows, strict=True))
            return Columns(zip(("part", "size", "came (s)"), columns, strict=True))
        if self.phase == "optimizer":
            return {text.name_of(row.name): row.values for row in self.scene.rows}
        if self.phase == "clip":
            norm, limit = self.scene.recording.facts.grad_norm, self.scene.config.clip
            return {"norm": np.array(norm), "limit": np.array(limit)}
        return {name: self.scene.batch(name) for name in ("ids", "targets")}

    def mousePressEvent(self, event: QMouseEvent) -> None:
        layout = self.layout_now()
        index = layout.index_at(event.position()) if layout is not None else None
        if index is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handles arrow keys, which select the neighboring weight in the optimizer."""
        move = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if move is None or event.modifiers() or self.phase != "optimizer":
            super().keyPressEvent(event)
        else:
            self.chosen.emit(self.weight + move)


class MemoryLine(ScenePicture[RecordedStep]):
    """Draws the memory held for backward, over the time of forward and backward."""

    WANTED = LEAST = (480, 30)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Memory kept for backward", parent)
        self._seconds = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_seconds(self, seconds: float) -> None:
        """Sets the time of the cursor."""
        self._seconds = seconds
        self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        told = self.scene.memory if self.scene is not None else ()
        return Columns(zip(("seconds", "bytes"), told, strict=False))

    def draw(self, painter: QPainter) -> None:
        if self.scene is None:
            return
        now, (seconds, kept) = theme.current(), self.scene.memory
        words = (
            f"memory kept for the backward pass: at most {format_bytes(float(kept.max(initial=0)))}"
        )
        left = now.metrics("label").horizontalAdvance(words) + now.px(12)
        place = QRectF(0, 0, left, self.height())
        put_text(painter, place, words, now.font("label"), now.color("muted"), LEFT)
        if not len(kept) or not kept.max():
            return
        wide, bottom, last = self.width() - left - 1, self.height() - 1.0, float(seconds[-1]) or 1.0
        x = left + np.r_[np.repeat(seconds, 2)[1:], last] / last * wide
        y = bottom - np.repeat(kept, 2) / kept.max() * (self.height() - 4)
        steps = [QPointF(*point) for point in zip(x.tolist(), y.tolist(), strict=True)]
        outline = [QPointF(steps[0].x(), bottom), *steps, QPointF(left + wide, bottom)]
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("accent", 0.25))
        painter.drawPolygon(QPolygonF(outline))
        at = left + min(max(self._seconds / last, 0.0), 1.0) * wide
        painter.setPen(now.pen("accent", 2))
        painter.drawLine(QPointF(at, 0), QPointF(at, bottom))
