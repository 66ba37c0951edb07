"""Announces step titles to screen readers during playback, at most once a second."""

from __future__ import annotations

from collections.abc import Callable

from PySide6 import QtGui
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QWidget

PAUSE = 1.0  # seconds between two announcements


def announce(widget: QWidget, text: str) -> None:
    """Announces `text` after the screen reader's current sentence; does nothing before Qt 6.8."""
    event = getattr(QtGui, "QAccessibleAnnouncementEvent", None)
    if event is not None:
        QAccessible.updateAccessibility(event(widget, text))


class Announcer:
    """Announces titles during playback; the last one skipped is announced when playback stops."""

    def __init__(
        self,
        widget: QWidget,
        clock: Callable[[], float],
        say: Callable[[QWidget, str], None] = announce,
    ) -> None:
        self._widget, self._clock, self.say = widget, clock, say
        self._said = ""
        self._then: float | None = None
        self._playing = False

    def set_title(self, title: str, playing: bool) -> None:
        """Sets the current step's title. By hand nothing is announced: the focused control is."""
        stopped, self._playing = self._playing and not playing, playing
        if not title or title == self._said or not (playing or stopped):
            return
        now = self._clock()
        if stopped or self._then is None or now - self._then >= PAUSE:
            self._said, self._then = title, now
            self.say(self._widget, title)
