"""A color and a dash pattern for each optimizer, and the colors of the contour map."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from explorer import theme
from explorer.panes.backprop.optimizers.contour import Inks

# Indices into the theme's series. Where two optimizers share a color, the later one is dashed.
# Only five of the six colors are used, because two of them are blues in the light theme. RMSProp
# starts like AdaGrad, so its color is another one.
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


def is_dashed(name: str) -> bool:
    """Whether the optimizer's trail is dashed."""
    return name in DASHED


def color_of(name: str) -> QColor:
    """The optimizer's color in the theme in force."""
    return theme.current().series(SERIES[name])


def trail_pen(name: str, width: float = 2.0) -> QPen:
    """The pen of the optimizer's trail."""
    pen = theme.current().pen(color_of(name), width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    if is_dashed(name):
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        pen.setDashPattern([3.0, 1.6])
    return pen


def inks() -> Inks:
    """The colors of the map: so pale that every trail stands out."""
    now = theme.current()
    low = now.color("surface")
    high = low if now.contrast else theme.mix(low, now.color("outline"), 0.22)

    def rgb(color: QColor) -> tuple[int, int, int]:
        return color.red(), color.green(), color.blue()

    return Inks(rgb(low), rgb(high), rgb(now.color("outline")), rgb(now.color("divider")))
