"""A text whose tokens are colored by a number: by surprise, darker the less the model expected a
token, or by another.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QKeyEvent,
    QLinearGradient,
    QMouseEvent,
    QPainter,
    QPixmap,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.numbers import MINUS, format_fixed
from core.tokenization.telling import quoted
from explorer import theme
from explorer.widgets.base import LEFT, Columns, Picture, put_text
from explorer.widgets.token_strip import chip, draw_chip

LINE, PADDING, WIDEST, STRIP = 26, 4, 160, 96  # px
RING = 2  # px of the ring at the first line
EDGE = 1  # px of a chip's outline outside it
SERIES = 1  # color series of the darkest tokens
TURN = 60  # eighths of a degree of the wheel per line
MOST_CHIPS = 2_000  # cached pixmaps: a text whose colors keep changing must not fill memory


def _nats(loss: float) -> str:
    return f"{format_fixed(loss)} nats"


def _color_at(share: float) -> QColor:
    """Returns the color of a number that is this share of the greatest."""
    now = theme.current()
    return theme.mix(now.color("surface"), now.series(SERIES), share)


class SurpriseScale(Picture):
    """The color scale of a text in one line: the least number, the colors, `most` nats."""

    def __init__(self, most: float, parent: QWidget | None = None) -> None:
        super().__init__("Colors of surprise", parent)
        self._most = most
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def displayed(self) -> dict[str, np.ndarray]:
        return {"loss (nats)": np.array([0.0, self._most])}

    def draw(self, painter: QPainter) -> None:
        now, high = theme.current(), self.height()
        font, ink, metrics = now.font("label"), now.color("muted"), now.metrics("label")
        least, most = "expected", f"a surprise ({MINUS}ln p) of {self._most:g} nats or more"
        left = metrics.horizontalAdvance(least) + now.px(2 * PADDING)
        strip = QRectF(left, (high - now.px(8)) / 2, now.px(STRIP), now.px(8))
        right = strip.right() + now.px(2 * PADDING)
        put_text(painter, QRectF(0, 0, left, high), least, font, ink, LEFT)
        put_text(painter, QRectF(right, 0, self.width() - right, high), most, font, ink, LEFT)
        colors = QLinearGradient(strip.topLeft(), strip.topRight())
        colors.setColorAt(0, _color_at(0))
        colors.setColorAt(1, _color_at(1))
        painter.setPen(now.pen("divider"))
        painter.setBrush(colors)
        painter.drawRect(strip)

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(300), theme.current().px(15))

    def minimumSizeHint(self) -> QSize:
        return QSize(0, theme.current().px(15))


class SurpriseText(Picture):
    """Emits `chosen(sequence, place)` when a token is clicked or reached by the arrows.

    Sequences are below one another; if they do not fit, the text scrolls to the chosen token or to
    another one that must be visible. The wheel scrolls.

    title  name of the number's column in a file
    words  formats the number
    """

    chosen = Signal(int, int)

    def __init__(
        self, name: str = "Text colored by surprise", title: str = "loss (nats)",
        words: Callable[[float], str] = _nats, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(name, parent)
        self._title, self._words = title, words
        self._tokens: list[list[bytes]] = []
        self._pieces: list[list[str]] = []  # as displayed
        self._widths: dict[str, int] = {}  # px from one token to the next, by text
        self._chips: dict[tuple[str, int, float, float], QPixmap] = {}
        self._losses = np.zeros((0, 0))
        self._most = 1.0
        self._chosen = self._seen = (0, 0)
        self._rects: list[tuple[int, int, QRectF]] = []
        self._above = 0  # px scrolled
        self._turned = 0  # rotation of the wheel towards the next line
        self._together: tuple[SurpriseText, ...] = (self,)  # texts that scroll together
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_text(self, pieces: Sequence[Sequence[bytes]], losses: np.ndarray, most: float) -> None:
        """Sets tokens and their numbers, such as losses in nats, each (B, T); `most` has the full
        color.
        """
        tokens, most = [list(row) for row in pieces], max(most, 1e-9)
        are_same = tokens == self._tokens
        look_same = are_same and most == self._most and np.array_equal(losses, self._losses)
        if look_same and self.broken is None:
            return
        self._losses, self._most = losses, most
        if not are_same:
            self._tokens = tokens
            self._pieces = [[chip(0, token).text for token in row] for row in tokens]
            self._lay_out()
        self.data_changed()

    def set_chosen(self, sequence: int, place: int, seen: tuple[int, int] | None = None) -> None:
        """Chooses a token; `seen` is the last token that must be visible, None: the chosen one."""
        chosen, told = (sequence, place), self.told(sequence, place)
        before = self._chosen, self._seen, self.accessibleDescription()
        if before == (chosen, seen or chosen, told):
            return
        self._chosen, self._seen = chosen, seen or chosen
        self._scroll()
        self.setAccessibleDescription(told)
        self.update()

    def told(self, sequence: int, place: int) -> str:
        """Describes a token and its number."""
        if sequence >= len(self._pieces) or place >= len(self._pieces[sequence]):
            return ""
        told = self._words(float(self._losses[sequence, place]))
        return f"{quoted(self._pieces[sequence][place])}: {told}"

    def displayed(self) -> dict[str, np.ndarray]:
        return Columns(
            {
                "token": np.array([piece for row in self._pieces for piece in row]),
                self._title: self._losses.reshape(-1),
            }
        )

    def color_of(self, loss: float) -> QColor:
        return _color_at(min(max(loss / self._most, 0.0), 1.0))

    def _lay_out(self) -> None:
        now, self._rects = theme.current(), []
        line, y = now.px(LINE), float(RING)
        for sequence, row in enumerate(self._pieces):
            x = 0.0
            for place, piece in enumerate(row):
                wide = self._width_of(piece)
                if x and x + wide > self.width():
                    x, y = 0.0, y + line
                self._rects.append((sequence, place, QRectF(x, y, wide - 2, line - 3)))
                x += wide
            y += line + now.px(PADDING)
        self._scroll()

    def _width_of(self, piece: str) -> int:
        """Returns whole px from the start of this token to that of the next."""
        now = theme.current()
        if piece not in self._widths:
            advance = now.metrics("mono", mono=True).horizontalAdvance(piece)
            self._widths[piece] = min(math.ceil(advance), now.px(WIDEST)) + 2 * now.px(PADDING)
        return self._widths[piece]

    def scroll_with(self, other: SurpriseText) -> None:
        """Scrolls both texts together, for texts that begin alike."""
        self._together = other._together = self, other

    def _scroll(self) -> None:
        """Scrolls until the last token that must be visible is; of several texts as far as one
        needs, but past no chosen token.
        """
        above = max(one._lines_above(*one._seen) for one in self._together)
        if len(self._together) > 1:
            tops = (one._place_of(*one._chosen).top() for one in self._together)
            above = min(above, *(int(top // theme.current().px(LINE)) for top in tops))
        self._scroll_to(above)

    def _scroll_to(self, lines: int) -> None:
        above = theme.current().px(LINE) * lines
        for one in self._together:
            if one._above != above:
                one._above = above
                one.update()

    def _lines_above(self, sequence: int, place: int) -> int:
        """Returns how many lines must be scrolled for a token to be visible."""
        below = self._place_of(sequence, place).bottom() - self.height()
        return max(math.ceil(below / theme.current().px(LINE)), 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        ends = [one._lines_above(*one._rects[-1][:2]) for one in self._together if one._rects]
        if not (most := max(ends, default=0)):
            event.ignore()  # all is visible: the container may scroll
            return
        self._turned += event.angleDelta().y()
        lines = int(self._turned / TURN)
        self._turned -= lines * TURN
        self._scroll_to(min(max(self._above // theme.current().px(LINE) - lines, 0), most))

    def height_of(self, wide: float, most: int) -> int:
        """Returns the px that the text needs at this width, in at most `most` lines."""
        now = theme.current()
        metrics, lines, x = now.metrics("mono", mono=True), 1, 0.0
        for piece in (piece for row in self._pieces for piece in row):
            step = min(metrics.horizontalAdvance(piece), now.px(WIDEST)) + 2 * now.px(PADDING)
            if x and x + step > wide:
                x, lines = 0.0, lines + 1
            x += step
        return RING + now.px(LINE) * min(lines, most)

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        for sequence, place, whole in self._rects:
            rect = whole.translated(0, -self._above)
            if rect.bottom() > self.height():
                break
            if rect.top() < 0:
                continue
            pixmap = self._chip(sequence, place, rect.size())
            painter.drawPixmap(rect.topLeft() - QPointF(EDGE, EDGE), pixmap)
            if (sequence, place) == self._chosen:
                now.focus_ring(painter, rect, 3, 0)

    def _chip(self, sequence: int, place: int, size: QSizeF) -> QPixmap:
        """Returns a token in its color, cached: texts often repeat tokens, and few change color
        from one answer of a model to the next.
        """
        text, fill = self._pieces[sequence][place], self.color_of(self._losses[sequence, place])
        key = text, fill.rgb(), size.width(), self.ratio
        if key not in self._chips:
            if len(self._chips) >= MOST_CHIPS:
                self._chips.clear()
            wide, high = size.width() + 2 * EDGE, size.height() + 2 * EDGE
            pixmap = theme.device_pixmap(wide, high, self.ratio)
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            edge, ink = theme.current().color("divider"), theme.ink_on(fill)
            draw_chip(painter, QRectF(QPointF(EDGE, EDGE), size), text, fill, edge, ink)
            painter.end()
            self._chips[key] = pixmap
        return self._chips[key]

    def token_at(self, point: QPointF) -> tuple[int, int] | None:
        """Returns the sequence and place at a point, or None."""
        at = point + QPointF(0, self._above)
        return next(((s, t) for s, t, rect in self._rects if rect.contains(at)), None)

    def rect_of(self, sequence: int, place: int) -> QRectF:
        """Returns the rectangle of a token in the widget."""
        return self._place_of(sequence, place).translated(0, -self._above)

    def _place_of(self, sequence: int, place: int) -> QRectF:
        return next((r for s, t, r in self._rects if (s, t) == (sequence, place)), QRectF())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        found = self.token_at(event.position())
        if found is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(*found)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        known = [(s, t) for s, t, _ in self._rects]
        if move is None or event.modifiers() or self._chosen not in known:
            super().keyPressEvent(event)
            return
        self.chosen.emit(*known[min(max(known.index(self._chosen) + move, 0), len(known) - 1)])

    def said_at(self, point: QPointF) -> str:
        found = self.token_at(point)
        return self.told(*found) if found else ""

    def resizeEvent(self, event: object) -> None:
        self._lay_out()

    def on_theme_changed(self) -> None:
        self._widths.clear()
        self._chips.clear()
        self._lay_out()
        super().on_theme_changed()

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(480), theme.current().px(200))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(240), theme.current().px(80))
