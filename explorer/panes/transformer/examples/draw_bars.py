"""Bars of the right answer's probability, each in a track below its words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.transformer.examples import text
from explorer.widgets.base import LEFT, Columns, elide, put_text
from explorer.widgets.choice_picture import ChoicePicture

PITCH = 48  # px: a row at most


class ShotBars(ChoicePicture[Sequence[Any]]):
    """A row for each Shot; that at the cursor is looked at."""

    WANTED, LEAST = (520, 190), (240, 150)

    def displayed(self) -> dict[str, np.ndarray]:
        shots = self.scene or ()
        return Columns(
            {
                "examples": np.array([one.count for one in shots]),
                "probability": np.array([one.probability for one in shots]),
                "answer": np.array([one.said for one in shots]),
            }
        )

    def rects(self, scene: Sequence[Any]) -> list[QRectF]:
        high = min(self.height() / max(len(scene), 1), theme.current().px(PITCH))
        return [QRectF(0, at * high, self.width(), high) for at in range(len(scene))]

    def told(self, thing: int) -> str:
        return text.tip((self.scene or ())[thing])

    def draw_scene(self, painter: QPainter, scene: Sequence[Any]) -> None:
        now = theme.current()
        for at, (shot, place) in enumerate(zip(scene, self.rects(scene), strict=True)):
            chosen = at == int(self.position)
            if chosen or at == self.hovered:
                painter.fillRect(place, now.color("selected"))
            line = place.adjusted(now.px(8), now.px(2), -now.px(8), -now.px(4))
            words = line.adjusted(0, 0, 0, -line.height() / 3)
            track = QRectF(line.left(), words.bottom(), line.width(), line.height() / 3)
            painter.fillRect(track, now.color("raised"))
            track.setWidth(max(track.width() * shot.probability, 1.0))
            painter.fillRect(track, now.color("accent") if chosen else now.series(0))
            font = now.font("body", 600 if chosen else 400)
            told = elide(text.row(shot), font, words.width())
            put_text(painter, words, told, font, now.color("text"), LEFT)
