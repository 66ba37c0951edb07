"""Pieces of every picture of Map: what can be clicked, the colors of components, labels."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from explorer import theme
from explorer.widgets.base import CENTER, put_text

FAINT = 0.35  # opacity of what has not happened yet
INKS = {"attention": "attention", "mlp": 1, "tokens": 0, "positions": 4, "head": 2}


class Target(NamedTuple):
    """A place that stands for a step, and what its tooltip says."""

    place: QRectF
    index: int
    words: str


def ink(name: str) -> QColor:
    """The color of a component, the same in all pictures."""
    now, role = theme.current(), INKS.get(name, "outline")
    return now.series(role) if isinstance(role, int) else now.color(role)


def label(
    painter: QPainter, place: QRectF, words: str, role: str = "muted",
    align: Qt.AlignmentFlag = CENTER,
) -> None:  # fmt: skip
    now = theme.current()
    put_text(painter, place, words, now.font("label"), now.color(role), align)


def frame(painter: QPainter, place: QRectF, edge: QColor | str, width: float = 1.5) -> None:
    """A rounded outline."""
    now = theme.current()
    painter.setPen(now.pen(edge, width))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(place, now.px(6), now.px(6))


def box(painter: QPainter, place: QRectF, edge: QColor | str, words: str = "") -> None:
    """A part of the model, with its name."""
    now, opacity = theme.current(), painter.opacity()
    painter.setOpacity(1.0)
    painter.setPen(now.pen("surface", 1.5))
    painter.setBrush(now.color("surface"))
    painter.drawRoundedRect(place, now.px(6), now.px(6))
    painter.setOpacity(opacity)
    frame(painter, place, edge)
    put_text(painter, place, words, now.font("label", 600), now.color("text"))


def frame_hovered(painter: QPainter, targets: Iterable[Target], hovered: int) -> None:
    for target in targets:
        if target.index == hovered:
            frame(painter, target.place.adjusted(-3, -3, 3, 3), "text")
