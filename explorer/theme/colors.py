"""The palettes of the app, as plain data without Qt, so that a test can compute every contrast.

A palette maps a role ("window", "text", "q", "attention", ...) to "#RRGGBB". Color maps are given
by their stops and become uint8 tables of 256 rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

ATTENTION_GAMMA = 0.6
INKS = ("#000000", "#FFFFFF")  # on a colored cell: one of these two is always legible (>= 4.58)

LIGHT = {
    "window": "#F7F8FA",
    "surface": "#FFFFFF",
    "raised": "#EEF1F5",
    "divider": "#D5DAE1",
    "outline": "#7B8594",
    "text": "#1B1F27",
    "muted": "#56606E",
    "accent": "#0B6BCB",
    "on_accent": "#FFFFFF",
    "q": "#1D5FD0",
    "k": "#C22F3B",
    "v": "#1B7A43",
    "attention": "#7A3FC2",
    "success": "#1B7A43",
    "warning": "#8A5A00",
    "error": "#B3261E",
    "selected": "#E3EFFB",
}

DARK = {
    "window": "#14171C",
    "surface": "#1B1F26",
    "raised": "#262B34",
    "divider": "#353C47",
    "outline": "#7C8797",
    "text": "#E7EAF0",
    "muted": "#A3ADBB",
    "accent": "#5AB0FF",
    "on_accent": "#14171C",
    "q": "#7AB0FF",
    "k": "#FF8A93",
    "v": "#6FD39A",
    "attention": "#C79BFF",
    "success": "#6FD39A",
    "warning": "#F0B54A",
    "error": "#FF8A80",
    "selected": "#1F3650",
}

# High contrast keeps the hues that carry meaning and makes the grays black or white.
CONTRAST_LIGHT = {
    **LIGHT,
    "window": "#FFFFFF",
    "surface": "#FFFFFF",
    "raised": "#FFFFFF",
    "divider": "#000000",
    "outline": "#000000",
    "text": "#000000",
    "muted": "#000000",
    "accent": "#0048A0",
}

CONTRAST_DARK = {
    **DARK,
    "window": "#000000",
    "surface": "#000000",
    "raised": "#000000",
    "divider": "#FFFFFF",
    "outline": "#FFFFFF",
    "text": "#FFFFFF",
    "muted": "#FFFFFF",
    "on_accent": "#000000",
    "selected": "#0B3A66",
}

LIGHT_SERIES = ("#0072B2", "#B35900", "#00795A", "#A2477D", "#3D7EA6", "#7A6A00")
DARK_SERIES = ("#56B4E9", "#E69F00", "#2DBE94", "#CC79A7", "#F0E442", "#E8743B")

# Tokens: eight hues, each with a pale and a deeper fill, so that lightness distinguishes what hue
# does not; and one edge per hue, which contrasts with both (red, orange, yellow, green, teal, blue,
# violet, magenta, evenly spaced in OKLCH).
LIGHT_TOKENS = (
    *("#FFDFDE", "#FFE4CE", "#F0EBCB", "#DBF1D6", "#CBF3ED", "#D0EFFF", "#E3E7FF", "#FBE0F7"),
    *("#FFBCBA", "#F6C49C", "#DBD196", "#B5DDAC", "#93E1D6", "#9DD8FC", "#C5CAFF", "#EDBDE8"),
)
DARK_TOKENS = (
    *("#482727", "#442B16", "#373211", "#24381F", "#0A3A35", "#143547", "#2D2F4B", "#40283E"),
    *("#6B3A3A", "#664120", "#534B18", "#35542E", "#07564F", "#1D506B", "#434670", "#603C5C"),
)
LIGHT_EDGES = (
    *("#B05457", "#A7611B", "#857500", "#4B853E", "#008A7E", "#007EB0", "#686BB9", "#9B5896"),
)
DARK_EDGES = (
    *("#CD7576", "#C38148", "#A2933B", "#6DA361", "#20A89B", "#439CCC", "#858AD4", "#B879B2"),
)


@dataclass(frozen=True)
class Palette:
    """One complete set of colors.

    ``attention_stops`` run from 0 to 1; ``diverging_stops`` from the negative limit over 0 to the
    positive one. ``tokens`` are fills, ``token_edges`` their hues as lines: fill i has the edge
    i modulo the number of edges.
    """

    name: str
    dark: bool
    contrast: bool
    roles: dict[str, str]
    series: tuple[str, ...]
    attention_stops: tuple[str, ...]
    diverging_stops: tuple[str, str, str]
    tokens: tuple[str, ...] = LIGHT_TOKENS
    token_edges: tuple[str, ...] = LIGHT_EDGES


PALETTES = {
    "light": Palette(
        "light",
        False,
        False,
        LIGHT,
        LIGHT_SERIES,
        ("#FFFFFF", "#F3ECFB", "#7A3FC2", "#2E1065"),
        ("#0072B2", LIGHT["surface"], "#B35900"),
    ),
    "dark": Palette(
        "dark",
        True,
        False,
        DARK,
        DARK_SERIES,
        ("#1B1F26", "#262032", "#C79BFF", "#F1E6FF"),
        ("#56B4E9", DARK["surface"], "#E69F00"),
        DARK_TOKENS,
        DARK_EDGES,
    ),
    "contrast-light": Palette(
        "contrast-light",
        False,
        True,
        CONTRAST_LIGHT,
        LIGHT_SERIES,
        ("#FFFFFF", "#F3ECFB", "#7A3FC2", "#2E1065"),
        ("#0072B2", "#FFFFFF", "#B35900"),
        ("#FFFFFF",) * 16,
    ),
    "contrast-dark": Palette(
        "contrast-dark",
        True,
        True,
        CONTRAST_DARK,
        DARK_SERIES,
        ("#000000", "#262032", "#C79BFF", "#F1E6FF"),
        ("#56B4E9", "#000000", "#E69F00"),
        ("#000000",) * 16,
        DARK_EDGES,
    ),
}


def rgb(color: str) -> tuple[int, int, int]:
    """Returns "#RRGGBB" as three integers 0..255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def luminance(color: str) -> float:
    """Returns the relative luminance as defined by WCAG 2.2: 0 black, 1 white."""
    linear = []
    for channel in rgb(color):
        part = channel / 255
        linear.append(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Returns the contrast ratio of two colors (WCAG 2.2): 1 (equal) to 21 (black on white)."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@lru_cache(4096)
def ink_on(back: str) -> str:
    """Returns the color of INKS that is more legible on `back`."""
    return max(INKS, key=lambda ink: contrast(ink, back))


def color_table(stops: tuple[str, ...], gamma: float = 1.0) -> np.ndarray:
    """Returns a (256, 3) uint8 table that interpolates `stops` evenly; entry i is for i / 255.

    `gamma` below 1 spreads the small values: the color of x is taken at x ** gamma.
    """
    places = np.linspace(0.0, 1.0, 256) ** gamma
    anchors = np.linspace(0.0, 1.0, len(stops))
    channels = np.array([rgb(stop) for stop in stops], dtype=np.float64)
    columns = [np.interp(places, anchors, channels[:, channel]) for channel in range(3)]
    return np.rint(np.stack(columns, axis=1)).astype(np.uint8)
