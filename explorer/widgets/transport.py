"""The player's controls: play and step buttons, the scrubber, speed, the step's title."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from explorer import theme
from explorer.widgets.announcer import Announcer
from explorer.widgets.base import IconButton
from explorer.widgets.live_text import LiveText
from explorer.widgets.scrubber import Scrubber
from explorer.widgets.surface import Surface
from explorer.widgets.transport_parts import LiveBadge, PlayButton, SpeedButton

NARROW = 680  # px


class TransportBar(QWidget):
    """Controls one Player-like object at a time, set by `bind`; buttons only call its methods.

    During playback, step titles go to screen readers at most once a second of `clock`.
    """

    def __init__(
        self, parent: QWidget | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(parent)
        self.setObjectName("transport")
        self.setAccessibleName("Transport")
        self._player: Any = None
        self._lines = 1  # of the longest title so far
        self._fits = QTimer(self)
        self._fits.setSingleShot(True)
        self._fits.timeout.connect(self._fit_title)
        self.to_start = IconButton("to-start", "To the start", "Home")
        self.back = IconButton("step-back", "One step back", "Left")
        self.play_button = PlayButton()
        self.forward = IconButton("step-forward", "One step forward", "Right")
        self.to_end = IconButton("to-end", "To the end", "End")
        self.scrubber = Scrubber()
        self.count = LiveText("Steps", "label", "muted")
        self.title = LiveText("Step title", weight=600, elastic=True)
        self.speed = SpeedButton()
        self.live = LiveBadge()
        self.announcer = Announcer(self, clock)
        self._build()
        self._connect()
        theme.changed.connect(self._restyle)
        self._restyle()
        self._refresh()

    def _build(self) -> None:
        self._surface = Surface("surface", edges="top")
        words = QHBoxLayout()
        words.setSpacing(8)
        words.addWidget(self.count)
        words.addWidget(self.title, 1)
        self._middle = middle = QVBoxLayout()
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(0)
        middle.addLayout(words)
        middle.addWidget(self.scrubber)
        self._words = words
        self._column = QVBoxLayout(self._surface)
        self._column.setSpacing(0)
        self._row = QHBoxLayout()
        self._column.addLayout(self._row, 1)
        for button in (self.to_start, self.back, self.play_button, self.forward, self.to_end):
            self._row.addWidget(button)
        self._row.addSpacing(12)
        self._row.addLayout(middle, 1)
        self._row.addSpacing(4)
        self._row.addWidget(self.live)
        self._row.addWidget(self.speed)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._surface)

    def _connect(self) -> None:
        self.title.installEventFilter(self)
        self.to_start.clicked.connect(lambda: self._ask("start"))
        self.back.clicked.connect(lambda: self._ask("back"))
        self.play_button.clicked.connect(lambda: self._ask("toggle"))
        self.forward.clicked.connect(lambda: self._ask("forward"))
        self.to_end.clicked.connect(lambda: self._ask("end"))
        self.live.clicked.connect(lambda: self._ask("end"))
        self.scrubber.seekRequested.connect(lambda position: self._ask("seek", position))
        self.scrubber.stepRequested.connect(
            lambda step: self._ask("forward" if step > 0 else "back")
        )
        self.speed.speedChosen.connect(lambda speed: self._ask("set_speed", speed))

    def bind(self, player: Any) -> None:
        """Shows and controls another player; None disables the bar."""
        if player is self._player:
            return
        old, self._player = self._player, player
        self._lines = 1
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
        self.scrubber.set_marks(track.marks if track is not None else {})
        self.scrubber.set_position(player.position if player is not None else 0.0)
        ended = getattr(track, "ended", "")
        self.scrubber.set_live(at_edge and not ended)
        self.scrubber.setEnabled(length > 0)
        self.live.setVisible(is_live or bool(ended))
        self.live.set_live(at_edge, ended)
        self.play_button.set_playing(playing, at_edge)
        for button in (self.to_start, self.back, self.forward, self.to_end, self.play_button):
            button.setEnabled(length > 0 or is_live)
        self.forward.set_icon(
            "step-forward", "One training step" if at_edge else "One step forward", "Right"
        )
        self.to_end.set_icon(
            "to-end", "To the latest step" if is_live and not ended else "To the end", "End"
        )
        more = "" if player is None or player.complete else "+"
        known = 0 <= step < length
        unit = getattr(track, "unit", "step")
        count = f"{unit} {step + 1} of {length}{more}" if known else "no steps yet"
        caption = getattr(track, "caption", "") if known else ""
        self.count.set_text(f"{length}{more} {unit}s" if caption else count)
        title = caption or track.title(step) if known and track is not None else ""
        self.title.set_text(title)
        self._fit_title()
        if player is None or not player.unseen:
            self.announcer.set_title(title, playing)
        if player is not None:
            self.speed.set_speed(player.speed)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fits.start()  # deferred: a new height during a layout would restart it
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lines = 1
        self._restyle()

    def _restyle(self) -> None:
        """Moves the title above the buttons if the bar is narrow."""
        now = theme.current()
        above, beside = now.px(8), now.px(16)
        self._column.setContentsMargins(beside, above, beside, above)
        self._row.setSpacing(now.px(4))
        narrow = self.width() < now.px(NARROW)
        before, after = (self._middle, self._column) if narrow else (self._column, self._middle)
        if before.indexOf(self._words) >= 0:
            before.removeItem(self._words)
            self._words.setParent(None)
            after.insertLayout(0, self._words)
        self._fit_title()

    def _fit_title(self) -> None:
        """Makes the title as high as the longest so far: nothing moves from step to step."""
        now = theme.current()
        self._lines = max(self._lines, len(self.title.lines()))
        words = self._lines * self.title.line_height
        self.title.setFixedHeight(words)
        narrow = self._column.indexOf(self._words) >= 0
        below = self.play_button.sizeHint() if narrow else self.scrubber.minimumSizeHint()
        needed = words + below.height() + 2 * self._column.contentsMargins().top()
        least = now.px("transport")
        self.setFixedHeight(max(least, needed))
