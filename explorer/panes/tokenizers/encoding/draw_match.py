"""Draws a longest match: the word, and below it all strings looked up so far."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.tokenizers.draw_piece import draw_piece
from explorer.panes.tokenizers.encoding.scene import Lookup, MatchFrame, MatchScene
from explorer.widgets.base import LEFT, put_text

CELL, ROW, BOX, WORDS = 28, 26, 20, 200  # px


def size(scene: MatchScene, zoom: float) -> QSize:
    now = theme.current()
    width = now.px(CELL) * zoom * len(scene.word) + now.px(WORDS)
    return QSize(round(width), now.px(ROW) * (len(scene.lookups) + 2))


def displayed(scene: MatchScene, frame: MatchFrame) -> dict[str, np.ndarray]:
    lookups = scene.lookups[: frame.lookups]
    return {
        "lookups": np.array([(look.start, look.end) for look in lookups]).reshape(-1, 2),
        "taken": np.array(frame.taken),
    }


def focus(scene: MatchScene, frame: MatchFrame, zoom: float) -> QRectF:
    """Returns the area of the newest lookup."""
    row = theme.current().px(ROW)
    cell = theme.current().px(CELL) * zoom
    look = scene.lookups[frame.lookups - 1] if frame.lookups else Lookup("", 0, 0, False)
    return QRectF(look.start * cell, row * frame.lookups, (look.end - look.start) * cell, row)


def draw(
    painter: QPainter, scene: MatchScene, frame: MatchFrame, share: float, zoom: float
) -> None:
    now = theme.current()
    cell = now.px(CELL) * zoom
    taken = frame.taken if not frame.unknown else ()
    for place, character in enumerate(scene.word):
        looks = (scene.lookups[at] for at in frame.taken)
        owner = next((look for look in looks if look.start <= place < look.end), None)
        box = QRectF(now.px(8) + place * cell + 1, 2, cell - 2, now.px(BOX))
        data = data_of(scene, owner) if owner is not None else b""
        fill = "ink" if owner is not None and taken else "surface"
        draw_piece(painter, box, character, data, fill=fill, pen="outline", width=1)
    for row, look in enumerate(scene.lookups[: frame.lookups], 1):
        painter.setOpacity(share if row == frame.lookups and row - 1 not in frame.taken else 1.0)
        top = row * now.px(ROW) + now.px(4)
        left = now.px(8) + look.start * cell
        box = QRectF(left + 1, top, (look.end - look.start) * cell - 2, now.px(BOX))
        took = row - 1 in taken
        draw_piece(
            painter,
            box,
            look.piece,
            data_of(scene, look),
            fill="ink" if look.there else "hatch",
            pen="accent" if took else "" if look.there else "outline",
            width=2 if took else 1,
        )
        said = "\u2713 taken" if took else "\u2713 found" if look.there else "\u2013 not a piece"
        words = QRectF(now.px(16) + len(scene.word) * cell, top, now.px(WORDS), now.px(BOX))
        color = now.color("success" if look.there else "muted")
        put_text(painter, words, said, now.font("label"), color, LEFT)
    painter.setOpacity(1.0)
    if frame.unknown:
        top = (frame.lookups + 1) * now.px(ROW) + now.px(4)
        words = QRectF(now.px(8), top, now.px(400), now.px(BOX))
        text = f"The whole word becomes {frame.unknown}"
        put_text(painter, words, text, now.font("body", 600), now.color("error"), LEFT)


def data_of(scene: MatchScene, look: Lookup) -> bytes:
    """Returns the bytes of a piece without its ## prefix, which determine its color."""
    return scene.word[look.start : look.end].encode()
