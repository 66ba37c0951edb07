"""Draws the legend of the chart of languages, and one bar with the words behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QFont, QFontMetricsF, QPainter

from core.tokenization.analysis import Premium
from explorer import theme
from explorer.panes.tokenizers.languages import text
from explorer.widgets.base import LEFT, elide, put_text

if TYPE_CHECKING:
    from explorer.panes.tokenizers.languages.chart import PremiumChart

LEGEND, SCROLL, MARK = 40, 12, 11  # px: a row of the legend, the bar that scrolls, a bar's mark


def draw_legend(painter: QPainter, chart: PremiumChart) -> None:
    """Each tokenizer's color, name, and whether it is lossless."""
    now = theme.current()
    each = chart.width() / max(1, len(chart.names))
    for place, (name, badge) in enumerate(zip(chart.names, chart.badges, strict=True)):
        left = place * each
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(chart.color(place))
        painter.drawRoundedRect(QRectF(left, now.px(4), now.px(12), now.px(12)), 2, 2)
        font = now.font("body", 600)
        text = QRectF(left + now.px(18), 0, each - now.px(26), now.px(20))
        title = elide(name, font, text.width())
        put_text(painter, text, title, font, now.color("text"), LEFT)
        icon, said = badge
        if icon:
            at = QPointF(left + now.px(18), now.px(21))
            painter.drawPixmap(at, chart.icon_pixmap(icon, icon, 14))
            line = QRectF(left + now.px(36), now.px(19), each - now.px(44), now.px(18))
            said = in_room(said, now.font("label"), line.width())
            put_text(painter, line, said, now.font("label"), now.color("muted"), LEFT)


def in_room(said: str, font: QFont, width: float) -> str:
    """As many of the facts that commas part as there is room for; no number is cut."""
    metrics = QFontMetricsF(font)
    while ", " in said and metrics.horizontalAdvance(said) > width:
        said = said.rpartition(", ")[0]
    return elide(said, font, width, Qt.TextElideMode.ElideRight)


def draw_bar(
    painter: QPainter,
    chart: PremiumChart,
    bar: QRectF,
    place: int,
    result: Premium,
    note: str = "",
) -> None:
    """Full where tokens say something; hatched as far as text is lost. `note` stands behind it in
    place of its premium.
    """
    now = theme.current()
    color = chart.color(place)
    measures = result.measures
    lost = measures.unknown / measures.tokens if measures.tokens else 0.0
    if measures.dropped_bytes:
        lost = max(lost, measures.lost_share)
    if not result.honest:
        lost = 1.0
    known = QRectF(bar)
    known.setWidth(bar.width() * (1 - lost))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.fillRect(known, color)
    if lost and bar.width() >= 2:
        rest = QRectF(known.right(), bar.top(), bar.width() * lost, bar.height())
        painter.setPen(now.pen(color, 1))
        painter.setBrush(QBrush(color, Qt.BrushStyle.BDiagPattern))
        painter.drawRect(rest.adjusted(0.5, 0.5, -0.5, -0.5))
    icon, said = text.mark(result)
    said = note or said
    middle = bar.center().y()
    at = QPointF(bar.right() + now.px(5), middle - now.px(MARK) / 2)
    painter.drawPixmap(at, chart.icon_pixmap(icon, icon, MARK))
    room = QRectF(at.x() + now.px(MARK + 4), bar.top() - now.px(2), 0, bar.height() + now.px(4))
    room.setRight(chart.width() - now.px(SCROLL) - now.px(4))
    role = "text" if result.honest else "muted"
    said = elide(said, now.font("label"), room.width())
    put_text(painter, room, said, now.font("label"), now.color(role), LEFT)


def between(start: QRectF, end: QRectF, share: float) -> QRectF:
    """A rectangle on its way from one to another."""

    def mixed(a: float, b: float) -> float:
        return a + (b - a) * share

    return QRectF(
        mixed(start.x(), end.x()),
        mixed(start.y(), end.y()),
        mixed(start.width(), end.width()),
        mixed(start.height(), end.height()),
    )
