"""Draws the legend: each tokenizer's color, name, and badge (lossless or not)."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.tokenizers.languages.scene import Series
from explorer.theme import icons
from explorer.widgets.base import LEFT, elide, put_longest, put_text, ratio_of

LEGEND = 40  # px high


def draw_legend(painter: QPainter, width: float, series: Sequence[Series]) -> None:
    """Draws the entries side by side, all equally wide."""
    now = theme.current()
    each = width / max(1, len(series))
    for place, one in enumerate(series):
        left = place * each
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.series(one.color))
        painter.drawRoundedRect(QRectF(left, now.px(4), now.px(12), now.px(12)), 2, 2)
        font = now.font("body", 600)
        name = QRectF(left + now.px(18), 0, each - now.px(26), now.px(20))
        put_text(painter, name, elide(one.name, font, name.width()), font, now.color("text"), LEFT)
        icon, said = one.badge
        if icon:
            pixmap = icons.pixmap(icon, icon, 14, ratio_of(painter))
            painter.drawPixmap(QPointF(left + now.px(18), now.px(21)), pixmap)
            line = QRectF(left + now.px(36), now.px(19), each - now.px(40), now.px(18))
            words = (said, said.partition(", ")[0])  # the first part alone if both do not fit
            put_longest(painter, line, words, now.font("label"), now.color("muted"), LEFT)
