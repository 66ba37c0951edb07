"""Motion: durations, speeds and easing. Everything is a function of a progress 0..1."""

from __future__ import annotations

# Milliseconds.
MOTION = {
    "hover": 80,
    "appear": 160,
    "move": 240,
    "step": 600,
    "rest": 900,
    "stagger": 20,
    "stagger_all": 400,
    "cross_fade": 120,
    "waiting": 150,
    "long_wait": 1000,
    "live_number": 125,
}
SPEEDS: tuple[float | str, ...] = (0.25, 0.5, 1, 2, 4, "max")


def lerp(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


def ease_out(progress: float) -> float:
    """Returns the ease-out cubic of a progress 0..1 (clamped): fast start, gentle end."""
    progress = min(1.0, max(0.0, progress))
    return 1.0 - (1.0 - progress) ** 3


def stagger(progress: float, index: int, count: int) -> float:
    """Returns the eased progress of item `index` of `count` items that start one after another.

    At most 20 ms apart and 400 ms in all, of a 600 ms transition.
    """
    if count <= 1:
        return ease_out(progress)
    gap = min(MOTION["stagger"], MOTION["stagger_all"] / count) / MOTION["step"]
    last = gap * (count - 1)
    return ease_out((progress - gap * index) / (1.0 - last))
