"""Which places for a word would hide what stands in a picture. No painting."""

from __future__ import annotations

import numpy as np


def shared(places: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """The area that each place (P, 4) has in common with each box (B, 4): (P, B)."""
    return np.asarray(np.maximum(_common(places, boxes), 0).prod(axis=-1))


def touched(places: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Which places (P, 4) each box (B, 4), perhaps a mere line, runs through: (P, B)."""
    return np.asarray((_common(places, boxes) >= 0).all(axis=-1))


def _common(places: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(P, B, 2): how wide and how high that is; below 0 where they are apart."""
    one, two = places[:, None], boxes[None]
    return np.minimum(one[..., 2:], two[..., 2:]) - np.maximum(one[..., :2], two[..., :2])
