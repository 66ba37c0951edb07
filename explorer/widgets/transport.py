"""The transport: play and step buttons, a scrubber with named steps, speed, the step in words."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from explorer import theme
from explorer.widgets.base import IconButton, Label, Picture, elide, put_text
from explorer.widgets.surface import Surface
from explorer.widgets.transport_parts import LiveBadge, PlayButton, SpeedButton


class Scrubber(Picture):
    """A line with one tick per step; the knob stands at a float position. Dragging seeks."""

    seekRequested = Signal(float)
    stepRequested = Signal(int)  # -1 or 1

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Steps", parent)
        self._titles: list[str] = []
        self._length = 0
        self._position = 0.0
        self._live = False
        self._drag = False
        self._hover = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_steps(self, length: int, titles: list[str] | None = None) -> None:
        """How many steps there are, with their names where there are few."""
        titles = titles or []
        if (length, titles) != (self._length, self._titles):
            self._length, self._titles = length, titles
            self.data_changed()

    def set_position(self, position: float) -> None:
        if position != self._position:
            self._position = position
            step = math.ceil(position - 1e-9)
            title = self._titles[step] if step < len(self._titles) else ""
            self.setAccessibleDescription(f"step {step + 1} of {self._length} {title}".strip())
            self.update()

    def set_live(self, live: bool) -> None:
        if live != self._live:
            self._live = live
            self.update()

    def displayed(self) -> dict[str, np.ndarray]:
        return {"position": np.array(self._position), "length": np.array(self._length)}

    def sizeHint(self) -> QSize:
        now = theme.current()
        return QSize(now.px(320), now.px(28))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.current().px(120), theme.current().px(28))

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        y = self.height() / 2
        left, right = self._line()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(now.color("divider"))
        painter.drawRoundedRect(QRectF(left, y - 2, right - left, 4), 2, 2)
        if not self._length:
            return
        accent = now.color("success" if self._live else "accent")
        knob = self._x(self._position)
        painter.setBrush(accent)
        painter.drawRoundedRect(QRectF(left, y - 2, max(0.0, knob - left), 4), 2, 2)
        pitch = (right - left) / max(1, self._length - 1)
        if pitch >= 14:
            for step in range(self._length):
                passed = step <= self._position
                painter.setBrush(accent if passed else now.color("surface"))
                painter.setPen(now.pen(accent if passed else "outline", 1.5))
                size = 4.5 if step == self._hover else 3.5
                painter.drawEllipse(QPointF(self._x(step), y), size, size)
        painter.setPen(now.pen("surface", 2))
        painter.setBrush(accent)
        painter.drawEllipse(QPointF(knob, y), 7, 7)
        if self.shows_focus:
            now.focus_ring(painter, QRectF(knob - 6, y - 6, 12, 12), radius=9)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self._length:
            self._drag = True
            near = self._nearest(event.position().x())
            self.seekRequested.emit(float(near))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag:
            position = self._at(event.position().x())
            close = abs(position - round(position)) < 0.08
            self.seekRequested.emit(float(round(position)) if close else position)
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
        else:
            super().keyPressEvent(event)

    def event(self, event) -> bool:
        if isinstance(event, QHelpEvent):
            step = self._nearest(event.pos().x()) if self._length else -1
            text = self._titles[step] if 0 <= step < len(self._titles) else ""
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def _line(self) -> tuple[float, float]:
        return 10.0, max(20.0, self.width() - 10.0)

    def _x(self, position: float) -> float:
        left, right = self._line()
        return left + (right - left) * position / max(1, self._length - 1)

    def _at(self, x: float) -> float:
        left, right = self._line()
        share = min(1.0, max(0.0, (x - left) / (right - left)))
        return share * max(0, self._length - 1)

    def _nearest(self, x: float) -> int:
        return round(self._at(x))


class TransportBar(QWidget):
    """Bound to one Player-like object at a time by `bind`; every button asks it, nothing more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transport")
        self.setAccessibleName("Transport")
        self._player: Any = None
        self._to_start = IconButton("to-start", "To the start", "Home")
        self._back = IconButton("step-back", "One step back", "Left")
        self.play_button = PlayButton()
        self._forward = IconButton("step-forward", "One step forward", "Right")
        self._to_end = IconButton("to-end", "To the end", "End")
        self.scrubber = Scrubber()
        self._count = Label("", "label", "muted")
        self._title = _OneLine()
        self._speed = SpeedButton()
        self._live = LiveBadge()
        self._build()
        self._connect()
        theme.changed.connect(self._restyle)
        self._restyle()
        self._refresh()

    def _build(self) -> None:
        self._surface = Surface("surface", edges="top")
        words = QHBoxLayout()
        words.setSpacing(8)
        words.addWidget(self._count)
        words.addWidget(self._title, 1)
        middle = QVBoxLayout()
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(0)
        middle.addLayout(words)
        middle.addWidget(self.scrubber)
        self._row = QHBoxLayout(self._surface)
        for button in (self._to_start, self._back, self.play_button, self._forward, self._to_end):
            self._row.addWidget(button)
        self._row.addSpacing(12)
        self._row.addLayout(middle, 1)
        self._row.addSpacing(4)
        self._row.addWidget(self._live)
        self._row.addWidget(self._speed)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._surface)

    def _connect(self) -> None:
        self._to_start.clicked.connect(lambda: self._ask("start"))
        self._back.clicked.connect(lambda: self._ask("back"))
        self.play_button.clicked.connect(lambda: self._ask("toggle"))
        self._forward.clicked.connect(lambda: self._ask("forward"))
        self._to_end.clicked.connect(lambda: self._ask("end"))
        self._live.clicked.connect(lambda: self._ask("end"))
        self.scrubber.seekRequested.connect(lambda position: self._ask("seek", position))
        self.scrubber.stepRequested.connect(
            lambda step: self._ask("forward" if step > 0 else "back")
        )
        self._speed.speedChosen.connect(lambda speed: self._ask("set_speed", speed))

    def bind(self, player: Any) -> None:
        """Shows and steers another player; None greys the bar out."""
        if player is self._player:
            return
        old, self._player = self._player, player
        names = ("positionChanged", "stepChanged", "playingChanged", "trackChanged", "liveChanged")
        for name in (*names, "speedChanged"):
            for source, connect in ((old, False), (player, True)):
                signal = getattr(source, name, None)
                if signal is not None:
                    slot = self._on_position if name == "positionChanged" else self._refresh
                    if connect:
                        signal.connect(slot)
                    else:
                        signal.disconnect(slot)
        self._refresh()

    @property
    def player(self) -> Any:
        return self._player

    def _ask(self, method: str, *arguments: Any) -> None:
        if self._player is not None:
            getattr(self._player, method)(*arguments)

    def _on_position(self, position: float) -> None:
        self.scrubber.set_position(position)

    def _refresh(self, *_: Any) -> None:
        player = self._player
        length = player.length if player is not None else 0
        track = player.track if player is not None else None
        is_live = bool(track is not None and track.is_live)
        at_edge = bool(player is not None and player.at_live_edge)
        playing = bool(player is not None and player.playing)
        step = player.step if player is not None else -1
        titles = [track.title(i) for i in range(track.length)] if track and length <= 64 else []
        self.scrubber.set_steps(length, titles)
        self.scrubber.set_position(player.position if player is not None else 0.0)
        self.scrubber.set_live(at_edge)
        self.scrubber.setEnabled(length > 0)
        self._live.setVisible(is_live)
        self._live.set_live(at_edge)
        self.play_button.set_playing(playing, at_edge)
        for button in (self._to_start, self._back, self._forward, self._to_end, self.play_button):
            button.setEnabled(length > 0 or is_live)
        self._forward.set_icon(
            "step-forward", "One training step" if at_edge else "One step forward", "Right"
        )
        self._to_end.set_icon("to-end", "Go live" if is_live else "To the end", "End")
        more = "" if player is None or player.complete else "+"
        known = 0 <= step < length
        unit = getattr(track, "unit", "step")
        count = f"{unit} {step + 1} of {length}{more}" if known else "no steps yet"
        self._count.setText(count)
        self._title.set_text(track.title(step) if known and track is not None else "")
        if player is not None:
            self._speed.set_speed(player.speed)

    def _restyle(self) -> None:
        now = theme.current()
        self.setFixedHeight(now.px("transport"))
        self._row.setContentsMargins(now.px(16), now.px(8), now.px(16), now.px(8))
        self._row.setSpacing(now.px(4))


class _OneLine(Picture):
    """A title that is elided, never wrapped."""

    def __init__(self) -> None:
        super().__init__("Step title")
        self._text = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_text(self, text: str) -> None:
        if text != self._text:
            self._text = text
            self.setToolTip(text)
            self.setAccessibleDescription(text)
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, theme.current().px(22))

    def draw(self, painter: QPainter) -> None:
        now = theme.current()
        font = now.font("body", 600)
        align = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        text = elide(self._text, font, self.width(), Qt.TextElideMode.ElideRight)
        put_text(painter, QRectF(self.rect()), text, font, now.color("text"), align)
