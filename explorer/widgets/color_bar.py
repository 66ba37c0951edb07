"""The color scale of a map: maps values to colors and draws the bar with min, 0 and max."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from core.numbers import format_number
from explorer import theme
from explorer.theme.colors import ATTENTION_GAMMA
from explorer.widgets.base import LEFT, RIGHT, packed_image, packed_table, put_text


class ColorBar:
    """Kind "attention" (sequential, gamma 0.6) or "diverging" (signed, symmetric about 0)."""

    def __init__(self) -> None:
        self._kind = "attention"
        self._low: float | None = None
        self._high: float | None = None
        self._note = ""

    def set_scale(
        self, kind: str, low: float | None = None, high: float | None = None, note: str = ""
    ) -> None:
        """Sets kind, limits (None: from the values; attention: 0..1) and a note below the bar."""
        if kind not in ("attention", "diverging"):
            raise ValueError(f"no color scale named {kind!r}: use 'attention' or 'diverging'")
        self._kind, self._low, self._high, self._note = kind, low, high, note

    @property
    def kind(self) -> str:
        return self._kind

    def limits(self, values: np.ndarray, mask: np.ndarray | None = None) -> tuple[float, float]:
        """Returns the values at the bar's ends; symmetric for the diverging scale."""
        if self._kind == "attention":
            return self._low or 0.0, 1.0 if self._high is None else self._high
        if self._high is not None:
            return -abs(self._high), abs(self._high)
        seen = values if mask is None else values[~mask]
        finite = seen[np.isfinite(seen)]
        top = float(np.abs(finite).max()) if finite.size else 1.0
        return -(top or 1.0), top or 1.0

    def levels(self, values: np.ndarray, low: float, high: float) -> np.ndarray:
        """Maps values to color table entries 0..255 (uint8)."""
        span = (high - low) or 1.0
        scaled = np.nan_to_num((values - low) / span, nan=0.0, posinf=1.0, neginf=0.0)
        return np.rint(np.clip(scaled, 0.0, 1.0) * 255).astype(np.uint8)

    def table(self) -> np.ndarray:
        """Returns the (256, 3) uint8 color table of the current theme."""
        now = theme.current()
        return now.attention_table if self._kind == "attention" else now.diverging_table

    def inks(self) -> list[QColor]:
        """Returns, for each table entry, the text color with the better contrast."""
        return _inks(theme.current().name, self._kind)

    def draw(self, painter: QPainter, rect: QRectF, low: float, high: float) -> None:
        """Draws the strip and, below it, min, 0 (if diverging), max and the note."""
        now = theme.current()
        strip = QRectF(rect.x(), rect.y(), rect.width(), now.px(8))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(strip, packed_image(packed_table(self.table())[None, :]))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(now.pen("divider"))
        painter.drawRect(strip)
        font, ink = now.font("label"), now.color("muted")
        line = QRectF(rect.x(), strip.bottom() + now.px(2), rect.width(), now.px(15))
        ends = [format_number(value) for value in (low, high)]
        room = rect.width() - 2 * max(map(now.metrics("label").horizontalAdvance, ends)) - now.px(8)
        if room < 0 and self._kind == "diverging":  # both ends are equally far from 0
            put_text(painter, line, f"\u00b1{ends[1]}", font, ink)
            return
        put_text(painter, line, ends[0], font, ink, LEFT)
        put_text(painter, line, ends[1], font, ink, RIGHT)
        put_text(painter, line, self.words(room), font, ink)

    def words(self, room: float) -> str:
        """Returns the longest text for the middle below the bar that fits into `room` px."""
        metrics = theme.current().metrics("label")
        if self._kind == "diverging":
            said = [f"0, {self._note}", self._note] if self._note else ["0"]
            return next((one for one in said if metrics.horizontalAdvance(one) <= room), "")
        gamma = f"gamma {ATTENTION_GAMMA}"
        note = f"{self._note}; " if self._note else ""
        said = [f"{note}low values are drawn stronger, {gamma}", f"low values stronger, {gamma}"]
        said += [gamma, f"\u03b3 {ATTENTION_GAMMA}"]
        return next((one for one in said if metrics.horizontalAdvance(one) <= room), "")


@lru_cache(maxsize=8)
def _inks(palette: str, kind: str) -> list[QColor]:
    bar = ColorBar()
    bar.set_scale(kind)
    return [theme.ink_on(QColor(*row)) for row in bar.table().tolist()]
