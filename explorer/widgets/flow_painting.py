"""Draws tokens in rows, with few changes of pen and brush, and text last."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QPixmap

from explorer import theme
from explorer.widgets.base import elide, ratio_of
from explorer.widgets.flow_layout import Letters
from explorer.widgets.token_colors import inks
from explorer.widgets.token_faces import PADDING, TokenFace, TokenFaces
from explorer.widgets.tokens import Tokens

RADIUS = 3
PLAIN = -1  # instead of a color slot: a token without a color
NAMED = -2  # a special token
LOST = -3  # an unknown token
GROUND = 0.6  # opacity of a byte's background, which tells 00 from the text "00"

# A token's index, its rectangle, its face, and its letters if each has its own position.
Place = tuple[int, QRectF, TokenFace, Letters]


def paint_tokens(
    painter: QPainter,
    tokens: Tokens,
    faces: TokenFaces,
    places: Sequence[Place],
    differing: np.ndarray | None = None,
) -> None:
    """Draws all tokens at `places`; with `differing` only these have colors."""
    _fills(painter, places, differing)
    _words(painter, places, faces, tokens)


def _fills(painter: QPainter, places: Sequence[Place], differing: np.ndarray | None) -> None:
    now, ratio = theme.current(), ratio_of(painter)
    looks = {"special": NAMED, "unknown": LOST}
    for index, rect, face, _ in places:
        look = looks.get(face.kind, face.slot)
        if differing is not None and not differing[index]:
            look = PLAIN
        chip = _chip(now.name, look, round(rect.width()), round(rect.height()), ratio)
        painter.drawPixmap(round(rect.x()), round(rect.y()), chip)


@lru_cache(maxsize=4096)
def _chip(palette: str, look: int, width: int, height: int, ratio: float) -> QPixmap:
    """Returns a token's background. A pixmap is drawn ten times as fast as a rounded rectangle."""
    now = theme.current()
    pixmap = theme.device_pixmap(width, height, ratio)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if look == PLAIN:
        painter.setPen(now.pen("divider"))
        painter.setBrush(now.color("raised"))
    elif look == NAMED:
        painter.setPen(QPen(now.color("outline"), 1, Qt.PenStyle.DashLine))
        painter.setBrush(now.color("surface"))
    elif look == LOST:
        painter.setPen(now.pen("warning", 1.5))
        painter.setBrush(now.hatch())
    else:
        ink = inks()[look]
        painter.setPen(now.pen(ink.edge, 2 if now.contrast else 1))
        painter.setBrush(ink.fill)
    rect = QRectF(0.5, 0.5, width - 1, height - 1)
    if now.contrast:
        rect = QRectF(1.5, 1.5, width - 3, height - 3)
    painter.drawRoundedRect(rect, RADIUS, RADIUS)
    painter.end()
    return pixmap


def _words(
    painter: QPainter,
    places: Sequence[Place],
    faces: TokenFaces,
    tokens: Tokens,
) -> None:
    now = theme.current()
    font, metrics = now.font("mono", mono=True), now.metrics("mono", mono=True)
    line = now.px(22)
    base = (line + metrics.capHeight()) / 2
    padding = now.px(PADDING)
    painter.setFont(font)
    painter.setPen(now.color("text"))
    for _, rect, face, letters in places:
        for middle, text in letters:
            left = rect.x() + middle - metrics.horizontalAdvance(text) / 2
            painter.drawText(QPointF(left, rect.y() + base), text)
        if face.kind != "bytes" and not letters:
            text = face.text
            spare = rect.width() - face.width
            if spare < -1:
                text, spare = elide(text, font, rect.width() - 2 * padding), 0.0
            painter.drawText(QPointF(rect.x() + padding + spare / 2, rect.y() + base), text)
    cells = [(rect, face) for _, rect, face, _ in places if face.kind == "bytes"]
    if cells:
        _bytes(painter, cells, faces.byte_width, line)
    if faces.options.ids:
        label, small = now.font("label"), now.metrics("label")
        painter.setFont(label)
        painter.setPen(now.color("text"))
        for index, rect, _, _ in places:
            identity = str(tokens.ids[index])
            at = QPointF(
                rect.center().x() - small.horizontalAdvance(identity) / 2, rect.bottom() - now.px(4)
            )
            painter.drawText(at, identity)


def _bytes(
    painter: QPainter, cells: Sequence[tuple[QRectF, TokenFace]], width: float, line: float
) -> None:
    """Draws two digits for each byte, with a thin rule between bytes."""
    now = theme.current()
    colors = inks()
    small = now.metrics("label", mono=True)
    painter.setFont(now.font("label", mono=True))
    base = (line + small.capHeight()) / 2
    lead = now.px(PADDING) / 2 + now.px(4) / 2
    grounds: list[QRect] = []
    rules: dict[int, list[QLineF]] = {}  # by color slot
    digits: list[tuple[QPointF, str]] = []
    for rect, face in cells:
        count = min(len(face.text) // 2, int((rect.width() - 1) // width) or 1)
        left, top = rect.x() + now.px(PADDING) / 2, rect.y()
        for place in range(count):
            at, end = left + place * width, left + (place + 1) * width
            x = round(at) + 2
            grounds.append(QRect(x, round(top) + 4, round(end) - 1 - x, round(line) - 8))
            written = QPointF(rect.x() + place * width + lead, top + base)
            digits.append((written, face.text[2 * place : 2 * place + 2]))
            if place:
                edge = round(at) + 0.5
                rule = QLineF(edge, top + 1, edge, top + line - 1)
                rules.setdefault(face.slot, []).append(rule)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(now.color("surface", GROUND))
    painter.drawRects(grounds)
    for slot, lines in rules.items():
        painter.setPen(now.pen(colors[slot].edge))
        painter.drawLines(lines)
    painter.setPen(now.color("text"))
    for written, text in digits:
        painter.drawText(written, text)


def paint_marks(
    painter: QPainter, frames: Sequence[QRectF], chosen: Sequence[QRectF], focused: bool
) -> None:
    """Frames the hovered and the chosen tokens."""
    now = theme.current()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(now.pen("text", 2))
    for rect in frames:
        painter.drawRoundedRect(rect.adjusted(-0.5, -0.5, 0.5, 0.5), RADIUS, RADIUS)
    painter.setPen(now.pen("accent", 2))
    for rect in chosen:
        painter.drawRoundedRect(rect.adjusted(-0.5, -0.5, 0.5, 0.5), RADIUS, RADIUS)
        if focused:
            now.focus_ring(painter, rect, radius=RADIUS + 2, offset=1)
