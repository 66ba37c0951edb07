"""Draws the longest match walk: the word, and below it every string that was looked up."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter

from explorer import theme
from explorer.panes.tokenizers.draw_piece import draw_piece
from explorer.panes.tokenizers.encoding.scenes import Lookup, MatchFrame, MatchScene
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
    """The newest look."""
    row = theme.current().px(ROW)
    cell = theme.current().px(CELL) * zoom
    look = scene.lookups[frame.lookups - 1] if frame.lookups else Lookup("", 0, 0, False)
    return QRectF(look.start * cell, row * frame.lookups, (look.end - look.start) * cell, row)


def draw(
    painter: QPainter, scene: MatchScene, frame: MatchFrame, share: float, zoom: float
) -> None:
    now = theme.current()
    cell = now.px(CELL) * zoom
    given_up = bool(frame.unknown)
    for place, character in enumerate(scene.word):
        owner = next((scene.lookups[at] for at in frame.taken if _covers(scene, at, place)), None)
        box = QRectF(now.px(8) + place * cell + 1, 2, cell - 2, now.px(BOX))
        taken = owner is not None and not given_up
        draw_piece(
            painter,
            box,
            character,
            data_of(scene, owner) if owner is not None else b"",
            fill="ink" if taken else "surface",
            pen="outline",
            width=1,
        )
    for row, look in enumerate(scene.lookups[: frame.lookups], 1):
        painter.setOpacity(share if row == frame.lookups and row - 1 not in frame.taken else 1.0)
        top = row * now.px(ROW) + now.px(4)
        left = now.px(8) + look.start * cell
        box = QRectF(left + 1, top, (look.end - look.start) * cell - 2, now.px(BOX))
        took = row - 1 in frame.taken and not given_up
        draw_piece(
            painter,
            box,
            look.piece,
            data_of(scene, look),
            fill="ink" if look.there else "hatch",
            pen="accent" if took else "" if look.there else "outline",
            width=2 if took else 1,
        )
        said = "taken" if took else "is there" if look.there else "no such piece"
        words = QRectF(now.px(16) + len(scene.word) * cell, top, now.px(WORDS), now.px(BOX))
        icon = "check" if look.there else "x"
        role = "success" if look.there else "muted"
        put_text(painter, words, f"{MARKS[icon]} {said}", now.font("label"), now.color(role), LEFT)
    painter.setOpacity(1.0)
    if given_up:
        top = (frame.lookups + 1) * now.px(ROW) + now.px(4)
        words = QRectF(now.px(8), top, now.px(400), now.px(BOX))
        text = f"The whole word becomes {frame.unknown}"
        put_text(painter, words, text, now.font("body", 600), now.color("error"), LEFT)


def data_of(scene: MatchScene, look: Lookup) -> bytes:
    """What a piece spells, its sign for a word's inside left out: it gives the color."""
    return scene.word[look.start : look.end].encode()


MARKS = {"check": "\u2713", "x": "\u2013"}


def _covers(scene: MatchScene, at: int, place: int) -> bool:
    return scene.lookups[at].start <= place < scene.lookups[at].end
