"""The tree of a beam search: hovering shows a text's numbers, a click chooses it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPaintEngine, QPainter, QPixmap

from core.numbers import format_fixed, format_percent
from explorer import theme
from explorer.widgets.base import Columns
from explorer.widgets.beam_drawing import TreeLayout, draw_moving, draw_still
from explorer.widgets.beam_scene import BeamScene, share
from explorer.widgets.choice_picture import NONE, ChoicePicture

MARGIN = 4  # px, for the focus ring
COLUMNS = ("token", "log_probability", "sum", "score", "depth", "place", "parent", "fate")


class BeamTreePicture(ChoicePicture[BeamScene]):
    """Emits `picked(node)`; `position` is the cursor's step in the search's Trace."""

    NAME = "The tree of the search"

    def __init__(self) -> None:
        super().__init__()
        self._still = QPixmap()  # the part that does not change during a step
        self._drawn: object = None  # the step and size it was drawn for

    def draw_scene(self, painter: QPainter, scene: BeamScene) -> None:
        layout, step = self.layout_of(scene), int(self.position)
        if painter.paintEngine().type() == QPaintEngine.Type.SVG:  # lines, not pixels
            draw_still(painter, layout, step)
        else:
            painter.drawPixmap(0, 0, self._still_at(layout, step))
        draw_moving(painter, layout, self.position, self.hovered)

    def _still_at(self, layout: TreeLayout, step: int) -> QPixmap:
        now = (layout.scene, step, self.size(), self.ratio, theme.current())
        if now != self._drawn:
            self._drawn = now
            self._still = theme.device_pixmap(self.width(), self.height(), self.ratio)
            painter = QPainter(self._still)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            draw_still(painter, layout, step)
            painter.end()
        return self._still

    def layout_of(self, scene: BeamScene) -> TreeLayout:
        area = QRectF(self.rect()).adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        return TreeLayout(area, scene, self.position)

    def thing_at(self, point: QPointF) -> int:
        assert self.scene is not None
        node = self.layout_of(self.scene).node_at(point, int(self.position))
        return NONE if node is None else node

    def things(self) -> Sequence[int]:
        return self.scene.column(int(self.position)) if self.scene is not None else []

    def told(self, thing: int) -> str:
        if self.scene is None:
            return ""
        one = self.scene.tree.nodes[thing]
        fate = f"Finished, with score {format_fixed(one.score)}"
        if one.fate != "finished":
            fate = f"{one.fate.capitalize()}, with rank {one.place + 1} among the candidates"
        chance = format_percent(share(one))
        token = f"probability {chance}, log-probability {format_fixed(one.log_probability)} nats"
        total = f"Log-probability of the whole text: {format_fixed(one.sum)} nats"
        text = self.scene.text_of(thing)
        return f"\u201c{text.strip()}\u201d\nLast token: {token}\n{total}\n{fate}"

    def displayed(self) -> dict[str, np.ndarray]:
        if self.scene is None:
            return {}
        nodes = self.scene.tree.nodes
        pieces = [piece.decode("utf-8", "replace") for piece in self.scene.pieces]
        columns = {name: np.array([getattr(one, name) for one in nodes]) for name in COLUMNS}
        return Columns({"piece": np.array(pieces), **columns})
