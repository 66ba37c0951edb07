"""Minima, saddles and maxima are where they are known to be."""

from __future__ import annotations

import numpy as np
import pytest

from core.optimization.stationary import stationary_points
from core.optimization.surfaces import SURFACES
from core.optimization.typed_surface import typed_surface

# Himmelblau's, as tabulated: https://en.wikipedia.org/wiki/Himmelblau%27s_function and its saddles
SADDLES = (
    (-3.073026, -0.081353),
    (-0.127961, -1.953715),
    (0.086678, 2.884255),
    (3.385154, 0.073852),
)


@pytest.mark.parametrize("name", SURFACES)
def test_the_known_minima_are_found(name):
    surface = SURFACES[name]
    found = stationary_points(surface)
    assert len(found.minima) == len(surface.minima)
    for known in surface.minima:
        assert min(np.abs(np.subtract(known, one)).max() for one in found.minima) < 1e-6


def test_himmelblaus_saddles_and_maximum():
    found = stationary_points(SURFACES["himmelblau"])
    np.testing.assert_allclose(sorted(found.saddles), SADDLES, atol=2e-6)
    np.testing.assert_allclose(found.maxima, [(-0.270845, -0.923039)], atol=2e-6)


def test_the_saddle_of_the_saddle():
    found = stationary_points(SURFACES["saddle"])
    np.testing.assert_allclose(found.saddles, [(0, 0)], atol=1e-8)


def test_of_a_typed_surface():
    found = stationary_points(typed_surface("sin(x)*cos(y)"), (0.5, 4.0, -2.0, 2.0))
    np.testing.assert_allclose(found.maxima, [(np.pi / 2, 0)], atol=1e-7)
    np.testing.assert_allclose(
        sorted(found.saddles), [(np.pi, -np.pi / 2), (np.pi, np.pi / 2)], atol=1e-7
    )


@pytest.mark.parametrize(
    "text", ["3", "x + y", "x**2", "abs(x)", "log(x) + y**2", "1/x", "exp(900*x)"]
)
def test_where_there_is_none_nothing_is_found(text):
    found = stationary_points(typed_surface(text))
    assert found.minima == found.saddles == found.maxima == ()


def test_of_very_many_places_those_around_a_point_are_found():
    surface = typed_surface("sin(10*x)*cos(10*y)")
    for near in ((-2.0, 1.5), (0.0, 0.0)):
        found = stationary_points(surface, near=near)
        far = [max(abs(x - near[0]), abs(y - near[1])) for x, y in (*found.minima, *found.saddles)]
        assert len(far) > 10 and max(far) < 1.2 and min(far) < 0.25
