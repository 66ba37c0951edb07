"""The visible part of a large picture: scale and offset, as plain numbers. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace

from explorer.panes.backprop.expression.layout import Size

SCALES = (0.08, 3.0)
READABLE = 1.0  # below this scale text is too small: fitting does not shrink a large graph further
ENOUGH = 0.8  # at a larger UI zoom text is readable at a smaller scale, which shows more of a graph
LARGEST = 1.25  # fitting does not enlarge a small graph further
MARGIN = 8.0  # px around the whole picture
EDGE = 20.0  # px around a box that is scrolled to


@dataclass(frozen=True)
class Camera:
    """A point p of the picture is drawn at p * scale + (x, y)."""

    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    def seen(self, x: float, y: float) -> tuple[float, float]:
        return x * self.scale + self.x, y * self.scale + self.y

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Returns the point of the picture drawn at (x, y)."""
        return (x - self.x) / self.scale, (y - self.y) / self.scale

    def moved(self, dx: float, dy: float) -> Camera:
        return replace(self, x=self.x + dx, y=self.y + dy)

    def zoomed(self, factor: float, x: float, y: float) -> Camera:
        """Returns a zoomed camera; the point under (x, y) stays in place."""
        scale = min(max(self.scale * factor, SCALES[0]), SCALES[1])
        px, py = self.at(x, y)
        return Camera(scale, x - px * scale, y - py * scale)

    def staying(self, moved: Camera, size: Size, room: Size) -> Camera:
        """Returns `moved` without its shift along an axis where all of the picture is visible."""
        left, top = self.seen(0, 0)
        right, bottom = self.seen(*size)
        x = self.x if left >= 0 and right <= room[0] else moved.x
        y = self.y if top >= 0 and bottom <= room[1] else moved.y
        return replace(moved, x=x, y=y)

    def showing(
        self, box: tuple[float, float, float, float], width: float, height: float
    ) -> Camera:
        """Returns a camera moved as little as possible to show a box of the picture."""
        left, top = self.seen(box[0], box[1])
        right, bottom = self.seen(box[0] + box[2], box[1] + box[3])
        return self.moved(_shift(left, right, width), _shift(top, bottom, height))


def _shift(low: float, high: float, room: float) -> float:
    edge = min(EDGE, room / 6)
    if high - low > room - 2 * edge:
        return room / 2 - (low + high) / 2
    if low < edge:
        return edge - low
    if high > room - edge:
        return room - edge - high
    return 0.0


def room_in(size: Size, unit: float = 1.0) -> Size:
    """Returns the size inside the margins, in the picture's units; `unit`: the UI zoom."""
    width, height = size[0] / unit - 2 * MARGIN, size[1] / unit - 2 * MARGIN
    return max(40.0, width), max(40.0, height)


def readable(unit: float) -> float:
    """Returns the scale below which text is too small; `unit`: the UI zoom."""
    return READABLE if unit <= 1 else max(ENOUGH, READABLE / unit)


def fitting(size: Size, room: Size, unit: float = 1.0, least: float = 0.0) -> Camera:
    """Returns a camera for the whole picture, centered; if its scale would be below `least`, for
    the beginning at that scale.
    """
    wide, high = room_in(room, unit)
    scale = min(wide / max(1.0, size[0]), high / max(1.0, size[1]), LARGEST)
    scale = min(max(scale, least, SCALES[0] / unit), SCALES[1] / unit) * unit
    x, y = (room[0] - size[0] * scale) / 2, (room[1] - size[1] * scale) / 2
    return Camera(scale, max(x, MARGIN * unit), max(y, MARGIN * unit))
