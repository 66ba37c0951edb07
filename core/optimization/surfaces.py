"""Surfaces, functions of two numbers, on which the differences between optimizers are visible.

Each is a formula written once, in operators: floats and NumPy arrays give its height, tensors of
core.autograd also its slope.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from core.autograd import Tensor
from core.jobs import Pace, to_the_end

Span = tuple[float, float, float, float]  # left, right, bottom, top
Grid = tuple[np.ndarray, np.ndarray, np.ndarray]  # x, y, heights
HEIGHTS_AT_ONCE = 2**14  # arrays of this size fit into a processor's cache


@dataclass(frozen=True, slots=True)
class Surface:
    """A function of x and y.

    height   (x, y) -> z, in operators
    minima   positions of the known lowest points
    start    default start of a race
    span     the part of the plane to draw
    noise    standard deviation of random errors, added to each slope for an optimizer
    what     one sentence on its difficulty
    """

    name: str
    title: str
    formula: str
    height: Callable[[Any, Any], Any]
    minima: tuple[tuple[float, float], ...]
    start: tuple[float, float]
    span: Span
    what: str
    noise: float = 0.0

    def value(self, x: Any, y: Any) -> np.ndarray:
        """Returns the height at numbers or arrays that broadcast; inf or nan where undefined."""
        with np.errstate(all="ignore"):
            z = self.height(np.asarray(x, float), np.asarray(y, float))
        shape = np.broadcast_shapes(np.shape(x), np.shape(y))
        return np.broadcast_to(np.asarray(z, float), shape)

    def gradient(self, position: Any) -> tuple[float, np.ndarray]:
        """Returns height and slope (2,) at a position (2,), by one forward and backward pass."""
        x, y = (Tensor(float(number), name=name) for number, name in zip(position, "xy"))
        z = self.height(x, y)
        if not isinstance(z, Tensor) or not z.requires_grad:  # the height is constant
            return float(z.item() if isinstance(z, Tensor) else z), np.zeros(2)
        z.backward()
        slope = [0.0 if one.grad is None else float(one.grad) for one in (x, y)]
        return z.item(), np.array(slope)

    def slopes(self, x: Any, y: Any) -> np.ndarray:
        """Returns the slope (..., 2) at arrays that broadcast, by one forward and backward pass for
        all points: in the sum of all heights, each depends only on its own x and y.
        """
        places = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float))
        leaves = [Tensor(np.array(one), name=name) for one, name in zip(places, "xy", strict=True)]
        z = self.height(*leaves)
        if isinstance(z, Tensor) and z.requires_grad:
            z.sum().backward()
        none = np.zeros_like(places[0])  # if the height is constant
        return np.stack([none if one.grad is None else one.grad for one in leaves], axis=-1)

    def grid(self, columns: int, rows: int, span: Span | None = None) -> Grid:
        """Returns x, y and the heights of a grid: runs `grid_steps` to its end."""
        return to_the_end(self.grid_steps(columns, rows, span))

    def grid_steps(
        self, columns: int, rows: int, span: Span | None = None
    ) -> Generator[float, None, Grid]:
        """Returns x (columns,), y (rows,) and the heights (rows, columns), for a contour map;
        yields the share done.

        Computes a few rows at a time: a long formula makes an array for each of its parts, and
        arrays of the whole map would fill the memory.
        """
        left, right, bottom, top = span or self.span
        x, y = np.linspace(left, right, columns), np.linspace(bottom, top, rows)
        heights = np.empty((rows, columns))
        band = max(1, HEIGHTS_AT_ONCE // columns)
        pace = Pace()
        for row in range(0, rows, band):
            heights[row : row + band] = self.value(x[None, :], y[row : row + band, None])
            if pace.is_due():
                yield min(1.0, (row + band) / rows)
                pace.go_on()
        return x, y, heights


# Each returns the height at x and y: numbers, arrays that broadcast, or Tensors.


def ravine(x: Any, y: Any) -> Any:
    """Returns a valley ten times as steep across as along; minimum 0 at (0, 0)."""
    return x**2 + 10 * y**2


def saddle(x: Any, y: Any) -> Any:
    """Returns a saddle at (0, 0) between two minima, -1 at (0, +-sqrt 2)."""
    return x**2 - y**2 + y**4 / 4


def rosenbrock(x: Any, y: Any) -> Any:
    """Returns Rosenbrock's function (1960); minimum 0 at (1, 1)."""
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def beale(x: Any, y: Any) -> Any:
    """Returns Beale's function (1958); minimum 0 at (3, 0.5)."""
    first = (1.5 - x + x * y) ** 2
    second = (2.25 - x + x * y**2) ** 2
    third = (2.625 - x + x * y**3) ** 2
    return first + second + third


def himmelblau(x: Any, y: Any) -> Any:
    """Returns Himmelblau's function (1972); minimum 0 at four points."""
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def bowl(x: Any, y: Any) -> Any:
    """Returns a round bowl; minimum 0 at (0, 0)."""
    return (x**2 + y**2) / 2


SURFACES: Mapping[str, Surface] = MappingProxyType(
    {
        surface.name: surface
        for surface in (
            Surface(
                "ravine",
                "Ravine",
                r"f(x, y) = x^2 + 10 y^2",
                ravine,
                ((0.0, 0.0),),
                (-4.0, 1.5),
                (-5.0, 5.0, -2.5, 2.5),
                "The ravine is steep across but flat along, so no single learning rate suits it",
            ),
            Surface(
                "saddle",
                "Saddle",
                r"f(x, y) = x^2 - y^2 + \frac{y^4}{4}",
                saddle,
                ((0.0, -(2.0**0.5)), (0.0, 2.0**0.5)),
                (-1.8, 0.001),
                (-2.5, 2.5, -2.5, 2.5),
                "The surface is almost flat near the saddle: which optimizer leaves it first?",
            ),
            # An automatic method for finding the greatest or least value of a function (1960).
            Surface(
                "rosenbrock",
                "Rosenbrock",
                r"f(x, y) = (1 - x)^2 + 100 \, (y - x^2)^2",
                rosenbrock,
                ((1.0, 1.0),),
                (-1.2, 1.0),
                (-2.0, 2.0, -1.0, 3.0),
                "The bent valley is easy to enter, but progress along its floor is slow",
            ),
            # Beale 1958; the start is that of Moré, Garbow & Hillstrom 1981, problem 5.
            Surface(
                "beale",
                "Beale",
                r"f(x, y) = (1.5 - x + x y)^2 + (2.25 - x + x y^2)^2 + (2.625 - x + x y^3)^2",
                beale,
                ((3.0, 0.5),),
                (1.0, 1.0),
                (-4.5, 4.5, -4.5, 4.5),
                "The surface is flat in the middle and has steep walls in the corners",
            ),
            # Applied Nonlinear Programming (1972).
            Surface(
                "himmelblau",
                "Himmelblau",
                r"f(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2",
                himmelblau,
                (
                    (3.0, 2.0),
                    (-2.805118086952745, 3.131312518250573),
                    (-3.779310253377747, -3.283185991286170),
                    (3.584428340330492, -1.848126526964404),
                ),
                (-0.5, -1.0),
                (-5.0, 5.0, -5.0, 5.0),
                "Four valleys are equally deep, and the path decides which one is reached",
            ),
            Surface(
                "bowl",
                "Noisy bowl",
                r"f(x, y) = \frac{x^2 + y^2}{2}, \quad g = \nabla f + \varepsilon",
                bowl,
                ((0.0, 0.0),),
                (-3.0, 2.0),
                (-4.0, 4.0, -4.0, 4.0),
                "Every gradient has random errors, like the gradient of a batch, so averages help",
                noise=1.0,
            ),
        )
    }
)


def surface_named(name: str) -> Surface:
    """Returns the surface of that name. Raises ValueError if it is unknown."""
    if name not in SURFACES:
        raise ValueError(f"surface {name!r} is unknown; use {', '.join(SURFACES)}")
    return SURFACES[name]
