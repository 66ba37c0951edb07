"""Surfaces: minima are minima, slopes are right, typed ones are refused for what they cannot be."""

import tracemalloc

import numpy as np
import pytest
import torch

from core.autograd import ExpressionError
from core.optimization.surfaces import SURFACES, surface_named
from core.optimization.typed_surface import typed_surface


@pytest.mark.parametrize("name", SURFACES)
def test_a_minimum_is_one(name: str) -> None:
    surface = surface_named(name)
    assert surface.minima
    for minimum in surface.minima:
        height, slope = surface.gradient(minimum)
        assert np.abs(slope).max() < 1e-9
        left, right, bottom, top = surface.span
        assert left < minimum[0] < right and bottom < minimum[1] < top
        around = [surface.value(minimum[0] + dx, minimum[1] + dy) for dx, dy in _ring(1e-2)]
        assert min(around) > height
    heights = [float(surface.value(*minimum)) for minimum in surface.minima]
    assert np.ptp(heights) < 1e-12
    _, _, z = surface.grid(60, 40)
    assert z.shape == (40, 60) and z.min() >= heights[0] - 1e-12


def _ring(radius: float) -> list[tuple[float, float]]:
    return [(radius * np.cos(a), radius * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 17)]


@pytest.mark.parametrize("name", SURFACES)
def test_our_autograds_slope_is_torchs(name: str) -> None:
    surface = surface_named(name)
    for point in np.random.default_rng(0).uniform(-3, 3, (10, 2)):
        x, y = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in point)
        z = surface.height(x, y)
        z.backward()
        height, slope = surface.gradient(point)
        assert height == pytest.approx(z.item(), rel=1e-12)
        assert slope == pytest.approx([x.grad.item(), y.grad.item()], rel=1e-12)
        assert surface.value(*point) == pytest.approx(height, rel=1e-12)


@pytest.mark.parametrize(
    "text", [*SURFACES, "abs(x) + relu(y) * 3", "x", "3 - 2", "x / y", "log(x)"]
)
def test_slopes_of_many_places_are_those_of_each(text: str) -> None:
    surface = surface_named(text) if text in SURFACES else typed_surface(text)
    x, y = np.linspace(-2, 2, 7), np.linspace(-1, 3, 5)[:, None]
    slopes = surface.slopes(x, y)
    assert slopes.shape == (5, 7, 2)
    for row, column in np.ndindex(5, 7):
        each = surface.gradient((x[column], y[row, 0]))[1]
        np.testing.assert_array_equal(slopes[row, column], each)


def test_known_heights() -> None:
    """Moré, Garbow & Hillstrom 1981, problems 1 and 5, at their starts; Himmelblau's at 0."""
    assert surface_named("rosenbrock").value(-1.2, 1.0) == pytest.approx(24.2, rel=1e-12)
    assert surface_named("beale").value(1.0, 1.0) == pytest.approx(14.203125, rel=1e-12)
    assert surface_named("himmelblau").value(0.0, 0.0) == 170.0
    with pytest.raises(ValueError, match="use ravine, saddle"):
        surface_named("alp")


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("x**2 + 3*sin(y)", r"{x}^{2} + 3 \cdot \sin y"),
        ("(x + y)**2 / 2", r"\frac{{\left( x + y \right)}^{2}}{2}"),
        ("x - (y - 1)", r"x - \left( y - 1 \right)"),
        ("-(x*y)", r"-x \cdot y"),
        ("exp(-x) * sqrt(y + 1)", r"e^{-x} \cdot \sqrt{y + 1}"),
        ("sin(x*y)**2", r"{\left( \sin \left( x \cdot y \right) \right)}^{2}"),
        ("r = x**2 + y**2\nr*r", None),
    ],
)
def test_a_typed_surface(text: str, formula: str | None) -> None:
    surface = typed_surface(text)
    if formula is not None:
        assert surface.formula == f"f(x, y) = {formula}"
    x, y, z = surface.grid(5, 4)
    for column, row in ((0, 0), (4, 3), (2, 1)):
        with np.errstate(all="ignore"):
            height, slope = surface.gradient((x[column], y[row]))
        np.testing.assert_allclose(z[row, column], height)
        assert slope.shape == (2,)


def test_the_map_of_a_long_formula_keeps_no_planes() -> None:
    text = "a = x*y\n" + "a = sin(a) + 0.5*a\n" * 40 + "a"
    surface, plane = typed_surface(text), 8 * 700 * 600
    tracemalloc.start()
    try:
        x, y, z = surface.grid(700, 600)
        assert tracemalloc.get_traced_memory()[1] < 3 * plane
    finally:
        tracemalloc.stop()
    assert z.shape == (600, 700)
    for row in (0, 23, 24, 599):  # on both sides of a border between two bands
        np.testing.assert_array_equal(z[row], surface.value(x, y[row]))


def test_a_flat_one_and_one_of_x_alone() -> None:
    assert typed_surface("5").gradient((1.0, 2.0))[1].tolist() == [0.0, 0.0]
    assert typed_surface("5").grid(3, 2)[2].shape == (2, 3)
    assert typed_surface("x**2").gradient((3.0, 1.0))[1].tolist() == [6.0, 0.0]
    named = typed_surface("2*gelu(x + y)**2")
    assert named.formula == r"f(x, y) = 2 \cdot {\mathrm{GELU}(x + y)}^{2}"
    long = typed_surface("\n".join(["a = x + y", *["a = a*a"] * 40, "a"]))
    assert long.formula == r"f(x, y) = \dots"


@pytest.mark.parametrize(
    ("text", "remedy", "place"),
    [
        ("x + z", "z is unknown: a surface is a formula of x and y", (4, 1)),
        ("tanh(a)", "a is unknown", (5, 1)),
        ("sum(x)", "one height for each x and y", (0, 6)),
        ("[1, 2] * x", "one height for each x and y", (0, 10)),
        ("softmax(x) + y", "one height for each", (0, 14)),
        ("transpose(x) + y", "one height for each", (0, 16)),
        ("ones(2) @ ones(2) * x + y", "one height for each", (0, 25)),
        ("x +", "not a complete formula", None),
        ("  ", "of x and y, for example x", (0, 1)),
        ("x = 1\nx*y", "x is a coordinate of the map; give this line another name", (0, 1)),
        ("a = x\ny = a\ny**2", "y is a coordinate of the map", (6, 1)),
        ("__import__('os')", "__import__", None),
        ("x.real", "a dot after a name", None),
        ("x*ones(500,1,1,1)*ones(500,1,1)*ones(500,1)*ones(500)", "use smaller lists", (0, 43)),
    ],
)
def test_what_is_no_surface_says_why(text: str, remedy: str, place: tuple[int, int] | None) -> None:
    with pytest.raises(ExpressionError, match=remedy) as caught:
        typed_surface(text)
    if place is not None:
        assert (caught.value.start, caught.value.length) == place
