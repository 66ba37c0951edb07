"""Attention as arcs between tokens: opacity is weight, and the chosen query is emphasized."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import format_percent
from core.tokenization.telling import count as counted
from explorer import theme
from explorer.widgets.axis_labels import has_label
from explorer.widgets.base import LEFT, Picture, elide, put_slanted, put_text, visible_text

MAX_ARCS = 250


def strongest_pairs(
    weights: np.ndarray, count: int = MAX_ARCS, query: int | None = None
) -> tuple[np.ndarray, float]:
    """Returns the strongest (query, key) pairs of weights (T, T) and their share of all weight.

    The indices (n, 2) are sorted from weak to strong, so that strong arcs are drawn last. `query`
    restricts the pairs to that row. Pairs of negligible weight are left out.
    """
    weights = np.nan_to_num(np.asarray(weights, dtype=np.float32))
    if query is not None:
        only = np.zeros_like(weights)
        only[query] = weights[query]
        weights = only
    flat = weights.ravel()
    count = min(count, int((flat > 1e-4).sum()))
    if count == 0:
        return np.zeros((0, 2), dtype=np.intp), 0.0
    best = np.argpartition(flat, flat.size - count)[flat.size - count :]
    best = best[np.argsort(flat[best], kind="stable")]
    share = float(flat[best].sum() / flat.sum())
    return np.stack(np.unravel_index(best, weights.shape), axis=1), share


class ArcDiagram(Picture):
    """Tokens on a line with one arc above them per (query, key) pair of weights (T, T).

    The arcs of the chosen query are drawn at full strength, the others faintly. Signals:
    `tokenHovered` and `tokenClicked` with a token index, -1 for none.
    """

    tokenHovered = Signal(int)
    tokenClicked = Signal(int)

    def __init__(self, name: str = "Attention arcs", parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._weights = np.zeros((0, 0), dtype=np.float32)
        self._tokens: list[str] = []
        self._query: int | None = None
        self._hover = -1
        self._pairs = np.zeros((0, 2), dtype=np.intp)
        self._share = 0.0
        self._only_query = False
        self._widest_label: float | None = None
        self._drawn: tuple[tuple[object, ...], QPixmap] | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_weights(self, weights: np.ndarray, tokens: list[str]) -> None:
        """Shows weights (T, T) between T token pieces."""
        weights = np.asarray(weights, dtype=np.float32)
        if weights.shape != (len(tokens), len(tokens)):
            raise ValueError(
                f"{len(tokens)} tokens need weights of that square, got {weights.shape}"
            )
        self._weights = weights
        self._tokens = [visible_text(token) for token in tokens]
        # A shorter text may lack the chosen and the hovered token.
        if self._query is not None and self._query >= len(tokens):
            self._query = None
        if self._hover >= len(tokens):
            self._set_hover(-1)
        self._widest_label = None
        self._choose()

    def set_query(self, query: int | None, only: bool = False) -> None:
        """Emphasizes the arcs of one query; `only` hides all others."""
        if (query, only) != (self._query, self._only_query):
            self._query, self._only_query = query, only
            self._choose()

    def displayed(self) -> dict[str, np.ndarray]:
        pairs = self._pairs
        return {"pairs": pairs, "weights": self._weights[pairs[:, 0], pairs[:, 1]]}

    @property
    def caption(self) -> str:
        """The number of arcs drawn and their share of the total weight."""
        arcs = counted(len(self._pairs), "strongest arc")
        return f"showing the {arcs} ({format_percent(self._share)} of the total weight)"

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(480), now.px(280))

    def minimumSizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(200), now.px(140))

    def token_point(self, index: int) -> QPointF:
        """Returns the point where the arcs of token `index` start and end."""
        now = theme.current()
        pitch = self._pitch()
        left = self._left() + pitch / 2
        return QPointF(left + index * pitch, self.height() - self._label_room() - now.px(22))

    def draw(self, painter: QPainter) -> None:
        if not self._tokens:
            return
        now = theme.current()
        emphasis = self._query if self._hover < 0 else self._hover
        points = [self.token_point(index) for index in range(len(self._tokens))]
        faint = emphasis is not None
        painter.drawPixmap(0, 0, self._all_arcs(points, faint))
        if emphasis is not None:
            for row, column in self._pairs[self._pairs[:, 0] == emphasis].tolist():
                weight = float(self._weights[row, column])
                self._draw_arc(painter, points[row], points[column], weight, False)
        self._draw_tokens(painter, emphasis)
        line = QRectF(now.px(8), self.height() - now.px(18), self.width() - now.px(16), now.px(16))
        put_text(painter, line, self.caption, now.font("label"), now.color("muted"), LEFT)

    def _all_arcs(self, points: list[QPointF], faint: bool) -> QPixmap:
        """Returns all arcs, faint behind a chosen query, as a cached pixmap (strokes are slow)."""
        key = (faint, self.width(), self.height(), self.ratio)
        if self._drawn is None or self._drawn[0] != key:
            pixmap = theme.device_pixmap(self.width(), self.height(), self.ratio)
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for row, column in self._pairs.tolist():
                weight = float(self._weights[row, column])
                self._draw_arc(painter, points[row], points[column], weight, faint)
            painter.end()
            self._drawn = (key, pixmap)
        return self._drawn[1]

    def _draw_arc(
        self, painter: QPainter, start: QPointF, end: QPointF, weight: float, faint: bool
    ) -> None:
        alpha = (0.08 + 0.92 * weight) * (0.22 if faint else 1.0)
        ink = theme.current().color("attention", min(0.999, alpha))
        width = 1.0 if faint else 1.0 + 2.0 * weight
        painter.setPen(QPen(ink, width, c=Qt.PenCapStyle.RoundCap))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if start == end:
            painter.drawEllipse(QPointF(start.x(), start.y() - 6), 4.0, 6.0)
            return
        span = abs(start.x() - end.x())
        reach = start.y() - theme.current().px(8)
        height = min(reach, 14 + reach * (span / max(1.0, self.width() * 0.9)) ** 0.8) * 4 / 3
        path = QPainterPath(start)
        path.cubicTo(start.x(), start.y() - height, end.x(), end.y() - height, end.x(), end.y())
        painter.drawPath(path)

    def _draw_tokens(self, painter: QPainter, emphasis: int | None) -> None:
        now = theme.current()
        font, bold = now.font("label"), now.font("label", 600)
        pitch = self._pitch()
        height = now.metrics("label").height()
        straight = self._is_straight()
        every = 1 if straight else max(1, int(np.ceil(height * 0.9 / pitch)))
        row = None if emphasis is None else self._weights[emphasis]
        for index, token in enumerate(self._tokens):
            point = self.token_point(index)
            chosen = index == emphasis
            painter.setPen(Qt.PenStyle.NoPen)
            strength = 0.25 if row is None else 0.15 + 0.85 * float(np.nan_to_num(row[index]))
            dot = now.color("q") if chosen else now.color("attention", min(1.0, strength))
            painter.setBrush(dot)
            painter.drawEllipse(point + QPointF(0, 4), 3.0, 3.0)
            if not has_label(index, every, emphasis):
                continue
            use = bold if chosen else font
            ink = now.color("q" if chosen else "text" if strength > 0.4 else "muted")
            if straight:
                rect = QRectF(point.x() - pitch / 2, point.y() + 12, pitch, height)
                put_text(painter, rect, elide(token, use, pitch - 4), use, ink)
            else:
                text = elide(token, use, now.px(72))
                foot = QPointF(point.x() + 2, point.y() + 14)
                put_slanted(painter, foot, text, use, ink, 45)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_hover(self._token_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        self._set_hover(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        token = self._token_at(event.position())
        if token >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.tokenClicked.emit(token)

    def _token_at(self, point: QPointF) -> int:
        if not self._tokens or point.y() < self.height() * 0.5:
            return -1
        pitch, left = self._pitch(), self._left()
        index = int((point.x() - left) // pitch)
        return index if 0 <= index < len(self._tokens) else -1

    def _pitch(self) -> float:
        now = theme.current()
        room = self.width() - now.px(24) - self._overhang()
        return min(room / max(1, len(self._tokens)), now.px(72))

    def _left(self) -> float:
        return (self.width() - self._overhang() - self._pitch() * len(self._tokens)) / 2

    def _widest(self) -> float:
        if self._widest_label is None:
            metrics = theme.current().metrics("label")
            widths = [metrics.horizontalAdvance(token) for token in self._tokens]
            self._widest_label = max(widths, default=0.0)
        return self._widest_label

    def on_theme_changed(self) -> None:
        self._widest_label = None
        self._drawn = None
        super().on_theme_changed()

    def _is_straight(self) -> bool:
        now = theme.current()
        pitch = (self.width() - now.px(24)) / max(1, len(self._tokens))
        return self._widest() + 6 <= min(pitch, now.px(72)) or pitch >= now.px(64)

    def _overhang(self) -> float:
        """Returns how far (px) the last slanted label extends beyond its token."""
        if self._is_straight():
            return 0.0
        return min(self._widest(), theme.current().px(72)) * 0.7

    def _label_room(self) -> float:
        now = theme.current()
        if self._is_straight():
            return now.metrics("label").height() + now.px(12)
        return min(self._widest(), now.px(72)) * 0.72 + now.px(18)

    def _choose(self) -> None:
        query = self._query if self._only_query else None
        self._drawn = None
        self._pairs, self._share = strongest_pairs(self._weights, MAX_ARCS, query)
        self.setAccessibleDescription(self.caption)
        self.data_changed()

    def _set_hover(self, token: int) -> None:
        if token != self._hover:
            self._hover = token
            self.tokenHovered.emit(token)
            self.update()
