"""Paints the batch: what each sequence reads, and below it what it is to predict, the same tokens
one place to the left.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.training.step.scene import Scene
from explorer.widgets.base import LEFT, RIGHT, elide, put_text
from explorer.widgets.token_colors import ink
from explorer.widgets.token_strip import chip

NAME, CELL, LINE, SHIFT, APART, FOOT = 92, 66, 24, 14, 18, 20  # px


def draw_batch(painter: QPainter, area: QRectF, scene: Scene) -> None:
    """As many sequences and places as have room."""
    now = theme.current()
    ids, targets = scene.batch("ids"), scene.batch("targets")
    cell, line = now.px(CELL), now.px(LINE)
    pitch = 2 * line + now.px(SHIFT) + now.px(APART)
    places = min(ids.shape[1], max(1, int((area.width() - now.px(NAME)) / cell)))
    room = area.height() - now.px(FOOT) + now.px(APART)
    sequences = min(len(ids), max(1, int(room / pitch)))
    for sequence in range(sequences):
        top = area.top() + sequence * pitch
        below = top + line + now.px(SHIFT)
        left = area.left() + now.px(NAME)
        for y, words in ((top, f"{sequence + 1}: reads"), (below, "predicts")):
            name = QRectF(area.left(), y, now.px(NAME) - now.px(8), line)
            put_text(painter, name, words, now.font("label"), now.color("muted"), RIGHT)
        painter.setPen(now.pen("outline"))
        for place in range(1, places):
            if targets[sequence, place - 1] >= 0:  # the same token, shifted by one
                x = left + place * cell
                painter.drawLine(
                    QPointF(x + cell / 2, top + line), QPointF(x - cell / 2, below - 2)
                )
        for place in range(places):
            x = left + place * cell
            _token(painter, QRectF(x, top, cell - 4, line), int(ids[sequence, place]), scene)
            _token(painter, QRectF(x, below, cell - 4, line), int(targets[sequence, place]), scene)
    told = f"{sequences} of {len(ids)} sequences, {places} of {ids.shape[1]} tokens"
    if scene.recording.micro_batches > 1:
        told += f" of micro-batch 1 of {scene.recording.micro_batches}"
    foot = QRectF(area.left(), area.bottom() - now.px(FOOT), area.width(), now.px(FOOT))
    put_text(painter, foot, told, now.font("label"), now.color("muted"), LEFT)


def _token(painter: QPainter, rect: QRectF, id: int, scene: Scene) -> None:
    now = theme.current()
    if id < 0:  # no loss is computed here
        painter.fillRect(rect, now.hatch())
        return
    data, font = scene.piece(id), now.font("mono", mono=True)
    colors = ink(data)
    painter.setPen(now.pen(colors.edge))
    painter.setBrush(colors.fill)
    painter.drawRoundedRect(rect, 3, 3)
    put_text(
        painter, rect, elide(chip(id, data).text, font, rect.width() - 4), font, now.color("text")
    )
