"""Draws the merges of a word: the letters, and above them the growing merge tree."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.tokenizers.draw_piece import draw_piece
from explorer.panes.tokenizers.encoding.scene import Branch, MergeFrame, MergeScene
from explorer.widgets.base import put_text

CELL, ROW, BOX, TOP = 44, 40, 24, 24  # px


def size(scene: MergeScene, zoom: float) -> QSize:
    now = theme.current()
    levels = 1 + max(branch.level for branch in scene.branches)
    width = _cell(scene, zoom) * scene.letters + now.px(16)
    return QSize(round(width), round(now.px(TOP) + now.px(ROW) * levels + now.px(8)))


def displayed(scene: MergeScene, frame: MergeFrame) -> dict[str, np.ndarray]:
    there = scene.branches[: frame.shown]
    return {
        "branches": np.array([(branch.start, branch.end) for branch in there]).reshape(-1, 2),
        "pair": np.array(frame.pair if frame.pair is not None else ()),
    }


def focus(scene: MergeScene, frame: MergeFrame, zoom: float) -> QRectF:
    """Returns the area of the chosen pair, or else of the newest branch."""
    pair = frame.pair or (frame.shown - 1,) * 2
    if frame.pair is None and frame.shown == scene.letters:
        pair = (0, 0)
    left, right = (_box(scene, scene.branches[part], zoom) for part in pair)
    return left.united(right)


def draw(
    painter: QPainter, scene: MergeScene, frame: MergeFrame, share: float, zoom: float
) -> None:
    there = scene.branches[: frame.shown]
    joined = {part for branch in there for part in branch.parts or ()}
    newest = len(there) - 1 if there[-1].parts is not None and frame.pair is None else -1
    now = theme.current()
    for index, branch in enumerate(there):  # lines first, so that all boxes cover them
        painter.setOpacity(share if index == newest else 1.0)
        bottom = _box(scene, branch, zoom).bottom()
        painter.setPen(now.pen("outline", 1))
        for part in branch.parts or ():
            below = _box(scene, scene.branches[part], zoom)
            x = below.center().x()
            painter.drawLine(QPointF(x, below.top()), QPointF(x, bottom))
    for index, branch in enumerate(there):
        painter.setOpacity(share if index == newest else 1.0)
        top = index not in joined  # a current token of the word
        chosen = frame.pair is not None and index in frame.pair
        draw_piece(
            painter,
            _box(scene, branch, zoom),
            branch.face.text,
            branch.face.data,
            fill="ink" if top else "surface",
            pen=_role(frame) if chosen else "" if top else "outline",
            width=2 if chosen else 1,
            bold=chosen,
            color="text" if top else "muted",
        )
    painter.setOpacity(1.0)
    if frame.pair is not None:
        _draw_reason(painter, scene, frame, zoom)


def _role(frame: MergeFrame) -> str:
    return "warning" if frame.passed else "accent"


def _draw_reason(painter: QPainter, scene: MergeScene, frame: MergeFrame, zoom: float) -> None:
    """Draws the rank or score above the pair."""
    now = theme.current()
    assert frame.pair is not None
    left, right = (_box(scene, scene.branches[part], zoom) for part in frame.pair)
    top = min(left.top(), right.top())
    middle = (left.left() + right.right()) / 2
    font = now.font("label", 600)
    half = now.metrics("label", 600).horizontalAdvance(frame.why) / 2 + 4
    words = QRectF(max(0.0, middle - half), top - now.px(18), 2 * half, now.px(16))
    painter.setPen(now.pen(_role(frame), 2))
    painter.drawLine(
        QPointF(left.right(), left.center().y()), QPointF(right.left(), right.center().y())
    )
    painter.fillRect(words, now.color("window"))
    put_text(painter, words, frame.why, font, now.color(_role(frame)))


def _cell(scene: MergeScene, zoom: float) -> float:
    """Returns the width of a letter's cell, that of the widest letter."""
    now = theme.current()
    metrics = now.metrics(12, mono=True)
    letters = scene.branches[: scene.letters]
    widest = max(metrics.horizontalAdvance(branch.face.text) for branch in letters)
    return max(now.px(CELL) * zoom, widest + now.px(12))


def _box(scene: MergeScene, branch: Branch, zoom: float) -> QRectF:
    now = theme.current()
    cell = _cell(scene, zoom)
    levels = max(one.level for one in scene.branches)
    top = now.px(TOP) + (levels - branch.level) * now.px(ROW)
    left = now.px(8) + branch.start * cell
    return QRectF(left + 2, top, (branch.end - branch.start) * cell - 4, now.px(BOX))
