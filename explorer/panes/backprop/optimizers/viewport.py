"""The part of the plane in view, with equal scales in x and y. Does not import Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from core.optimization.surfaces import Span

SMALLEST, LARGEST = 1e-3, 1e7  # pixels of one unit of x and y
FAR = 1e6  # limit of |x| and |y| of the center


@dataclass(frozen=True)
class Viewport:
    """(x, y) of the center, and the scale in pixels per unit."""

    x: float = 0.0
    y: float = 0.0
    scale: float = 50.0

    def pixels(self, points: np.ndarray, width: float, height: float) -> np.ndarray:
        """Converts points (..., 2) to pixels (..., 2): y points up in the plane, down in pixels."""
        found = np.empty_like(points, dtype=float)
        found[..., 0] = width / 2 + (points[..., 0] - self.x) * self.scale
        found[..., 1] = height / 2 - (points[..., 1] - self.y) * self.scale
        return found

    def point(self, left: float, top: float, width: float, height: float) -> tuple[float, float]:
        """Returns the point of the plane under a pixel."""
        x = self.x + (left - width / 2) / self.scale
        return x, self.y - (top - height / 2) / self.scale

    def span(self, width: float, height: float) -> Span:
        """Returns left, right, bottom, top of the view."""
        half_x, half_y = width / 2 / self.scale, height / 2 / self.scale
        return self.x - half_x, self.x + half_x, self.y - half_y, self.y + half_y

    def moved(self, left: float, top: float) -> Viewport:
        """Returns the viewport after a drag by so many pixels."""
        x, y = self.x - left / self.scale, self.y + top / self.scale
        return replace(self, x=min(max(-FAR, x), FAR), y=min(max(-FAR, y), FAR))

    def zoomed(
        self, factor: float, left: float, top: float, width: float, height: float
    ) -> Viewport:
        """Returns the viewport zoomed about the point under (left, top), which does not move."""
        x, y = self.point(left, top, width, height)
        scale = min(max(SMALLEST, self.scale * factor), LARGEST)
        moved = Viewport(x - (left - width / 2) / scale, y + (top - height / 2) / scale, scale)
        return moved.moved(0, 0)


def fitting(span: Span, width: float, height: float) -> Viewport:
    """Returns the viewport that fits and centers a whole span."""
    left, right, bottom, top = span
    scale = min(max(1.0, width) / (right - left), max(1.0, height) / (top - bottom))
    return Viewport((left + right) / 2, (bottom + top) / 2, scale)
