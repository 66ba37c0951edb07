"""The KV cache as a growing block: one row per layer, one column per token read."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.widgets.base import RIGHT, Columns, put_text
from explorer.widgets.cache_scene import CacheScene
from explorer.widgets.scene_picture import ScenePicture

NAME, ROW, CELL = (
    20,
    44,
    2.5,
)  # px: a layer's number, the highest row, the narrowest token with dividers


class CachePicture(ScenePicture[CacheScene]):
    """One color per layer; tokens outside a window are hatched, the newest has the accent color."""

    NAME = "The cache of keys and values"
    WANTED, LEAST = (196, 120), (120, 100)

    def _cells(self, layer: int, first: int, last: int) -> QRectF:
        """Returns the rectangle of a layer's tokens `first` to `last`, exclusive."""
        assert self.scene is not None
        left = theme.current().px(NAME)
        wide, high = (self.width() - left) / self.scene.width, self._row(self.scene)
        return QRectF(left + first * wide, layer * high, (last - first) * wide, max(high - 2, 1.0))

    def _row(self, scene: CacheScene) -> float:
        return min(self.height() / len(scene.layers), theme.current().px(ROW))

    def draw(self, painter: QPainter) -> None:
        now, scene = theme.current(), self.scene
        if scene is None:
            return
        end, last = scene.tokens, max(len(scene.layers) - 1, 1)
        for place, layer in enumerate(scene.layers):
            color = theme.mix(now.series(0), now.series(3), place / last)
            kept, seen = end - layer.kept, end - layer.seen
            painter.fillRect(self._cells(place, 0, scene.width), now.color("raised"))
            painter.fillRect(self._cells(place, kept, seen), now.hatch())
            painter.fillRect(self._cells(place, seen, end), color)
            if self._cells(place, 0, 1).width() >= CELL:
                painter.setPen(now.pen("surface"))
                for token in range(kept, end):
                    cell = self._cells(place, token, token + 1)
                    painter.drawLine(cell.topRight(), cell.bottomRight())
            painter.fillRect(self._cells(place, end - 1, end), now.color("accent"))
            if self._row(scene) >= now.px(12) or place in (0, last):
                name = self._cells(place, 0, 0).adjusted(-now.px(NAME), 0, -4, 0)
                name.setHeight(max(name.height(), now.px(12)))
                name.moveBottom(min(name.bottom(), self.height()))
                put_text(painter, name, str(place), now.font("label"), now.color("muted"), RIGHT)

    def said_at(self, point: QPointF) -> str:
        scene = self.scene
        place = int(point.y() // self._row(scene)) if scene is not None else 0
        if scene is None or not 0 <= place < len(scene.layers):
            return ""
        layer = scene.layers[place]
        sees = "all of them" if layer.seen == layer.kept else f"the last {layer.seen}"
        told = f"Layer {place} holds the keys and values of {layer.kept} of {scene.tokens} tokens"
        return f"{told}\nThe next token sees {sees}"

    def displayed(self) -> dict[str, np.ndarray]:
        layers = self.scene.layers if self.scene is not None else ()
        names = ("kept", "seen", "room", "bytes")
        return Columns({name: np.array([getattr(one, name) for one in layers]) for name in names})
