"""How the optimizers are told apart: a color each, and a pattern where colors come again."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from core.optimization.optimizers import OPTIMIZERS
from explorer import theme
from explorer.panes.backprop.optimizers.relief import Inks

PLACES = {name: place for place, name in enumerate(OPTIMIZERS)}
COLORS = 6  # of a theme's series


def is_dashed(name: str) -> bool:
    return PLACES[name] >= COLORS


def color_of(name: str) -> QColor:
    return theme.current().series(PLACES[name])


def trail_pen(name: str, width: float = 2.0) -> QPen:
    pen = theme.current().pen(color_of(name), width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    if is_dashed(name):
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([3.0, 1.6])
    return pen


def inks() -> Inks:
    """The map's tints: pale, so that every series stands out from them."""
    now = theme.current()
    low = now.color("surface")
    high = low if now.contrast else theme.mix(low, now.color("outline"), 0.22)

    def rgb(color: QColor) -> tuple[int, int, int]:
        return color.red(), color.green(), color.blue()

    return Inks(rgb(low), rgb(high), rgb(now.color("outline")), rgb(now.color("divider")))
