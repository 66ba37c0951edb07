"""Draws the bars of a language and the words after each."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter

from core.tokenization.analysis import Premium
from explorer import theme
from explorer.panes.tokenizers.languages import text
from explorer.theme import icons
from explorer.widgets.base import LEFT, elide, put_text, ratio_of

MARK = 11  # px, size of the icon after a bar


def draw_bar(
    painter: QPainter, bar: QRectF, right: float, color: QColor, result: Premium, note: str = ""
) -> None:
    """Draws a bar, hatched where text is lost, and words up to `right`; a `note` replaces them."""
    now = theme.current()
    lost = lost_share(result)
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
    left = draw_mark(painter, QPointF(bar.right() + now.px(5), bar.center().y()), icon)
    room = QRectF(left, bar.top() - now.px(2), right - left, bar.height() + now.px(4))
    font, role = now.font("label"), "text" if result.honest else "muted"
    put_text(painter, room, elide(note or said, font, room.width()), font, now.color(role), LEFT)


def lost_share(result: Premium) -> float:
    """Returns the hatched share of a bar, 0 to 1."""
    measures = result.measures
    if not result.honest:
        return 1.0
    unknown = measures.unknown / measures.tokens if measures.tokens else 0.0
    return max(unknown, measures.lost_share) if measures.dropped_bytes else unknown


def draw_mark(painter: QPainter, left: QPointF, icon: str) -> float:
    """Draws an icon, vertically centered at `left`; returns the x of the text after it."""
    now = theme.current()
    pixmap = icons.pixmap(icon, icon, MARK, ratio_of(painter))
    painter.drawPixmap(QPointF(left.x(), left.y() - now.px(MARK) / 2), pixmap)
    return left.x() + now.px(MARK + 4)
