"""A surface as a contour map: pixels with tints between level lines. Does not import Qt."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np

from core.jobs import to_the_end
from core.optimization.surfaces import Span, Surface

LEVELS = 12
MOST_PIXELS = 1_200_000
BAND = 150_000  # pixels painted between two yields
COARSE = 0.2  # computed per screen pixel in a quick, coarse map: tints without lines
LINE = 0.5  # opacity of a level line
HATCH = 8  # pixels between two hatch lines, which mark points without a height
LABEL_ROOM = 70.0  # least number of pixels between two labels
EDGE = 26  # pixels from the edge to a label
# Areas without labels, because they hold other things, in pixels:
CORNERS = (124, 68), (184, 64)  # the buttons at the top right, the color bar at the top left
AXES = 40, 46  # y axis at the left, x axis at the bottom
LABELS = 16


@dataclass(frozen=True)
class Inks:
    """The RGB colors of the lowest and the highest tint, the level lines and the hatching."""

    low: tuple[int, int, int]
    high: tuple[int, int, int]
    line: tuple[int, int, int]
    hatch: tuple[int, int, int]


@dataclass(frozen=True)
class LevelLabel:
    """The label of a level line: x and y as shares of width and height, angle in degrees."""

    value: float
    x: float
    y: float
    angle: float


@dataclass(frozen=True, eq=False)
class Contours:
    """The map of a span.

    pixels     (H, W) uint32, 0xffRRGGBB, the top row first
    levels     (n,) the heights of the level lines
    low, high  the lowest and the highest height; nan if the surface has none here
    """

    span: Span
    pixels: np.ndarray
    levels: np.ndarray
    labels: tuple[LevelLabel, ...]
    low: float
    high: float

    @property
    def is_finite(self) -> bool:
        """Whether the surface has a height anywhere in view."""
        return math.isfinite(self.low)


def contours(
    surface: Surface,
    span: Span,
    width: int,
    height: int,
    ratio: float,
    inks: Inks,
    zoom: float = 1.0,
) -> Contours:
    """Runs `contour_steps` to its end."""
    return to_the_end(contour_steps(surface, span, width, height, ratio, inks, zoom))


def contour_steps(
    surface: Surface,
    span: Span,
    width: int,
    height: int,
    ratio: float,
    inks: Inks,
    zoom: float = 1.0,
) -> Generator[float, None, Contours]:
    """Draws the map of `span` in `width` x `height` screen pixels, each `ratio` device pixels wide;
    `zoom` is the scale of its labels. Yields the share of computed heights, then 1 after each
    painted part.
    """
    ratio = min(ratio, math.sqrt(MOST_PIXELS / max(1, width * height)))
    columns, rows = max(2, round(width * ratio)), max(2, round(height * ratio))
    _, _, z = yield from surface.grid_steps(columns, rows, span)
    z = z[::-1]
    levels = levels_of(z)
    known = np.isfinite(z)
    finite = z[known]
    yield 1.0
    index = np.zeros(z.shape)
    if levels.size:
        anchors = np.concatenate(([finite.min()], levels, [finite.max()]))
        numbers = np.concatenate(([-0.9], np.arange(levels.size), [levels.size - 0.1]))
        index = np.interp(np.where(known, z, levels[0]), anchors, numbers)
    steep = steepness(index)
    yield 1.0
    pixels = yield from painted_steps(index, known, inks, ratio, steep)
    labels = yield from label_steps(index, steep, known, levels, ratio * zoom)
    low, high = (finite.min(), finite.max()) if finite.size else (math.nan, math.nan)
    return Contours(span, pixels, levels, labels, float(low), float(high))


def levels_of(z: np.ndarray) -> np.ndarray:
    """Returns round heights of level lines, ascending, denser where heights are common."""
    known = z[np.isfinite(z)]
    if not known.size:
        return np.empty(0)
    low, high = float(known.min()), float(known.max())
    reach = high - low
    if not (math.isfinite(reach) and reach > 1e-9 * max(1.0, abs(low), abs(high))):
        return np.empty(0)
    middle = min(max((float(np.median(known)) - low) / reach, 1e-6), 0.8)
    power = math.log(0.5) / math.log(middle)  # makes the median height the middle level
    raw = low + reach * (np.arange(1, LEVELS + 1) / (LEVELS + 1)) ** (1 / power)
    gaps = np.diff(np.concatenate(([low], raw)))
    units = 10.0 ** np.floor(np.log10(np.maximum(gaps, 1e-300)))
    rounded = np.unique(np.round(raw / units) * units)
    return rounded[(rounded > low) & (rounded < high)]


def steepness(index: np.ndarray) -> np.ndarray:
    """Returns the number of levels crossed per pixel."""
    down, across = np.gradient(index)
    return np.hypot(down, across)


def painted_steps(
    index: np.ndarray, known: np.ndarray, inks: Inks, ratio: float, steep: np.ndarray
) -> Generator[float, None, np.ndarray]:
    """Paints tints, level lines one screen pixel wide, and hatching where the surface has no
    height, a few rows at a time.
    """
    most = max(1.0, float(np.floor(index.max()) + 1))
    pixels = np.empty(index.shape, np.uint32)
    rows = max(1, BAND // index.shape[1])
    for first in range(0, len(index), rows):
        part = slice(first, first + rows)
        pixels[part] = _painted(index[part], known[part], inks, ratio, steep[part], most, first)
        yield 1.0
    return pixels


def _painted(
    index: np.ndarray,
    known: np.ndarray,
    inks: Inks,
    ratio: float,
    steep: np.ndarray,
    most: float,
    first: int,
) -> np.ndarray:
    """Returns the pixels of the rows from `first` on; `most` is the number of bands."""
    low, high, line = (np.array(ink, np.float32) for ink in (inks.low, inks.high, inks.line))
    share = ((np.floor(index) + 1) / most).astype(np.float32)
    away = np.abs(index - np.round(index)) / np.maximum(steep, 1e-9) / ratio
    crowded = np.clip(1.6 - 4 * steep * ratio, 0.15, 1)  # dense lines fade
    opacity = LINE if ratio > COARSE else 0.0
    lines = (np.clip(1.15 - away, 0, 1) * crowded * (steep > 1e-9) * opacity).astype(np.float32)
    packed = np.full(index.shape, 0xFF, np.uint32)
    rows, columns = np.indices(index.shape, dtype=np.int32, sparse=True)
    rows = rows + first
    hatched = ~known & ((rows + columns) % max(2, round(HATCH * ratio)) < max(1.0, ratio))
    for channel in range(3):
        value = low[channel] + share * (high[channel] - low[channel])
        value = value + lines * (line[channel] - value)
        value = np.where(known, value, low[channel])
        value = np.where(hatched, np.float32(inks.hatch[channel]), value)
        packed = (packed << 8) | value.astype(np.uint32)
    return packed


def label_steps(
    index: np.ndarray, steep: np.ndarray, known: np.ndarray, levels: np.ndarray, ratio: float
) -> Generator[float, None, tuple[LevelLabel, ...]]:
    """Places each level's label on its line, where lines are far apart, away from other labels."""
    rows, columns = index.shape
    edge = round(EDGE * ratio)
    if not levels.size or rows < 4 * edge or columns < 4 * edge:
        return ()
    room = 9 * ratio  # half a label's height, in which no other line may be
    found: list[LevelLabel] = []
    taken = np.empty((0, 2))
    down, across = np.gradient(index)
    for number in range(levels.size):
        yield 1.0
        on_line = (np.abs(index - number) < 0.6 * steep) & (steep < 0.5 / room) & known
        on_line[:edge] = on_line[-edge:] = False
        on_line[:, :edge] = on_line[:, -edge:] = False
        (wide, high), (broad, low) = ((round(x * ratio), round(y * ratio)) for x, y in CORNERS)
        on_line[:high, -wide:] = on_line[:low, :broad] = False
        on_line[:, : round(AXES[0] * ratio)] = False
        on_line[-round(AXES[1] * ratio) :] = False
        places = np.argwhere(on_line)
        if not places.size:
            continue
        places = places[:: max(1, len(places) // 400)]
        middle = np.array([rows / 2, columns / 2])
        if taken.size:
            near = np.linalg.norm(places[:, None] - taken[None], axis=2).min(axis=1)
            places = places[near > LABEL_ROOM * ratio]
            if not places.size:
                continue
        # Near one ray from the center, so that the labels form a row toward the top right.
        toward = (places - middle) @ np.array([-0.6, 0.8])
        aside = np.abs((places - middle) @ np.array([0.8, 0.6]))
        row, column = places[np.argmin(aside - 0.3 * toward)]
        angle = math.degrees(math.atan2(-across[row, column], down[row, column]))
        if angle > 90:
            angle -= 180
        elif angle < -90:
            angle += 180
        taken = np.vstack((taken, [row, column]))
        found.append(LevelLabel(float(levels[number]), column / columns, row / rows, angle))
    return tuple(found[:LABELS])
