"""Data sets of points on a plane, for classification or for the prediction of a number.

Each function returns n points (n, 2) with targets (n). Coordinates are roughly between -1 and 1.
`noise` is the standard deviation, in the same units, of random shifts that are added to the points
after their targets are set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.autograd.operation import Array


@dataclass(frozen=True, slots=True)
class Dataset:
    """points (N, 2); targets (N): classes 0 to `classes` - 1, or numbers if `classes` is 0."""

    points: Array
    targets: Array
    classes: int

    def __len__(self) -> int:
        return len(self.points)

    def split(self, fraction: float, generator: np.random.Generator) -> tuple[Dataset, Dataset]:
        """Splits the points at random: `fraction` of them for training, the others for testing.

        Raises ValueError if the fraction is not between 0 and 1.
        """
        if not 0 < fraction < 1:
            raise ValueError(f"a fraction of {fraction} leaves one side empty; use 0 to 1")
        order = generator.permutation(len(self))
        cut = round(fraction * len(self))
        parts = (order[:cut], order[cut:])
        train, test = (Dataset(self.points[i], self.targets[i], self.classes) for i in parts)
        return train, test


def moons(n: int, generator: np.random.Generator) -> Dataset:
    """Returns two interleaved half circles, as scikit-learn's make_moons does, made smaller."""
    above = n // 2
    angles = np.concatenate([np.linspace(0, np.pi, above), np.linspace(0, np.pi, n - above)])
    second = np.arange(n) >= above
    x = np.where(second, 1 - np.cos(angles), np.cos(angles)) - 0.5
    y = np.where(second, 0.5 - np.sin(angles), np.sin(angles)) - 0.25
    return Dataset(np.stack([x, y], 1) * 0.65, second.astype(np.int64), 2)


def circle(n: int, generator: np.random.Generator) -> Dataset:
    """Returns a disc, class 1, and a ring around it, class 0."""
    inside = np.arange(n) < n // 2
    radius = np.where(inside, generator.uniform(0, 0.45, n), generator.uniform(0.65, 0.95, n))
    angle = generator.uniform(0, 2 * np.pi, n)
    points = np.stack([radius * np.sin(angle), radius * np.cos(angle)], 1)
    return Dataset(points, inside.astype(np.int64), 2)


def xor(n: int, generator: np.random.Generator) -> Dataset:
    """Returns points of class 1 if exactly one coordinate is positive; none near the axes."""
    points = generator.uniform(-0.85, 0.85, (n, 2))
    points += np.sign(points) * 0.05
    return Dataset(points, (points[:, 0] * points[:, 1] < 0).astype(np.int64), 2)


def gaussians(n: int, generator: np.random.Generator) -> Dataset:
    """Returns two round clouds, of standard deviation 0.14."""
    targets = (np.arange(n) >= n // 2).astype(np.int64)
    centers = np.where(targets[:, None] == 1, 0.4, -0.4)  # (N, 1)
    return Dataset(centers + generator.normal(0, 0.14, (n, 2)), targets, 2)


def spiral(n: int, generator: np.random.Generator) -> Dataset:
    """Returns two arms that wind around each other nearly twice."""
    arm = np.arange(n) % 2
    along = (np.arange(n) // 2) / max(1, n // 2 - 1)
    angle = 1.75 * 2 * np.pi * along + np.pi * arm
    radius = 0.05 + 0.9 * along
    points = np.stack([radius * np.sin(angle), radius * np.cos(angle)], 1)
    return Dataset(points, arm.astype(np.int64), 2)


def yin_yang(n: int, generator: np.random.Generator) -> Dataset:
    """Returns three classes: yin, yang and the dots in both (Kriener et al. 2021, "The Yin-Yang
    dataset"), with equally many points of each class, drawn at random from the disc.
    """
    points: list[Array] = []
    targets: list[int] = []
    wanted = [n // 3 + (kind < n % 3) for kind in range(3)]
    while len(points) < n:
        point = generator.uniform(-0.9, 0.9, 2)
        if np.hypot(*point) > 0.9:
            continue
        kind = _yin_yang_class(*(point / 0.9))
        if wanted[kind]:
            wanted[kind] -= 1
            points.append(point)
            targets.append(kind)
    return Dataset(np.array(points).reshape(n, 2), np.array(targets, np.int64), 3)


def _yin_yang_class(x: float, y: float) -> int:
    """Returns the class of a point of the unit disc: 0 yin, 1 yang, 2 a dot."""
    left, right = np.hypot(x + 0.5, y), np.hypot(x - 0.5, y)
    if min(left, right) <= 0.2:
        return 2
    if right <= 0.5:
        return 1
    return 0 if left <= 0.5 else int(y < 0)


def plane(n: int, generator: np.random.Generator) -> Dataset:
    """Returns points whose target is the scaled sum of both coordinates, between -1 and 1."""
    points = generator.uniform(-0.9, 0.9, (n, 2))
    return Dataset(points, points.sum(1) / 1.8, 0)


def hills(n: int, generator: np.random.Generator) -> Dataset:
    """Returns points whose target is the height over three hills and three hollows."""
    points = generator.uniform(-0.95, 0.95, (n, 2))
    centers = np.array([[-0.6, 0.4], [0, 0.6], [0.6, 0.4], [-0.6, -0.4], [0, -0.6], [0.6, -0.4]])
    distance = np.linalg.norm(points[:, None] - centers, axis=-1)  # (N, 6)
    heights = np.clip(1 - distance / 0.45, 0, None) * [1, -1, 1, -1, 1, -1]
    return Dataset(points, heights.sum(1), 0)


DATASETS: dict[str, Callable[[int, np.random.Generator], Dataset]] = {
    "moons": moons,
    "circle": circle,
    "xor": xor,
    "gaussians": gaussians,
    "spiral": spiral,
    "yin-yang": yin_yang,
    "plane": plane,
    "hills": hills,
}


def dataset(name: str, n: int, noise: float, generator: np.random.Generator) -> Dataset:
    """Returns `n` points of the data set `name` in random order, reproducible by the generator.

    Raises ValueError for an unknown name, fewer than two points or a negative noise.
    """
    if name not in DATASETS:
        raise ValueError(f"data set {name!r} is unknown; use one of {', '.join(DATASETS)}")
    if n < 2 or noise < 0:
        raise ValueError(f"{n} points with noise {noise}: use at least 2 and noise from 0 on")
    made = DATASETS[name](n, generator)
    order = generator.permutation(n)
    moved = made.points[order] + generator.normal(0, 1, (n, 2)) * noise
    return Dataset(moved, made.targets[order], made.classes)
