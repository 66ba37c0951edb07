"""How the optimizers are told apart: a color each, and a pattern where colors come again."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from explorer import theme
from explorer.panes.backprop.optimizers.relief import Inks

# The place of each in the theme's series. Of two with one color the later is dashed.
# Five of the six colors are used, for two are blues in a light theme. RMSProp, which begins as
# AdaGrad does, has another color than it, so that both are seen.
PLACES = {
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
    return name in DASHED


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
