"""What part of a large picture is seen: scale and place, as plain numbers. No Qt here."""

from __future__ import annotations

from dataclasses import dataclass, replace

SCALES = (0.08, 3.0)
EASY = 0.85  # below this scale text is hard to read: a large graph is not shrunk further by itself
LEGIBLE = 0.66  # but so far where all of it can be seen then, or where it is high
LARGEST = 1.25  # a small graph is not blown up further
MARGIN, ABOVE = 28.0, 10.0  # around the whole, in pixels


@dataclass(frozen=True)
class Camera:
    """A point p of the picture is seen at p * scale + (x, y)."""

    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    def seen(self, x: float, y: float) -> tuple[float, float]:
        return x * self.scale + self.x, y * self.scale + self.y

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The point of the picture that is seen at (x, y)."""
        return (x - self.x) / self.scale, (y - self.y) / self.scale

    def moved(self, dx: float, dy: float) -> Camera:
        return replace(self, x=self.x + dx, y=self.y + dy)

    def zoomed(self, factor: float, x: float, y: float) -> Camera:
        """The point under (x, y) stays where it is."""
        scale = min(max(self.scale * factor, SCALES[0]), SCALES[1])
        px, py = self.at(x, y)
        return Camera(scale, x - px * scale, y - py * scale)

    def showing(
        self, box: tuple[float, float, float, float], width: float, height: float
    ) -> Camera:
        """Moved as little as possible so that a box of the picture is in sight, with some room."""
        left, top = self.seen(box[0], box[1])
        right, bottom = self.seen(box[0] + box[2], box[1] + box[3])
        return self.moved(_shift(left, right, width), _shift(top, bottom, height))


def _shift(low: float, high: float, room: float) -> float:
    edge = min(MARGIN - 4, room / 6)
    if high - low > room - 2 * edge:
        return room / 2 - (low + high) / 2
    if low < edge:
        return edge - low
    if high > room - edge:
        return room - edge - high
    return 0.0


def fitting(
    size: tuple[float, float], room: tuple[float, float], unit: float = 1.0, least: float = 0.0
) -> Camera:
    """The whole picture in the middle of the room, where it can be read then (`least`, LEGIBLE).
    Else it is made no smaller than `least`, by its height at most to LEGIBLE: then its beginning is
    seen.
    """
    width, height = max(1.0, size[0]), max(1.0, size[1])
    inner = max(40.0, room[0] - 2 * MARGIN), max(40.0, room[1] - 2 * ABOVE)
    low = min(inner[1] / height, LARGEST * unit)
    scale = min(inner[0] / width, low)
    if scale < min(least, LEGIBLE) * unit:
        scale = min(least, max(low / unit, LEGIBLE)) * unit
    scale = min(max(scale, SCALES[0]), SCALES[1])
    x = (room[0] - width * scale) / 2 if width * scale <= inner[0] else MARGIN
    y = (room[1] - height * scale) / 2
    return Camera(scale, x, y)
