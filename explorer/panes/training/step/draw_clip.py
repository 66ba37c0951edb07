"""Paints clipping: the gradient's length against its limit, and which parts make it that long."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from core.numbers import format_number, format_percent
from explorer import theme
from explorer.panes.training.step.scene import Scene
from explorer.widgets.base import LEFT, elide, put_text

BAR, LINE, GAP = 44, 20, 32  # px


def draw_clip(painter: QPainter, area: QRectF, scene: Scene) -> None:
    now, bar, line = theme.current(), theme.current().px(BAR), theme.current().px(LINE)
    norm, limit = scene.recording.facts.grad_norm, scene.config.clip or math.inf
    longest = max([one for one in (norm, limit) if math.isfinite(one)], default=1.0) * 1.15 or 1.0
    top = area.top() + line + now.px(8)

    def x(length: float) -> float:
        return area.left() + min(length / longest, 1.0) * area.width()

    kept = min(norm, limit) if math.isfinite(norm) else 0.0
    painter.fillRect(QRectF(area.left(), top, area.width(), bar), now.color("surface"))
    painter.fillRect(QRectF(area.left(), top, x(kept) - area.left(), bar), now.series(1))
    cut = QRectF(x(kept), top, x(norm if math.isfinite(norm) else longest) - x(kept), bar)
    painter.fillRect(cut, now.color("raised"))
    painter.fillRect(cut, now.hatch())
    words = f"length of all gradients together: {format_number(norm)}"
    if cut.width() > 1:
        words += f", shortened to {format_number(kept)} (hatched: what is cut)"
    place = QRectF(area.left(), area.top(), area.width(), line)
    put_text(painter, place, words, now.font("body", 600), now.color("text"), LEFT)
    if math.isfinite(limit):
        painter.setPen(now.pen("accent", 2))
        painter.drawLine(QPointF(x(limit), top - 6), QPointF(x(limit), top + bar + 6))
        words = f"limit {format_number(limit)}"
        wide = now.metrics("label").horizontalAdvance(words) + 4
        left = min(x(limit) - wide / 2, area.right() - wide)
        place = QRectF(left, top + bar + now.px(6), wide, line)
        put_text(painter, place, words, now.font("label"), now.color("accent"))
    _draw_shares(painter, area, top + bar + now.px(GAP) + line, scene)


def _draw_shares(painter: QPainter, area: QRectF, top: float, scene: Scene) -> None:
    """Whose squares the squared length is the sum of."""
    now, line = theme.current(), theme.current().px(LINE)
    shares = scene.clip_shares
    if not shares:
        return
    place = QRectF(area.left(), top, area.width(), line)
    words = "who makes it that long: each part's share of the squared length"
    put_text(painter, place, words, now.font("label"), now.color("muted"), LEFT)
    name, y = now.px(104), top + line + now.px(4)
    for label, share in shares:
        if y + line > area.bottom():
            break
        place = QRectF(area.left(), y, name, line)
        put_text(
            painter,
            place,
            elide(label, now.font("body"), name),
            now.font("body"),
            now.color("text"),
            LEFT,
        )
        wide = (area.width() - 2 * name) * share
        painter.fillRect(QRectF(area.left() + name, y + 3, max(wide, 1.0), line - 6), now.series(1))
        place = QRectF(area.left() + name + wide + 6, y, name, line)
        put_text(painter, place, format_percent(share), now.font("label"), now.color("muted"), LEFT)
        y += line + 2
