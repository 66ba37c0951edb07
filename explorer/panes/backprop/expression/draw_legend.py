"""The line below a graph that explains the color and width of edges."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from explorer import theme
from explorer.panes.backprop.expression.colors import sign_color
from explorer.panes.backprop.expression.draw_edges import width_for
from explorer.panes.backprop.expression.gradient_check import SAME
from explorer.panes.backprop.expression.scene import GraphScene, Instant
from explorer.widgets.base import LEFT, put_text

HEIGHT = 20  # px
SAMPLES = ((0.001, "0.001"), (1.0, "1"), (1000.0, "1000"))


def draw_legend(
    painter: QPainter, line: QRectF, scene: GraphScene, instant: Instant, *, checked: bool = False
) -> None:
    """Draws the legend; entries that do not fit are dropped from the end."""
    now, x, y = theme.current(), line.left() + 2, line.center().y()
    for words, pen in _entries(scene, instant, checked):
        left, wide = x + now.px(23) * bool(pen), now.metrics("label").horizontalAdvance(words)
        if left + wide > line.right():
            return
        if pen is not None:
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            painter.setPen(pen)
            painter.drawLine(QPointF(x, y), QPointF(x + now.px(18), y))
        place = QRectF(left, line.top(), wide + 1, line.height())
        put_text(painter, place, words, now.font("label"), now.color("muted"), LEFT)
        x = left + wide + now.px(12)


def _entries(scene: GraphScene, instant: Instant, checked: bool) -> list[tuple[str, QPen | None]]:
    """Returns texts, each with the pen of its sample; those of edges appear once gradients flow."""
    now, found = theme.current(), []
    if scene.is_tight:
        found.append(("each node shows its value and gradient", None))
    if checked:
        found.append((f"{SAME} numeric gradient agrees", None))
    first = min(scene.computed.plan.flows.values(), default=instant.moment + 1)
    if instant.done(first) > 0:
        below, above = now.pen(sign_color(-1.0), 3), now.pen(sign_color(1.0), 3)
        if now.contrast:
            below.setDashPattern([2.0, 1.5])
        found += [("negative gradient", below), ("positive", above), ("size:", None)]
        found += [(text, now.pen("muted", width_for(size))) for size, text in SAMPLES]
    return found
