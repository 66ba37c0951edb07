"""Paints clipping: the gradient's length against the limit, and the share of each part."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from core.numbers import format_number, format_percent
from core.training.recorded_step import RecordedStep
from explorer import theme
from explorer.panes.training.step import text
from explorer.widgets.bars import draw_named_bar
from explorer.widgets.base import LEFT, put_text

BAR, LINE, GAP = 44, 20, 32  # px


def draw_clip(painter: QPainter, area: QRectF, recorded: RecordedStep) -> None:
    now, bar, line = theme.current(), theme.current().px(BAR), theme.current().px(LINE)
    norm, limit = recorded.recording.facts.grad_norm, recorded.config.clip or math.inf
    longest = max([one for one in (norm, limit) if math.isfinite(one)], default=1.0) * 1.15 or 1.0
    per_length = area.width() / longest
    whole = norm if math.isfinite(norm) else longest
    kept = min(norm, limit) if math.isfinite(norm) else 0.0
    place = QRectF(area.left(), area.top(), area.width(), line)
    put_text(painter, place, text.LENGTH, now.font("body", 600), now.color("text"), LEFT)
    place = QRectF(area.left(), area.top() + line + now.px(8), area.width(), bar)
    painter.fillRect(place, now.color("surface"))
    cut = QRectF(area.left(), place.top(), whole * per_length, bar)
    painter.fillRect(cut, now.color("raised"))
    painter.fillRect(cut, now.hatch())
    painter.fillRect(QRectF(area.left(), place.top(), kept * per_length, bar), now.series(1))
    if math.isfinite(limit):
        x = area.left() + limit * per_length
        painter.setPen(now.pen("accent", 2))
        painter.drawLine(QPointF(x, place.top() - 6), QPointF(x, place.bottom() + 6))
        words = f"limit {format_number(limit)}"
        wide = now.metrics("label").horizontalAdvance(words) + 4
        left = max(area.left(), min(x - wide / 2, area.right() - wide))
        below = QRectF(left, place.bottom() + now.px(6), wide, line)
        put_text(painter, below, words, now.font("label"), now.color("accent"))
    place = QRectF(area.left(), place.bottom() + now.px(GAP) + line, area.width(), line)
    if shares := recorded.gradient_shares:
        put_text(painter, place, text.SHARES, now.font("label"), now.color("muted"), LEFT)
    for label, share in shares[: int((area.bottom() - place.bottom()) / (line + 2))]:
        place.translate(0, line + 2)
        draw_named_bar(painter, place, label, share, format_percent(share), now.series(1))
