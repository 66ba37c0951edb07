"""Draws a lattice: places as knots from left to right, every piece as an edge between two of them.

Edges of one length lie in the same lanes; the path in question is bold. Below it stand the n best
paths, and the one that was drawn.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter

from core.tokenization.unigram.lattice import Node
from explorer import theme
from explorer.panes.tokenizers.inside.scenes import LatticeFrame, LatticeScene
from explorer.panes.tokenizers.inside.telling import spelled
from explorer.theme_numbers import format_fixed, format_percent
from explorer.widgets import token_colors
from explorer.widgets.base import LEFT, RIGHT, elide, put_text

CELL, ROW, BOX, KNOTS, LIST, MARGIN = 60, 25, 21, 42, 20, 26  # px


def size(scene: LatticeScene, zoom: float) -> QSize:
    now = theme.current()
    width = _cell(zoom) * len(scene.lattice.text) + 2 * now.px(MARGIN)
    lanes = 1 + max(_lanes(scene))
    rows = now.px(LIST) * (len(scene.n_best) + 2)
    return QSize(
        round(max(width, now.px(480))), now.px(KNOTS) + now.px(ROW) * lanes + rows + now.px(8)
    )


def displayed(scene: LatticeScene, frame: LatticeFrame) -> dict[str, np.ndarray]:
    nodes = scene.lattice.nodes
    return {
        "nodes": np.array([(node.start, node.end) for node in nodes]).reshape(-1, 2),
        "scores": np.array([node.score for node in nodes]),
        "path": np.array([(node.start, node.end) for node in frame.path]).reshape(-1, 2),
        "best": scene.best.scores[: frame.place + 1],
    }


def focus(scene: LatticeScene, frame: LatticeFrame, zoom: float) -> QRectF:
    """The place that is looked at, else where the path begins; or the path's row in the list."""
    now = theme.current()
    place = frame.ending if frame.ending >= 0 else frame.path[0].start if frame.path else 0
    x = now.px(MARGIN) + place * _cell(zoom)
    row = frame.rank or (len(scene.n_best) + 1 if frame.way == "sample" else 0)
    below = now.px(KNOTS) + now.px(ROW) * (1 + max(_lanes(scene)))
    top = below + now.px(LIST) * row if row else 0
    return QRectF(x - _cell(zoom), top, _cell(zoom), now.px(LIST))


def draw(
    painter: QPainter, scene: LatticeScene, frame: LatticeFrame, share: float, zoom: float
) -> None:
    now = theme.current()
    cell = _cell(zoom)
    bottom = now.px(KNOTS) + now.px(ROW) * (1 + max(_lanes(scene)))
    _draw_knots(painter, scene, frame, cell, bottom)
    path = set(frame.path)
    for bold in (False, True):
        for index, (node, lane) in enumerate(zip(scene.lattice.nodes, _lanes(scene), strict=True)):
            if (node in path) == bold:
                _draw_node(painter, scene, frame, index, _box(node, lane, cell), bold, share)
    painter.setOpacity(1.0)
    _draw_paths(painter, scene, frame, bottom)


def _draw_knots(
    painter: QPainter, scene: LatticeScene, frame: LatticeFrame, cell: float, bottom: float
) -> None:
    """The text, the places between its characters, and the best score to each place."""
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
            letter = spelled(scene.lattice.text[place]).text
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
    face = spelled(node.piece)
    ink = token_colors.ink(face.data)
    looked = node.end == frame.ending
    quiet = not bold and not looked and bool(frame.path or frame.ending >= 0) and not frame.likely
    painter.setOpacity(max(share, 0.5) if bold else 0.55 if quiet else 1.0)
    painter.setBrush(ink.fill if bold or looked else now.color("surface"))
    if bold or looked:
        painter.setPen(now.pen("accent", 2.5 if bold else 1.5))
    else:
        painter.setPen(ink.edge)
    if node.id == scene.unknown:
        painter.setBrush(now.hatch())
    painter.drawRoundedRect(box, 4, 4)
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
    text = elide(face.text, mono, words.width())
    put_text(painter, words, text, mono, now.color("text"), LEFT)
    number_box = QRectF(inner.right() - room, inner.top(), room, inner.height())
    put_text(painter, number_box, number, small, now.color("muted"), RIGHT)


def _draw_paths(painter: QPainter, scene: LatticeScene, frame: LatticeFrame, top: float) -> None:
    """The n best ways with their shares of all ways, then the one that was drawn."""
    now = theme.current()
    left, height = now.px(8), now.px(LIST)
    head = QRectF(left, top, now.px(460), height)
    title = f"The {len(scene.n_best)} best ways, and their share of all ways"
    put_text(painter, head, title, now.font("label", 600), now.color("muted"), LEFT)
    rows = [
        (f"{rank}", path, f"{format_fixed(path.score, 2)}   {format_percent(part)}")
        for rank, (path, part) in enumerate(zip(scene.n_best, scene.shares, strict=True), 1)
    ]
    rows.append(("\u2684", scene.sample, f"drawn with \u03b1 = {scene.alpha:g}"))
    for row, (mark, path, words) in enumerate(rows, 1):
        y = top + row * height
        bold = row == frame.rank or (frame.way == "sample" and row == len(rows))
        x = left + now.px(20)
        put_text(
            painter,
            QRectF(left, y, now.px(18), height),
            mark,
            now.font("label", 600),
            now.color("accent" if bold else "muted"),
            LEFT,
        )
        mono = now.font(12, 600 if bold else 400, mono=True)
        metrics = now.metrics(12, mono=True)
        for node in path.nodes:
            face = spelled(node.piece)
            width = metrics.horizontalAdvance(face.text) + now.px(10)
            box = QRectF(x, y + 2, width, height - 4)
            ink = token_colors.ink(face.data)
            painter.setBrush(ink.fill)
            painter.setPen(now.pen("accent", 2) if bold else ink.edge)
            painter.drawRoundedRect(box, 3, 3)
            put_text(painter, box, face.text, mono, now.color("text"))
            x += width + 3
        tail = QRectF(x + now.px(8), y, now.px(220), height)
        put_text(painter, tail, words, now.font("label"), now.color("muted"), LEFT)


@lru_cache(maxsize=4)
def _lanes(scene: LatticeScene) -> tuple[int, ...]:
    """For each node the lane in which it touches no other: short ones above long ones."""
    nodes = scene.lattice.nodes
    order = sorted(range(len(nodes)), key=lambda at: (nodes[at].end - nodes[at].start, at))
    ends: list[list[tuple[int, int]]] = []
    found = [0] * len(nodes)
    for at in order:
        node = nodes[at]
        lane = next((row for row, spans in enumerate(ends) if _is_free(spans, node)), len(ends))
        if lane == len(ends):
            ends.append([])
        ends[lane].append((node.start, node.end))
        found[at] = lane
    return tuple(found)


def _is_free(spans: list[tuple[int, int]], node: Node) -> bool:
    return all(node.end <= start or end <= node.start for start, end in spans)


def _cell(zoom: float) -> float:
    return theme.current().px(CELL) * zoom


def _box(node: Node, lane: int, cell: float) -> QRectF:
    now = theme.current()
    left = now.px(MARGIN) + node.start * cell
    top = now.px(KNOTS) + lane * now.px(ROW)
    return QRectF(left + 5, top, (node.end - node.start) * cell - 10, now.px(BOX))
