"""The curvature of a surface, and the learning rates that it allows SGD."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.optimization.curvature import curvature, limits_rate
from core.optimization.race import race_steps
from core.optimization.sgd import SGDSettings
from core.optimization.surfaces import SURFACES
from core.optimization.typed_surface import typed_surface


@pytest.mark.parametrize(
    ("formula", "steepest", "flattest"),
    [
        ("x**2 + 50*y**2", 100, 2),
        ("100*(y - x**2)**2 + (1 - x)**2", 1001.6, 0.3994),
        ("x*y", 1, -1),
        ("x**2 - 5*y**2", 2, -10),
    ],
)
def test_curvatures_are_the_eigenvalues_of_the_hessian(formula, steepest, flattest):
    found = curvature(typed_surface(formula), np.array([1.0, 1.0]))
    assert found.steepest == pytest.approx(steepest, rel=1e-4)
    assert found.flattest == pytest.approx(flattest, rel=1e-3)
    assert found.largest_rate == pytest.approx(2 / steepest, rel=1e-4)


def test_where_there_is_no_second_derivative_there_is_no_curvature():
    found = curvature(typed_surface("abs(x) + y**2"), np.array((0.0, 1.0)))
    assert math.isnan(found.steepest) and found.largest_rate == math.inf


def path(rate: float, surface: str = "ravine", steps: int = 60) -> np.ndarray:
    settings = SGDSettings(learning_rate=rate)
    moments = race_steps(SURFACES[surface], [("sgd", settings)], steps=steps)
    return np.stack([moment.racers[0].position for moment in moments])


def test_above_the_largest_rate_sgd_diverges_and_below_it_comes_down():
    most = curvature(SURFACES["ravine"], np.zeros(2)).largest_rate
    assert most == pytest.approx(0.1)
    across = {rate: np.abs(path(rate)[:, 1]) for rate in (0.99 * most, 1.01 * most)}
    assert across[0.99 * most][-1] < across[0.99 * most][0]
    assert across[1.01 * most][-1] > across[1.01 * most][0]


def test_walls_limit_a_rate_that_could_hardly_be_raised():
    rosenbrock = SURFACES["rosenbrock"]
    assert limits_rate(rosenbrock, path(1e-3, "rosenbrock", 200), 1e-3)
    assert not limits_rate(rosenbrock, path(1e-4, "rosenbrock", 200), 1e-4)
    assert not limits_rate(SURFACES["ravine"], path(0.05), 0.05)  # only ten times as steep
