"""The phases of an optimizer step as a row of names; a click goes into one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.training.phases import PHASES, TITLES
from explorer import theme
from explorer.widgets.base import LEFT, Picture, put_text


class PhaseStrip(Picture):
    """`phaseClicked(index)`; `set_current(None)` shows that none is looked at."""

    phaseClicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Phases of one optimizer step", parent)
        self.setObjectName("training.view.phases")
        self._phases: Sequence[str] = PHASES
        self._current: float | None = None
        self._key = 0
        self._hover, self._hint = -1, ""
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_phases(self, phases: Sequence[str]) -> None:
        """Which phases a step of this run has."""
        if phases != self._phases:
            self._phases = phases
            self._key, self._hover = 0, -1
            self.update()

    def set_hint(self, hint: str) -> None:
        """What a click on a phase does, for its tooltip."""
        self._hint = hint

    def set_current(self, position: float | None) -> None:
        """The phase under the cursor; a fraction lies between two."""
        if position != self._current:
            self._current = position
            name = TITLES[self._phases[round(position)]] if position is not None else "none chosen"
            self.setAccessibleDescription(name)
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        return {"current": np.array(np.nan if self._current is None else self._current)}

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(480), now.px(30))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(240), theme.current().px(30))

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        painter.setOpacity(1.0 if self.isEnabled() else theme.DISABLED_OPACITY)
        font = now.font("label", 600)
        title = "One step:"
        place = QRectF(0, 0, self._left(), self.height())
        put_text(painter, place, title, now.font("label"), now.color("muted"), LEFT)
        for index, name in enumerate(self._phases):
            rect = self._rect(index)
            near = 0.0 if self._current is None else max(0.0, 1 - abs(self._current - index))
            painter.setPen(now.pen("accent" if near > 0.5 else "divider", 1.5 if near > 0.5 else 1))
            fill = theme.mix(now.color("surface"), now.color("selected"), near)
            painter.setBrush(now.color("raised") if index == self._hover and not near else fill)
            painter.drawRoundedRect(rect, 6, 6)
            ink = now.color("text" if near > 0.5 or index == self._hover else "muted")
            put_text(painter, rect, name, font, ink)
            if index:
                y, x = rect.center().y(), rect.left()
                painter.setPen(now.pen("outline", 1))
                painter.drawLine(round(x - self._gap() + 2), round(y), round(x - 2), round(y))
        if self.hasFocus():
            now.focus_ring(painter, self._rect(self._key), offset=-1)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._set_hover(self._at(event.position().x()))

    def leaveEvent(self, event: object) -> None:
        self._set_hover(-1)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self._at(event.position().x())
        if index >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.phaseClicked.emit(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
        if move is not None and not event.modifiers():
            self._key = min(max(self._key + move, 0), len(self._phases) - 1)
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.phaseClicked.emit(self._key)
        else:
            super().keyPressEvent(event)

    def _set_hover(self, index: int) -> None:
        if index != self._hover:
            self._hover = index
            none = "" if self.isEnabled() else "No step is recorded yet"
            told = (TITLES[self._phases[index]], self._hint) if index >= 0 else ()
            self.setToolTip(none or "\n".join(filter(None, told)))
            self.update()

    def _left(self) -> float:
        return float(theme.current().px(60))

    def _gap(self) -> float:
        return float(theme.current().px(12))

    def _rect(self, index: int) -> QRectF:
        now, count = theme.current(), len(self._phases)
        room = self.width() - self._left() - self._gap() * (count - 1) - 4
        metrics = now.metrics("label", 600)
        natural = [metrics.horizontalAdvance(name) + now.px(20) for name in self._phases]
        factor = min(1.0, room / sum(natural))
        widths = [width * factor for width in natural]
        x = self._left() + sum(widths[:index]) + self._gap() * index
        height = now.px(24)
        return QRectF(x, (self.height() - height) / 2, widths[index], height)

    def _at(self, x: float) -> int:
        for index in range(len(self._phases)):
            rect = self._rect(index)
            if rect.left() <= x <= rect.right():
                return index
        return -1
