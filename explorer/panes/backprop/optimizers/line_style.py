"""A color and a dash pattern for each optimizer, and the colors of the contour map."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from explorer import theme
from explorer.panes.backprop.optimizers.contour import Inks

# Indices into the theme's series. If two optimizers share a color, the later one is dashed. Only
# five of the six colors are used, because two of them are blue in the light theme. RMSProp starts
# like AdaGrad, so they have different colors. An optimizer without an entry is dotted, in a color
# that its name chooses.
SERIES = {
    "sgd": 0,
    "momentum": 1,
    "nesterov": 5,
    "adagrad": 3,
    "rmsprop": 5,
    "adam": 2,
    "adamw": 2,
    "lion": 3,
    "muon": 0,
}
DASHED = ("rmsprop", "adamw", "lion", "muon")
DASHES, DOTS = [3.0, 1.6], [1.0, 1.2]


def is_dashed(name: str) -> bool:
    """Returns whether the optimizer's trail is dashed or dotted."""
    return name in DASHED or name not in SERIES


def series_of(name: str) -> int:
    """Returns the index of the optimizer's color in the theme's series."""
    colors = sorted(set(SERIES.values()))
    return SERIES.get(name, colors[sum(name.encode()) % len(colors)])


def color_of(name: str) -> QColor:
    """Returns the optimizer's color in the current theme."""
    return theme.current().series(series_of(name))


def trail_pen(name: str, width: float = 2.0) -> QPen:
    """Returns the pen of the optimizer's trail."""
    pen = theme.current().pen(color_of(name), width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    if is_dashed(name):
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern(DASHES if name in SERIES else DOTS)
    return pen


def inks() -> Inks:
    """Returns the colors of the map, pale enough for all trails to stand out."""
    now = theme.current()
    low = now.color("surface")
    high = low if now.contrast else theme.mix(low, now.color("outline"), 0.22)

    def rgb(color: QColor) -> tuple[int, int, int]:
        return color.red(), color.green(), color.blue()

    return Inks(rgb(low), rgb(high), rgb(now.color("outline")), rgb(now.color("divider")))
