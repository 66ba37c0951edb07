"""The matrices of a model as a grid, a row for each kind and a column for each layer: a click turns
one, a whole row or a whole column on or off.
"""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter

from explorer import theme
from explorer.panes.finetuning.tune import text
from explorer.panes.finetuning.tune.draw_methods import ink_of
from explorer.panes.finetuning.tune.scene import TargetGrid
from explorer.widgets.base import LEFT, Columns
from explorer.widgets.grid_keys import arrow, is_enter
from explorer.widgets.scene_picture import ScenePicture
from explorer.widgets.sketch import Sketch

NAME, HEAD, ROW, WIDE, LABEL = 92, 16, 17, 34, 18  # px: names, layers, a row, a cell, a number
ALL = -1  # the name of a row, the number of a column
ROLES = {"attn.c_attn.q": "q", "attn.c_attn.k": "k", "attn.c_attn.v": "v"}
Place = tuple[int, int]  # kind and layer, each or ALL


class TargetPicture(ScenePicture[TargetGrid]):
    """`toggled(cells)`: [(kind, layer), ...] that a person has clicked on."""

    NAME = "Matrices that LoRA changes"
    toggled = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._at: Place | None = None  # under the pointer or the keys
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _cell_width(self, scene: TargetGrid) -> float:
        now = theme.current()
        return min((self.width() - now.px(NAME)) / max(scene.layers, 1), now.px(WIDE))

    def rect_of(self, place: Place) -> QRectF:
        """Of a cell, of the name of a row or of a column's number."""
        assert self.scene is not None
        now, wide = theme.current(), self._cell_width(self.scene)
        kind, layer = place
        top = 0 if kind == ALL else now.px(HEAD) + kind * now.px(ROW)
        left = 0 if layer == ALL else now.px(NAME) + layer * wide
        high = now.px(HEAD if kind == ALL else ROW)
        return QRectF(left, top, now.px(NAME) if layer == ALL else wide, high)

    def place_at(self, point: QPointF) -> Place | None:
        if self.scene is None:
            return None
        now, wide = theme.current(), self._cell_width(self.scene)
        layer = ALL if point.x() < now.px(NAME) else int((point.x() - now.px(NAME)) // wide)
        kind = ALL if point.y() < now.px(HEAD) else int((point.y() - now.px(HEAD)) // now.px(ROW))
        there = kind < len(self.scene.kinds) and layer < self.scene.layers
        return (kind, layer) if there else None

    def cells(self, place: Place) -> list[Place]:
        """Those that a place stands for."""
        assert self.scene is not None
        kinds = range(len(self.scene.kinds)) if place[0] == ALL else [place[0]]
        layers = range(self.scene.layers) if place[1] == ALL else [place[1]]
        return [(kind, layer) for kind in kinds for layer in layers]

    def told(self, place: Place) -> str:
        assert self.scene is not None
        kind = "" if place[0] == ALL else self.scene.kinds[place[0]]
        chosen = set(self.cells(place)) <= self.scene.chosen
        return text.target_tip(kind, None if place[1] == ALL else place[1], chosen)

    def said_at(self, point: QPointF) -> str:
        place = self.place_at(point)
        return self.told(place) if place is not None else ""

    def draw(self, painter: QPainter) -> None:
        if self.scene is None:
            return
        sketch, now, scene = Sketch(painter), theme.current(), self.scene
        sketch.text(self.rect_of((ALL, ALL)), "Matrices", align=LEFT)
        every = max(1, round(now.px(LABEL) / max(self._cell_width(scene), 1)))
        for layer in range(0, scene.layers, every):
            sketch.text(self.rect_of((ALL, layer)), str(layer))
        for kind, name in enumerate(scene.kinds):
            role = ROLES.get(name, "text")
            sketch.text(self.rect_of((kind, ALL)), text.kind_title(name), role, LEFT, "label")
            for layer in range(scene.layers):
                cell = self.rect_of((kind, layer)).adjusted(1, 1, -1, -1)
                sketch.fill(cell, ink_of(0) if (kind, layer) in scene.chosen else "raised")
        if self._at is not None:
            sketch.frame(
                self.rect_of(self._at), "accent" if self.shows_focus else "outline", 1.5, 2
            )
        elif self.shows_focus:
            now.focus_ring(painter, QRectF(self.rect()), 4, -2)

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        kinds, layers = len(self.scene.kinds), self.scene.layers
        shown = np.zeros((kinds, layers), bool)
        for cell in self.scene.chosen:
            shown[cell] = True
        names = {"matrix": np.array(self.scene.kinds)}
        return Columns({**names, **{f"layer {at}": shown[:, at] for at in range(layers)}})

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    def minimumSizeHint(self) -> QSize:
        now, kinds = theme.current(), len(self.scene.kinds) if self.scene is not None else 6
        return QSize(now.px(160), now.px(HEAD) + kinds * now.px(ROW))

    # a person

    def _look_at(self, place: Place | None) -> None:
        if place != self._at:
            self._at = place
            if place is not None:
                self.setAccessibleDescription(self.told(place))
            self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._look_at(self.place_at(event.position()))

    def leaveEvent(self, event: object) -> None:
        self._look_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.mouseMoveEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and self._at is not None:
            self.toggled.emit(self.cells(self._at))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = arrow(event)
        if self.scene is not None and move is not None:
            kind, layer = self._at or (0, 0)
            kind = min(max(kind + move[0], ALL), len(self.scene.kinds) - 1)
            self._look_at((kind, min(max(layer + move[1], ALL), self.scene.layers - 1)))
        elif is_enter(event) and self._at is not None:
            self.toggled.emit(self.cells(self._at))
        else:
            super().keyPressEvent(event)
