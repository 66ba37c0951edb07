"""The player's scrubber: a line with one tick per step, marked steps, and a draggable knob."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from explorer import theme
from explorer.widgets.base import Picture
from explorer.widgets.plots.marks import NEAR, draw_diamond

MARK = 5.0  # px from a mark's center to its corners: larger than the dots of steps


class Scrubber(Picture):
    """A line with one tick per step and a knob at a float position. Dragging seeks.

    A drag snaps to a marked step nearby; Page Up and Page Down go from mark to mark.
    """

    seekRequested = Signal(float)
    stepRequested = Signal(int)  # -1 or 1

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Steps", parent)
        self._titles: list[str] = []
        self._marks: dict[int, str] = {}
        self._length = 0
        self._position = 0.0
        self.live = False
        self._drag = False
        self._hover = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)

    def set_steps(self, length: int, titles: list[str] | None = None) -> None:
        """Sets the number of steps and, if they are few, their titles."""
        titles = titles or []
        if (length, titles) != (self._length, self._titles):
            self._length, self._titles = length, titles
            self.data_changed()

    def set_marks(self, marks: dict[int, str]) -> None:
        """Marks steps with a short text each: 40 -> "checkpoint, step 400"."""
        if marks != self._marks:
            self._marks = dict(marks)
            self.update()

    def set_position(self, position: float) -> None:
        if position != self._position:
            self._position = position
            step = math.ceil(position - 1e-9)
            title = self._words(step)
            told = f"{step + 1} of {self._length}"
            self.setAccessibleDescription(f"{told}: {title}" if title else told)
            self.update()

    def set_live(self, live: bool) -> None:
        if live != self.live:
            self.live = live
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        return {
            "position": np.array(self._position),
            "length": np.array(self._length),
            "marks": np.array(sorted(self._marks), dtype=np.intp),
        }

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(320), now.px(28))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(120), theme.current().px("hit"))

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        y = self.height() / 2
        left, right = self._line()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("divider"))
        painter.drawRoundedRect(QRectF(left, y - 2, right - left, 4), 2, 2)
        if not self._length:
            return
        accent = now.color("success" if self.live else "accent")
        knob = self.x_of(self._position)
        painter.setBrush(accent)
        painter.drawRoundedRect(QRectF(left, y - 2, max(0.0, knob - left), 4), 2, 2)
        pitch = (right - left) / max(1, self._length - 1)
        if pitch >= 14:
            for step in range(self._length):
                if step in self._marks:
                    continue
                passed = step <= self._position
                painter.setBrush(accent if passed else now.color("surface"))
                painter.setPen(now.pen(accent if passed else "outline", 1.5))
                size = 4.5 if step == self._hover else 3.5
                painter.drawEllipse(QPointF(self.x_of(step), y), size, size)
        for step in self._marks:
            passed = step <= self._position
            ink = accent if passed else now.color("outline")
            draw_diamond(painter, QPointF(self.x_of(step), y), ink, passed, MARK)
        painter.setPen(now.pen("surface", 2))
        painter.setBrush(accent)
        painter.drawEllipse(QPointF(knob, y), 7, 7)
        if self.shows_focus:
            now.focus_ring(painter, QRectF(knob - 6, y - 6, 12, 12), radius=9)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._length:
            self._drag = True
            self.seekRequested.emit(float(self._nearest(event.position().x())))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag:
            x = event.position().x()
            mark, position = self._mark_near(x), self.position_at(x)
            close = mark is not None or abs(position - round(position)) < 0.08
            whole = round(position) if mark is None else mark
            self.seekRequested.emit(float(whole) if close else position)
        hover = self._nearest(event.position().x()) if self._length else -1
        if hover != self._hover:
            self._hover = hover
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drag:
            self._drag = False
            self.seekRequested.emit(float(self._nearest(event.position().x())))

    def leaveEvent(self, event) -> None:
        self._hover = -1
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right) and not event.modifiers():
            self.stepRequested.emit(1 if key == Qt.Key.Key_Right else -1)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown) and self._marks:
            earlier = key == Qt.Key.Key_PageUp
            beyond = [at for at in self._marks if (at < self._position) == earlier]
            beyond = [at for at in beyond if at != self._position]
            if beyond:
                self.seekRequested.emit(float(max(beyond) if earlier else min(beyond)))
        else:
            super().keyPressEvent(event)

    def event(self, event) -> bool:
        if isinstance(event, QHelpEvent):
            step = self._nearest(event.pos().x()) if self._length else -1
            QToolTip.showText(event.globalPos(), self._words(step), self)
            return True
        return super().event(event)

    def _words(self, step: int) -> str:
        """Returns the title of a step if known, otherwise the text of its mark."""
        if 0 <= step < len(self._titles):
            return self._titles[step]
        return self._marks.get(step, "")

    def _line(self) -> tuple[float, float]:
        return 10.0, max(20.0, self.width() - 10.0)

    def x_of(self, position: float) -> float:
        """Returns the x of a position, in pixels from the left."""
        left, right = self._line()
        return left + (right - left) * position / max(1, self._length - 1)

    def position_at(self, x: float) -> float:
        """Returns the position at x."""
        left, right = self._line()
        share = min(1.0, max(0.0, (x - left) / (right - left)))
        return share * max(0, self._length - 1)

    def _nearest(self, x: float) -> int:
        """Returns the step nearest to x; a mark within a few pixels takes precedence."""
        mark = self._mark_near(x)
        return round(self.position_at(x)) if mark is None else mark

    def _mark_near(self, x: float) -> int | None:
        near = min(self._marks, key=lambda step: abs(self.x_of(step) - x), default=None)
        return near if near is not None and abs(self.x_of(near) - x) <= NEAR else None
