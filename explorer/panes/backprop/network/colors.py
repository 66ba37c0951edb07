"""The drawing's colors for maps, weights and classes in the current theme."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtGui import QColor, QImage

from explorer import theme
from explorer.panes.backprop.network.keyframe import LEVELS

SOFT = 0.42  # share of the surface color in the plane, so that points stand out from it


def class_color(number: int) -> QColor:
    """Returns a class's color: class 0 that of negative numbers, class 1 that of positive ones."""
    now = theme.current()
    if number == 2:
        return now.series(2)
    return QColor(now.palette.diverging_stops[2 if number else 0])


def sign_color(value: float) -> QColor:
    return class_color(1 if value > 0 else 0)


def color_of_target(target: float, classes: int) -> QColor:
    if classes:
        return class_color(int(target))
    table = theme.current().diverging_table
    level = int(np.clip(round(128 + 127 * target), 0, 255))
    return QColor(*table[level].tolist())


def map_image(levels: np.ndarray) -> QImage:
    """Colors a neuron's map (R, R) uint8, in which 128 stands for 0."""
    return _image(levels, _signed(theme.current().name, 0.0))


def enlarged(maps: np.ndarray, size: int) -> np.ndarray:
    """Interpolates maps (n, R, R) to (n, size, size), much faster than a painter could."""
    between = _between(maps.shape[-1], size)
    return np.rint(between @ maps.astype(np.float32) @ between.T).astype(np.uint8)


def plane_image(levels: np.ndarray, classes: int) -> QImage:
    """Colors the network's output, paler than a map, so that points stand out."""
    name = theme.current().name
    return _image(levels, _classes(name) if classes > 2 else _signed(name, SOFT))


def scale_image(soft: float) -> QImage:
    """Returns the colors of a map from its least to its largest value, as one row."""
    return _image(np.arange(256, dtype=np.uint8)[None, :], _signed(theme.current().name, soft))


@lru_cache(maxsize=8)
def _between(n: int, size: int) -> np.ndarray:
    """Returns the weights of linear interpolation from `n` values to `size` pixels, (size, n)."""
    place = np.clip((np.arange(size) + 0.5) * n / size - 0.5, 0, n - 1)
    away = np.abs(place[:, None] - np.arange(n))
    return np.maximum(0.0, 1.0 - away).astype(np.float32)


def _image(levels: np.ndarray, table: list[int]) -> QImage:
    levels = np.ascontiguousarray(levels)
    rows, columns = levels.shape
    image = QImage(levels.data, columns, rows, columns, QImage.Format.Format_Indexed8)
    image.setColorTable(table)
    return image.convertToFormat(QImage.Format.Format_RGB32)


@lru_cache(maxsize=16)
def _signed(name: str, soft: float) -> list[int]:
    now = theme.current()
    surface = np.array(now.color("surface").getRgb()[:3])
    mixed = now.diverging_table * (1 - soft) + surface * soft
    return [QColor(*row).rgb() for row in np.rint(mixed).astype(int).tolist()]


@lru_cache(maxsize=8)
def _classes(name: str) -> list[int]:
    surface = theme.current().color("surface")
    table = []
    for number in range(256):
        kind, level = min(number // LEVELS, 2), number % LEVELS
        share = (level / (LEVELS - 1)) * (1 - SOFT)
        table.append(theme.mix(surface, class_color(kind), share).rgb())
    return table
