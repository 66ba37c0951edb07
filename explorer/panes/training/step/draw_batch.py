"""Paints the batch: the input tokens of each sequence, and below them its targets, which are the
same tokens one place to the left.
"""

from __future__ import annotations

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter

from core.training.recorded_step import RecordedStep
from explorer import theme
from explorer.widgets.base import LEFT, RIGHT, put_text
from explorer.widgets.token_colors import ink
from explorer.widgets.token_strip import chip, draw_chip

NAME, CELL, LINE, SHIFT, APART, FOOT = 92, 66, 24, 14, 18, 20  # px


def draw_batch(painter: QPainter, area: QRectF, recorded: RecordedStep) -> None:
    """Draws as many sequences and tokens as fit."""
    now, ids, targets = theme.current(), recorded.batch("ids"), recorded.batch("targets")
    label, muted = now.font("label"), now.color("muted")
    cell, line, shift, name = (now.px(size) for size in (CELL, LINE, SHIFT, NAME))
    pitch = 2 * line + shift + now.px(APART)
    places = min(ids.shape[1], max(1, int((area.width() - name) / cell)))
    room = area.height() - now.px(FOOT) + now.px(APART)
    sequences = min(len(ids), max(1, int(room / pitch)))
    for sequence in range(sequences):
        top = area.top() + sequence * pitch
        below = top + line + shift
        for y, words in ((top, f"{sequence + 1}: reads"), (below, "predicts")):
            put_text(painter, QRectF(area.left(), y, name - 8, line), words, label, muted, RIGHT)
        for place in range(places):
            x = area.left() + name + place * cell
            if place and targets[sequence, place - 1] >= 0:  # the same token, shifted by one
                painter.setPen(now.pen("outline"))
                painter.drawLine(QLineF(x + cell / 2, top + line, x - cell / 2, below - 2))
            read, next_one = int(ids[sequence, place]), int(targets[sequence, place])
            _token(painter, QRectF(x, top, cell - 4, line), read, recorded)
            _token(painter, QRectF(x, below, cell - 4, line), next_one, recorded)
    words = f"shown: {sequences} of {len(ids)} sequences, {places} of {ids.shape[1]} tokens"
    if (count := recorded.recording.micro_batches) > 1:
        words += f" of micro-batch 1 of {count}"
    foot = QRectF(area.left(), area.bottom() - now.px(FOOT), area.width(), now.px(FOOT))
    put_text(painter, foot, words, label, muted, LEFT)


def _token(painter: QPainter, rect: QRectF, id: int, recorded: RecordedStep) -> None:
    now = theme.current()
    if id < 0:  # no loss is computed here
        painter.fillRect(rect, now.hatch())
    else:
        data = recorded.piece(id)
        colors = ink(data)
        draw_chip(painter, rect, chip(id, data).text, colors.fill, colors.edge, now.color("text"))
