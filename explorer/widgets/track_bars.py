"""Bars of 0 to 1, each in a track below its words; one of them is looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter

from explorer import theme
from explorer.widgets.base import LEFT, Columns, elide, put_text
from explorer.widgets.scene_picture import ScenePicture

PITCH, NAME = 48, 92  # px: a row at most; its name


@dataclass(frozen=True)
class BarRow:
    """share  0 to 1; None: it is not known yet
    words  beside the name
    tip    of its tooltip
    """

    name: str
    share: float | None = None
    words: str = "\u2026"
    tip: str = ""


class TrackBars(ScenePicture[tuple[BarRow, ...]]):
    """`rowClicked(row)`: of one that is known. The row at the cursor is looked at."""

    WANTED, LEAST = (520, 190), (240, 150)
    rowClicked = Signal(int)

    def line(self, place: int) -> QRectF:
        """Where a row stands."""
        pitch = min(self.height() / max(len(self.scene or ()), 1), theme.current().px(PITCH))
        return QRectF(0, place * pitch, self.width(), pitch)

    def draw(self, painter: QPainter) -> None:
        for place, one in enumerate(self.scene or ()):
            self._draw_row(painter, self.line(place), one, place == int(self.position))

    def _draw_row(self, painter: QPainter, line: QRectF, one: BarRow, chosen: bool) -> None:
        now = theme.current()
        if chosen:
            painter.fillRect(line, now.color("selected"))
        line = line.adjusted(now.px(8), now.px(2), -now.px(8), -now.px(4))
        words = line.adjusted(0, 0, 0, -line.height() / 3)
        track = QRectF(line.left(), words.bottom(), line.width(), line.height() / 3)
        painter.fillRect(track, now.color("raised"))
        font = now.font("body", 600 if chosen else 400)
        put_text(painter, words, one.name, font, now.color("text"), LEFT)
        told = words.adjusted(now.px(NAME), 0, 0, 0)
        shown = elide(one.words, font, told.width())
        put_text(painter, told, shown, font, now.color("muted"), LEFT)
        if one.share is not None:
            track.setWidth(max(track.width() * one.share, 1.0))
            painter.fillRect(track, now.color("accent") if chosen else now.series(0))

    def displayed(self) -> dict[str, np.ndarray]:
        rows = [one for one in self.scene or () if one.share is not None]
        return Columns(
            {
                "name": np.array([one.name for one in rows]),
                "share": np.array([one.share for one in rows]),
                "words": np.array([one.words for one in rows]),
            }
        )

    def row_at(self, point: QPointF) -> int:
        """The row at a point, where it is known; -1: none."""
        known = (at for at, one in enumerate(self.scene or ()) if one.share is not None)
        return next((at for at in known if self.line(at).contains(point)), -1)

    def said_at(self, point: QPointF) -> str:
        place = self.row_at(point)
        return self.scene[place].tip if self.scene and place >= 0 else ""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.row_at(event.position())
        if place >= 0 and event.button() == Qt.MouseButton.LeftButton:
            self.rowClicked.emit(place)
