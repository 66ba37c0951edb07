"""Draws an encoder-decoder: two spines, and arrows for the decoder's reads of the encoder."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from explorer.widgets.base import LEFT
from explorer.widgets.diagrams.inks import ink_of
from explorer.widgets.diagrams.scenes import SpineScene, name_of
from explorer.widgets.diagrams.spine import HEAD, SpineLayout
from explorer.widgets.sketch import FAINT, Sketch

TITLES = "The encoder reads the source", "The decoder writes the target"


class PairLayout:
    """The encoder above, the decoder below, both from left to right."""

    def __init__(self, area: QRectF, encoder: SpineScene, decoder: SpineScene) -> None:
        half = area.height() / 2
        self.decoder = SpineLayout(area.adjusted(0, half, 0, 0), decoder)
        self.encoder = SpineLayout(area.adjusted(0, 0, 0, -half), encoder, self.decoder.right)
        self.targets = [*self.encoder.targets, *self.decoder.targets]

    def draw(self, painter: QPainter, position: float) -> None:
        sketch, before = Sketch(painter), len(self.encoder.steps)
        self.encoder.draw(painter, position)
        self.decoder.draw(painter, position - before)
        head = sketch.now.px(HEAD)
        for stack, words in zip((self.encoder, self.decoder), TITLES, strict=True):
            title = QRectF(stack.area.left() + 2, stack.columns[0].top() - head, 0, head)
            sketch.text(title, words, "text", LEFT, weight=600)
        with sketch.faint(position < before - 1 - 1e-9, FAINT + 0.2):
            self._draw_crossing(sketch, title.center().y())

    def _draw_crossing(self, sketch: Sketch, y: float) -> None:
        """Draws arrows from the encoder's end to the cross-attention of every decoder block."""
        ink, start = ink_of("cross"), QPointF(self.encoder.end, self.encoder.middle)
        for layer in range(self.decoder.layers):
            bar = self.decoder.bar_of(layer, "cross")
            x = bar.center().x()
            way = [start, QPointF(start.x(), y), QPointF(x, y), QPointF(x, bar.top())]
            sketch.arrow(way, ink)
        sketch.text(QRectF(start.x() + 10, y, 0, 0), name_of("cross"), ink, LEFT, weight=600)
