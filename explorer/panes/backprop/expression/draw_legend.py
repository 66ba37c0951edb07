"""The line below a graph: what color and width of an edge say."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

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
    """As soon as something flows back; where nodes have no words, also what stands in them. What
    has no room is left out, from the end.
    """
    now, x = theme.current(), line.left() + 2
    if scene.is_tight:
        x = _words(painter, line, x, "in each node: value, gradient")
    if checked:
        x = _words(painter, line, x, f"{SAME} nudging agrees")
    first = min(scene.computed.plan.flows.values(), default=instant.moment + 1)
    if instant.done(first) <= 0:
        return
    words = (("gradient below 0", -1.0), ("above 0", 1.0))
    for text, value in words:
        if x + _wide(text, sample=True) > line.right():
            return
        pen = now.pen(sign_color(value), 3)
        if now.contrast and value < 0:
            pen.setDashPattern([2.0, 1.5])
        x = _sample(painter, line, x, pen, text)
    widths = ("width:", *(text for _, text in SAMPLES))
    if x + sum(_wide(text, sample=text != widths[0]) for text in widths) > line.right():
        return
    x = _words(painter, line, x, widths[0])
    for size, text in SAMPLES:
        x = _sample(painter, line, x, now.pen("muted", width_for(size)), text)


def _sample(painter: QPainter, line: QRectF, x: float, pen, text: str) -> float:
    now, y = theme.current(), line.center().y()
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    painter.setPen(pen)
    painter.drawLine(QPointF(x, y), QPointF(x + now.px(18), y))
    return _words(painter, line, x + now.px(23), text)


def _wide(text: str, *, sample: bool = False) -> float:
    """What words take of the line, and the sample of an edge before them."""
    now = theme.current()
    return now.metrics("label").horizontalAdvance(text) + now.px(12 + 23 * sample)


def _words(painter: QPainter, line: QRectF, x: float, text: str) -> float:
    now = theme.current()
    width = _wide(text)
    box = QRectF(x, line.top(), width, line.height())
    put_text(painter, box, text, now.font("label"), now.color("muted"), LEFT)
    return x + width
