"""Paints the steps inside a part as a chain, and the one under the cursor as an equation."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.transformer.map import text
from explorer.panes.transformer.map.draw_parts import FAINT, Target, frame, frame_hovered, label
from explorer.panes.transformer.map.scene import StepsScene, flat
from explorer.widgets.base import elide, put_text, wrapped
from explorer.widgets.matrix_drawing import draw_arrow, draw_matrix, draw_pulse
from explorer.widgets.matrix_equation import MatrixEquation, dimensions, extent, kind_of

CHAIN, THUMB, WIDEST, LEAST = 106, 54, 140, 8  # px: the chain; matrices in it; a node; a side
LINE, WORDS = 17, 40  # px: a line; all lines of numbers


class StepsLayout:
    """Where the nodes of the chain stand, and below them the equation."""

    def __init__(self, area: QRectF, scene: StepsScene) -> None:
        now, nodes = theme.current(), scene.nodes
        self.area, self.scene = area, scene
        high = now.px(CHAIN) if len(nodes) > 1 else 0  # one alone is seen in the equation
        self.chain = QRectF(area.left(), area.top() + 2, area.width(), high)
        self.pitch = min(area.width() / len(nodes), now.px(WIDEST))
        self.first = area.center().x() - self.pitch * len(nodes) / 2
        sides = np.array([[extent(size) for size in flat(node.shape)] for node in nodes])
        room = self.pitch - now.px(30)
        self.scale = min(now.px(THUMB) / sides[:, 0].max(), room / sides[:, 1].max())
        self.words = QRectF(area.left(), area.bottom() - now.px(WORDS), area.width(), now.px(WORDS))
        below = QRectF(area.left(), self.chain.bottom() + now.px(12), area.width(), 0)
        below.setBottom(self.words.top() - now.px(4))
        self.equation = MatrixEquation(
            below, scene.terms, scene.shapes, scene.matrices, scene.rows, scene.columns
        )
        self.targets = [
            Target(self.node(at), node.index, text.opens(node.words, node.opens))
            for at, node in enumerate(nodes if len(nodes) > 1 else ())
        ]

    def node(self, at: int) -> QRectF:
        left = self.first + at * self.pitch
        return QRectF(left + 4, self.chain.top(), self.pitch - 8, self.chain.height())

    def thumb(self, at: int) -> QRectF:
        """A small matrix, its sides in proportion to those of the others."""
        now, node = theme.current(), self.node(at)
        rows, columns = flat(self.scene.nodes[at].shape)
        wide, high = (max(extent(size) * self.scale, now.px(LEAST)) for size in (columns, rows))
        top = node.top() + now.px(6) + (now.px(THUMB) - high) / 2
        return QRectF(node.center().x() - wide / 2, top, wide, high)

    def draw(self, painter: QPainter, position: float, hovered: int) -> None:
        now, nodes = theme.current(), self.scene.nodes
        for at in range(len(self.targets)):
            painter.setOpacity(1.0 if at <= position + 1e-9 else FAINT)
            self._draw_node(painter, at)
            painter.setOpacity(1.0)
        frame_hovered(painter, self.targets, hovered)
        step = min(math.ceil(position - 1e-9), len(nodes) - 1)
        if position != int(position):
            ends = [self.thumb(step - 1).center(), self.thumb(step).center()]
            draw_pulse(painter, ends, position - int(position))
        self.equation.draw(painter)
        font = now.font("body")
        lines = wrapped(self.scene.line, font, self.words.width(), 2) if self.scene.line else []
        for at, words in enumerate(lines):
            place = QRectF(
                self.words.left(),
                self.words.top() + at * now.px(LINE + 2),
                self.words.width(),
                now.px(LINE),
            )
            put_text(painter, place, words, font, now.color("accent"))
        if self.scene.pair is not None:
            self._draw_pair(painter, self.scene.pair)

    def _draw_node(self, painter: QPainter, at: int) -> None:
        now, node = theme.current(), self.scene.nodes[at]
        place, thumb, chosen = self.node(at), self.thumb(at), node.index == self.scene.at
        if chosen:
            painter.fillRect(place, now.color("selected"))
            frame(painter, place, "accent", 2)
        if at:
            y = thumb.center().y()
            ends = [QPointF(self.thumb(at - 1).right() + 4, y), QPointF(thumb.left() - 4, y)]
            draw_arrow(painter, ends, now.color("outline"))
        image = None if node.matrix is None else node.matrix.thumb
        draw_matrix(painter, thumb, image, kind_of(node.made))
        line = QRectF(
            place.left(), place.bottom() - now.px(2 * LINE + 6), place.width(), now.px(LINE)
        )
        font = now.font("body", 600 if chosen else 400)
        words = f"{node.name} \u203a" if node.opens else node.name
        put_text(painter, line, elide(words, font, line.width()), font, now.color("text"))
        label(painter, line.translated(0, now.px(LINE)), dimensions(node.shape))

    def _draw_pair(self, painter: QPainter, pair: np.ndarray) -> None:
        """A pair of dimensions of the chosen query on its circle, before and after it turns."""
        now = theme.current()
        side = now.px(84)
        center = QPointF(self.area.right() - side / 2 - 6, self.chain.top() + side / 2 + 4)
        longest = float(np.linalg.norm(pair, axis=1).max()) or 1.0
        painter.setPen(now.pen("divider"))
        painter.setBrush(now.color("surface"))
        painter.drawEllipse(center, side / 2, side / 2)
        for (x, y), role in zip((pair / longest * side / 2).tolist(), ("muted", "q"), strict=True):
            draw_arrow(painter, [center, center + QPointF(x, -y)], now.color(role), 2)
        told = QRectF(center.x() - side, center.y() + side / 2, 2 * side, now.px(LINE))
        label(painter, told, text.TURNED)
