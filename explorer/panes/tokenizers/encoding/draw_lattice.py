"""Draws a lattice: text positions from left to right, every piece as an edge between two of them.

Short edges are drawn above long ones, the current path is bold. The n best paths and the sampled
one are listed below.
"""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from core.numbers import format_fixed, format_general, format_percent
from core.tokenization.unigram.lattice import Node, Path
from explorer import theme
from explorer.panes.tokenizers.draw_piece import draw_box, draw_piece
from explorer.panes.tokenizers.encoding.scene import LatticeFrame, LatticeScene
from explorer.panes.tokenizers.pieces import bytes_of, text_of
from explorer.widgets.base import LEFT, RIGHT, elide, put_text

KIND = "unigram"
CELL, ROW, BOX, KNOTS, LIST, MARGIN = 60, 25, 21, 42, 20, 26  # px


def size(scene: LatticeScene, zoom: float) -> QSize:
    now = theme.current()
    width = _cell(zoom) * len(scene.lattice.text) + 2 * now.px(MARGIN)
    metrics = now.metrics(12, mono=True)
    listed = [width_of(scene, metrics, path) for path in scene.ways]
    height = way_top(scene, len(scene.ways) + 1) + now.px(8)
    return QSize(round(max(width, max(listed) + now.px(220))), round(height))


def displayed(scene: LatticeScene, frame: LatticeFrame) -> dict[str, np.ndarray]:
    nodes = scene.lattice.nodes
    return {
        "nodes": np.array([(node.start, node.end) for node in nodes]).reshape(-1, 2),
        "scores": np.array([node.score for node in nodes]),
        "path": np.array([(node.start, node.end) for node in frame.path]).reshape(-1, 2),
        "best": scene.best.scores[: frame.place + 1],
    }


def focus(scene: LatticeScene, frame: LatticeFrame, zoom: float) -> QRectF:
    """Returns the area to scroll to: the compared position or the start of the path; for a path in
    the list, at its row."""
    now = theme.current()
    place = frame.ending if frame.ending >= 0 else frame.path[0].start if frame.path else 0
    x = now.px(MARGIN) + place * _cell(zoom)
    top = way_top(scene, frame.way) if frame.way else 0
    return QRectF(x - _cell(zoom), top, _cell(zoom), now.px(LIST))


def way_at(scene: LatticeScene, y: float) -> int:
    """Returns the row of the list at height `y`, from 1; 0 for none."""
    row = int((y - _bottom(scene)) // theme.current().px(LIST))
    return row if 1 <= row <= len(scene.ways) else 0


def _bottom(scene: LatticeScene) -> float:
    """Returns the y at which the lattice ends and the title of the list begins."""
    now = theme.current()
    return now.px(KNOTS) + now.px(ROW) * (1 + max(scene.lanes))


def way_top(scene: LatticeScene, way: int) -> float:
    """Returns the top of a row of the list."""
    return _bottom(scene) + theme.current().px(LIST) * way


def draw(
    painter: QPainter,
    scene: LatticeScene,
    frame: LatticeFrame,
    share: float,
    zoom: float,
    hovered: int = 0,
) -> None:
    """Draws the lattice and the list; `hovered` is the hovered row of the list, from 1."""
    cell = _cell(zoom)
    bottom = _bottom(scene)
    _draw_knots(painter, scene, frame, cell, bottom)
    path = set(frame.path)
    for bold in (False, True):
        for index, (node, lane) in enumerate(zip(scene.lattice.nodes, scene.lanes, strict=True)):
            if (node in path) == bold:
                _draw_node(painter, scene, frame, index, _box(node, lane, cell), bold, share)
    painter.setOpacity(1.0)
    _draw_ways(painter, scene, frame, hovered)


def _draw_knots(
    painter: QPainter, scene: LatticeScene, frame: LatticeFrame, cell: float, bottom: float
) -> None:
    """Draws the text, the positions between its characters, and the best score to each."""
    now = theme.current()
    small, mono = now.font(10), now.font("body", 600, mono=True)
    y = now.px(28)
    through = {place for node in frame.path for place in (node.start, node.end)}
    for place in range(len(scene.lattice.text) + 1):
        x = now.px(MARGIN) + place * cell
        painter.setPen(now.pen("divider", 1))
        painter.drawLine(QPointF(x, y), QPointF(x, bottom))
        lit = place in through or place == frame.ending
        painter.setBrush(now.color("accent" if lit else "surface"))
        painter.setPen(now.pen("accent" if lit else "outline", 2 if lit else 1))
        painter.drawEllipse(QPointF(x, y), now.px(4), now.px(4))
        score = float(scene.best.scores[place])
        if place <= frame.place and math.isfinite(score):
            words = QRectF(x - cell / 2, 0, cell, now.px(20))
            put_text(painter, words, format_fixed(score, 2), small, now.color("muted"))
        if place < len(scene.lattice.text):
            letter = text_of(KIND, scene.lattice.text[place])
            area = QRectF(x, y - now.px(10), cell, now.px(20))
            put_text(painter, area, letter, mono, now.color("text"))


def _draw_node(
    painter: QPainter,
    scene: LatticeScene,
    frame: LatticeFrame,
    index: int,
    box: QRectF,
    bold: bool,
    share: float,
) -> None:
    now = theme.current()
    node = scene.lattice.nodes[index]
    data = bytes_of(KIND, node.piece)
    looked = node.end == frame.ending
    quiet = not bold and not looked and bool(frame.path or frame.ending >= 0) and not frame.likely
    painter.setOpacity(max(share, 0.5) if bold else 0.55 if quiet else 1.0)
    strong = bold or looked
    fill = "hatch" if node.id == scene.unknown else "ink" if strong else "surface"
    pen = "accent" if strong else ""
    draw_box(painter, box, data, fill=fill, pen=pen, width=2.5 if bold else 1.5)
    if frame.likely:
        likely = float(scene.posteriors[index])
        part = QRectF(box.left(), box.top(), box.width() * likely, box.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("attention", 0.35))
        painter.drawRoundedRect(part, 4, 4)
        number = format_percent(likely)
    else:
        number = format_fixed(node.score, 1)
    mono, small = now.font(12, 600 if bold else 400, mono=True), now.font(10)
    room = now.metrics(10).horizontalAdvance(number) + 6
    inner = box.adjusted(5, 0, -5, 0)
    words = QRectF(inner.left(), inner.top(), max(8.0, inner.width() - room), inner.height())
    text = elide(text_of(KIND, node.piece), mono, words.width())
    put_text(painter, words, text, mono, now.color("text"), LEFT)
    number_box = QRectF(inner.right() - room, inner.top(), room, inner.height())
    put_text(painter, number_box, number, small, now.color("muted"), RIGHT)


def _draw_ways(painter: QPainter, scene: LatticeScene, frame: LatticeFrame, hovered: int) -> None:
    """Lists the n best paths with their probabilities, then the sampled one."""
    now = theme.current()
    left, height = now.px(8), now.px(LIST)
    head = QRectF(left, _bottom(scene), now.px(460), height)
    title = (
        f"The {len(scene.n_best)} best ways to cut the text, by probability; click one to see it"
    )
    put_text(painter, head, title, now.font("label", 600), now.color("muted"), LEFT)
    metrics = now.metrics(12, mono=True)
    for way, path in enumerate(scene.ways, 1):
        if way <= len(scene.n_best):
            share = format_percent(scene.shares[way - 1])
            mark, words = f"{way}", f"{format_fixed(path.score, 2)}   {share}"
        else:
            mark, words = "\u2684", f"drawn with \u03b1 = {format_general(scene.alpha)}"
        y = way_top(scene, way)
        bold = way == frame.way
        if bold or way == hovered:
            whole = QRectF(now.px(2), y, width_of(scene, metrics, path) + now.px(210), height)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(now.color("selected" if bold else "raised"))
            painter.drawRoundedRect(whole, 4, 4)
        number = QRectF(left, y, now.px(18), height)
        strong = now.font("label", 600)
        put_text(painter, number, mark, strong, now.color("accent" if bold else "muted"), LEFT)
        x = left + now.px(20)
        for node in path.nodes:
            text, data = text_of(KIND, node.piece), bytes_of(KIND, node.piece)
            box = QRectF(x, y + 2, metrics.horizontalAdvance(text) + now.px(10), height - 4)
            draw_piece(painter, box, text, data, pen="accent" if bold else "", bold=bold)
            x = box.right() + 3
        tail = QRectF(x + now.px(8), y, now.px(220), height)
        put_text(painter, tail, words, now.font("label"), now.color("muted"), LEFT)


def width_of(scene: LatticeScene, metrics: QFontMetricsF, path: Path) -> float:
    """Returns the width of a row of the list, without its numbers."""
    now = theme.current()
    texts = [text_of(KIND, node.piece) for node in path.nodes]
    return now.px(28) + sum(metrics.horizontalAdvance(text) + now.px(10) + 3 for text in texts)


def _cell(zoom: float) -> float:
    return theme.current().px(CELL) * zoom


def _box(node: Node, lane: int, cell: float) -> QRectF:
    now = theme.current()
    left = now.px(MARGIN) + node.start * cell
    top = now.px(KNOTS) + lane * now.px(ROW)
    return QRectF(left + 5, top, (node.end - node.start) * cell - 10, now.px(BOX))
