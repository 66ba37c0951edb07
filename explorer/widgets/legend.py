"""A legend in one line: swatches of color or hatching, each with its name."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

from explorer import theme
from explorer.widgets.base import LEFT, put_text
from explorer.widgets.sketch import Sketch

SWATCH = 10  # px


def put_legend(
    painter: QPainter, line: QRectF, entries: Iterable[tuple[str, QColor | None]]
) -> None:
    """Draws entries from the left of a line; a color of None is hatched."""
    now, x = theme.current(), line.left()
    side, font, metrics = now.px(SWATCH), now.font("label"), now.metrics("label")
    for words, color in entries:
        swatch = QRectF(x, line.center().y() - side / 2, side, side)
        painter.fillRect(swatch, color or now.color("raised"))
        if color is None:
            painter.fillRect(swatch, now.hatch())
        Sketch(painter).frame(swatch, "divider", 1, 0)  # makes a pale swatch visible
        wide = metrics.horizontalAdvance(words)
        place = QRectF(swatch.right() + now.px(4), line.top(), wide + 1, line.height())
        put_text(painter, place, words, font, now.color("muted"), LEFT)
        x = place.right() + now.px(12)
