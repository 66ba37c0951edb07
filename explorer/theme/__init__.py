"""All constants of the app's appearance: colors, type, space, motion. No other module has any.

`current()` is the theme in use; `changed` is emitted after its appearance has changed. `apply` sets
palette, font and style sheet on the application and follows the system's color scheme.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QPainter,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QApplication, QStyleFactory

from explorer import overrides  # noqa: F401  (before any widget is defined)
from explorer.theme import colors
from explorer.theme.colors import ATTENTION_GAMMA, PALETTES, Palette, color_table, contrast
from explorer.theme.fonts import MONO, SANS, TYPE, load_fonts
from explorer.theme.fonts import font as bundled_font
from explorer.theme.motion import MOTION, SPEEDS, ease_out, lerp, stagger
from explorer.theme.style import qt_palette, style_sheet
from explorer.theme.style_update import StyleUpdate

__all__ = [
    "MOTION",
    "NAMES",
    "SPEEDS",
    "TYPE",
    "Theme",
    "apply",
    "changed",
    "contrast",
    "current",
    "ease_out",
    "ink_on",
    "lerp",
    "load_fonts",
    "mix",
    "qt_palette",
    "set_motion",
    "set_zoom",
    "stagger",
]

NAMES = ("system", "light", "dark", "contrast")
MOTIONS = ("full", "reduced", "off")

SPACE = {"unit": 4, "inside": 8, "between": 8, "group": 16, "margin": 16, "section": 24}
SIZE = {
    "control": 28,
    "primary": 32,
    "hit": 24,
    "icon": 16,
    "icon_large": 20,
    "rail": 56,
    "header": 44,
    "inputs": 44,
    "transport": 72,
    "status": 26,
    "inspector": 400,
    "inspector_min": 320,
    "inspector_max": 560,
    "inspector_strip": 36,
    "center_min": 600,
    "mosaic_min": 240,
    "mosaic_max": 320,
    "cell_numbers": 34,
    "cell_straight_labels": 48,
}
DISABLED_OPACITY = 0.45
STALE_OPACITY = 0.45
RAW_OPACITY = 0.35
GRID_OPACITY = 0.10


@dataclass(frozen=True)
class Theme:
    """A palette with its zoom (0.8..2.0) and motion ("full", "reduced", "off")."""

    palette: Palette
    zoom: float = 1.0
    motion: str = "full"

    @property
    def name(self) -> str:
        return self.palette.name

    @property
    def dark(self) -> bool:
        return self.palette.dark

    @property
    def contrast(self) -> bool:
        return self.palette.contrast

    def color(self, role: str, alpha: float = 1.0) -> QColor:
        """Returns the color of a role ("text", "q", "attention", "divider", ...), `alpha` 0..1."""
        color = QColor(self.palette.roles[role])
        if alpha < 1.0:
            color.setAlphaF(alpha)
        return color

    def faint(self, role: str) -> QColor:
        """Returns a role's color in a disabled control: 45 % over the surface."""
        return mix(self.color(role), self.color("surface"), 1 - DISABLED_OPACITY)

    def series(self, index: int) -> QColor:
        """Returns the color of series `index`; colors repeat after six."""
        return QColor(self.palette.series[index % len(self.palette.series)])

    def px(self, size: float | str) -> int:
        """Returns a length at the UI zoom. A string names an entry of SIZE or SPACE."""
        if isinstance(size, str):
            size = SIZE[size] if size in SIZE else SPACE[size]
        return max(1, round(size * self.zoom)) if size > 0 else 0

    def font(self, size: str | float = "body", weight: int = 400, mono: bool = False) -> QFont:
        """Returns a font by the name of its size (TYPE) or in pixels, with tabular digits."""
        pixels = TYPE[size] if isinstance(size, str) else size
        return bundled_font(MONO if mono else SANS, max(6, round(pixels * self.zoom)), weight)

    def metrics(self, size: str | float = "body", weight: int = 400, mono: bool = False):
        return QFontMetricsF(self.font(size, weight, mono))

    def pen(self, role: str | QColor, width: float = 1.0, alpha: float = 1.0) -> QPen:
        """Returns a pen in a role's color; in high contrast, a width of 2 px or more becomes 3."""
        color = QColor(role) if isinstance(role, QColor) else self.color(role)
        if alpha < 1.0:
            color.setAlphaF(color.alphaF() * alpha)
        if self.contrast and width >= 2:
            width = 3
        return QPen(color, width)

    def duration(self, name: str) -> int:
        """Returns milliseconds of a motion: 0 if motion is off, a cross-fade if it is reduced."""
        if self.motion == "off":
            return 0
        if self.motion == "reduced" and name not in ("rest", "waiting", "long_wait", "live_number"):
            return min(MOTION[name], MOTION["cross_fade"])
        return MOTION[name]

    @property
    def travels(self) -> bool:
        """True if values may move across the picture (motion is "full")."""
        return self.motion == "full"

    @cached_property
    def attention_table(self) -> np.ndarray:
        """(256, 3) uint8: the sequential map of attention 0..1, gamma 0.6."""
        return color_table(self.palette.attention_stops, ATTENTION_GAMMA)

    @cached_property
    def diverging_table(self) -> np.ndarray:
        """(256, 3) uint8: the signed map, 0 in the middle (entry 128 is the surface's color)."""
        return color_table(self.palette.diverging_stops)

    def hatch(self) -> QBrush:
        """Returns the brush of a masked cell: 45 degree lines, between a divider and an outline."""
        lines = mix(self.color("divider"), self.color("outline"), 0.5)
        return QBrush(lines, Qt.BrushStyle.BDiagPattern)

    def focus_ring(
        self, painter: QPainter, rect: QRectF, radius: float = 6, offset: float = 2
    ) -> None:
        """Draws the 2 px accent ring around `rect`, `offset` px outside it."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self.color("accent"), 2))
        grow = offset + 1
        painter.drawRoundedRect(rect.adjusted(-grow, -grow, grow, grow), radius, radius)
        painter.restore()


class _Bus(QObject):
    changed = Signal()
    wanted = "system"
    followed = False
    styled: object = None  # the application that has been styled


_bus = _Bus()
_update = StyleUpdate()
changed = _bus.changed
style_hidden = _update.finish  # called before a pane is shown soon after a theme change
_current = Theme(PALETTES["light"])


def current() -> Theme:
    """Returns the theme in use."""
    return _current


def apply(
    app: QApplication, name: str = "system", zoom: float | None = None, motion: str | None = None
) -> Theme:
    """Sets palette, font and style sheet of `app` and emits `changed` if the appearance has
    changed. Another motion only repaints.

    `name` is one of NAMES; "system" follows the platform's color scheme at run time, "contrast" is
    high contrast in that scheme. Raises ValueError for another name.
    """
    global _current
    if name not in NAMES and name not in PALETTES:
        raise ValueError(f"no theme named {name!r}: choose one of {', '.join(NAMES)}")
    load_fonts()
    _bus.wanted = name
    if not _bus.followed:
        QGuiApplication.styleHints().colorSchemeChanged.connect(_on_scheme_changed)
        _bus.followed = True
    theme = Theme(
        PALETTES[_palette_name(name)],
        _current.zoom if zoom is None else min(2.0, max(0.8, zoom)),
        _current.motion if motion is None else motion,
    )
    if theme.motion not in MOTIONS:
        raise ValueError(f"no motion named {motion!r}: choose one of {', '.join(MOTIONS)}")
    before, _current = _current, theme
    sheet = style_sheet(theme)
    looks = (theme.palette, theme.zoom) != (before.palette, before.zoom)
    if looks or app.styleSheet() != sheet:  # setting them again would reset the fonts of widgets
        new = _bus.styled is not app
        if new:
            app.setStyle(QStyleFactory.create("Fusion"))
            _bus.styled = app
        app.setPalette(qt_palette(theme))
        app.setFont(theme.font())
        if new:
            app.setStyleSheet(sheet)
        else:
            _update.start(app, sheet)
    if looks:
        _bus.changed.emit()
    elif theme != before:
        for window in app.topLevelWidgets():
            window.update()
    return theme


def set_zoom(app: QApplication, zoom: float) -> Theme:
    """Changes the UI zoom, 0.8 to 2.0, and keeps the rest."""
    return apply(app, _bus.wanted, zoom=zoom)


def set_motion(app: QApplication, motion: str) -> Theme:
    """Changes the motion: "full", "reduced" or "off"."""
    return apply(app, _bus.wanted, motion=motion)


def _palette_name(name: str) -> str:
    dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
    if name == "system":
        return "dark" if dark else "light"
    if name == "contrast":
        return "contrast-dark" if dark else "contrast-light"
    return name


def _on_scheme_changed() -> None:
    app = QApplication.instance()
    if isinstance(app, QApplication) and _bus.wanted in ("system", "contrast"):
        apply(app, _bus.wanted)


def ink_on(back: QColor) -> QColor:
    """Returns the text color that is more legible on `back` (a cell of a map)."""
    return QColor(colors.ink_on(back.name()))


def mix(first: QColor, second: QColor, share: float) -> QColor:
    """Returns `first` mixed with `share` 0..1 of `second`."""
    return QColor.fromRgbF(
        lerp(first.redF(), second.redF(), share),
        lerp(first.greenF(), second.greenF(), share),
        lerp(first.blueF(), second.blueF(), share),
        lerp(first.alphaF(), second.alphaF(), share),
    )


def device_pixmap(width: float, height: float, ratio: float) -> QPixmap:
    """Returns a transparent pixmap of a logical size, crisp at a device pixel ratio."""
    pixmap = QPixmap(max(1, round(width * ratio)), max(1, round(height * ratio)))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    return pixmap
